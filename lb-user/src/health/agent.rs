//! What real servers say of themselves: words on a TCP connection, as HAProxy's `agent-check` has them
//! (configuration manual, section 5.2).
//!
//! Words stay until others undo them, also those of an agent that answers no more: it may be the first to suffer under
//! the load that it told of.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::runner::Jitter;
use crate::service::ServiceName;

/// Whom to ask, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Of the real server's own address.
    pub port: u16,
    pub interval: Duration,
    /// Of one question, its answer included.
    pub timeout: Duration,
    /// What is sent first.
    pub send: String,
}

/// Octets of an answer; what is behind them is not read.
const ANSWER_MAX: usize = 1024;
/// Characters of a reason that are repeated.
const REASON_MAX: usize = 120;

/// What a real server has said of itself so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Of its weight.
    pub percent: u32,
    /// `drain` or `maint`, until `ready`.
    pub order: Option<Order>,
    /// Its words that it is down, until `up`.
    pub down: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    Drain,
    Maint,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            percent: 100,
            order: None,
            down: None,
        }
    }
}

impl Said {
    /// Takes up an answer: the words of its first line, between blanks and commas. Those that mean nothing here
    /// (`maxconn:`, or any other) are passed over.
    pub fn take(&mut self, answer: &str) {
        let line = answer.lines().next().unwrap_or_default();
        // A reason goes on to the line's end.
        let (words, reason) = line.split_once('#').unwrap_or((line, ""));
        for word in words.split([' ', '\t', ',']) {
            match word {
                "ready" => self.order = None,
                "drain" => self.order = Some(Order::Drain),
                "maint" => self.order = Some(Order::Maint),
                "up" => self.down = None,
                "down" | "failed" | "stopped" => self.down = Some(with_reason(word, reason)),
                _ => {
                    let percent = word.strip_suffix('%').and_then(|it| it.parse().ok());
                    self.percent = percent.unwrap_or(self.percent);
                }
            }
        }
    }

    /// Why it is to have no connections at all.
    pub fn why_down(&self) -> Option<String> {
        let words = match (self.order, &self.down) {
            (Some(Order::Maint), _) => "maint",
            (_, Some(words)) => words,
            _ => return None,
        };
        Some(format!("its agent says {words}"))
    }

    /// Why it has not the weight that it is given.
    pub fn why_other_weight(&self) -> Option<String> {
        match (self.order, self.percent) {
            (Some(_), _) => Some("its agent says drain".to_owned()),
            (None, 100) => None,
            (None, percent) => Some(format!("its agent says {percent}%")),
        }
    }

    /// Its part of a weight: nothing only if it says so.
    pub fn part_of(&self, weight: u32, most: u32) -> u32 {
        let percent = match self.order {
            Some(_) => 0,
            None => self.percent,
        };
        if weight == 0 || percent == 0 {
            return 0;
        }
        let part = u64::from(weight) * u64::from(percent) / 100;
        part.clamp(1, most.into()) as u32
    }
}

fn with_reason(word: &str, reason: &str) -> String {
    let reason = reason.trim().replace(char::is_control, " ");
    match reason.chars().take(REASON_MAX).collect::<String>() {
        reason if reason.is_empty() => word.to_owned(),
        reason => format!("{word}: {reason}"),
    }
}

type Key = (ServiceName, IpAddr);

/// One answer, or why there is none.
#[derive(Debug)]
pub struct Answer {
    pub key: Key,
    pub answer: Result<String, String>,
    pub at: Instant,
}

/// Asks all agents, each by a task of its own. Dropped, nobody is asked.
#[derive(Debug)]
pub struct Agents {
    asked: HashMap<Key, (Agent, AbortHandle)>,
    answers: mpsc::Sender<Answer>,
}

impl Agents {
    pub fn new(answers: mpsc::Sender<Answer>) -> Self {
        Self {
            asked: HashMap::new(),
            answers,
        }
    }

    /// Has these asked and no others, from now on. Those that are asked already go on undisturbed.
    pub fn set(&mut self, wanted: &HashMap<Key, &Agent>) {
        self.asked.retain(|key, (agent, task)| {
            let stays = wanted.get(key).is_some_and(|wanted| *wanted == agent);
            if !stays {
                task.abort();
            }
            stays
        });
        for (&key, &agent) in wanted {
            let answers = &self.answers;
            self.asked.entry(key).or_insert_with(|| {
                let task = tokio::spawn(ask_on(key, agent.clone(), answers.clone()));
                (agent.clone(), task.abort_handle())
            });
        }
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        self.asked.values().for_each(|(_, task)| task.abort());
    }
}

async fn ask_on(key: Key, agent: Agent, answers: mpsc::Sender<Answer>) {
    let mut jitter = Jitter::new();
    // Those of one change are not asked all at once.
    let mut pause = jitter.part(agent.interval.min(Duration::from_secs(1)));
    loop {
        sleep(pause).await;
        let answer = match timeout(agent.timeout, ask(key.1, &agent)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(super::check::told(&error).0.into_owned()),
            Err(_elapsed) => {
                let seconds = agent.timeout.as_secs_f64();
                Err(format!("no answer within {seconds} s"))
            }
        };
        let at = Instant::now();
        if answers.send(Answer { key, answer, at }).await.is_err() {
            return;
        }
        pause = jitter.about(agent.interval);
    }
}

async fn ask(real: IpAddr, agent: &Agent) -> io::Result<String> {
    let mut stream = TcpStream::connect(SocketAddr::new(real, agent.port)).await?;
    stream.write_all(agent.send.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut part = [0; ANSWER_MAX];
    while answer.len() < ANSWER_MAX && !answer.contains(&b'\n') {
        match stream.read(&mut part).await? {
            0 => break,
            read => answer.extend_from_slice(&part[..read]),
        }
    }
    answer.truncate(ANSWER_MAX);
    match String::from_utf8_lossy(&answer).trim() {
        "" => Err(io::ErrorKind::UnexpectedEof.into()),
        answer => Ok(answer.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers one after the other, and what is made of weight 10 after the last of them: its part, or why it is down.
    #[test]
    fn words_are_haproxys() {
        let down = |why: &str| Err(format!("its agent says {why}"));
        for (answers, want) in [
            (&["75%\n"][..], Ok(7)),
            (&["75%", "100%"], Ok(10)),
            (&["200%"], Ok(20)),
            (&["1%"], Ok(1)),
            (&["0%"], Ok(0)),
            (&["9999999%"], Ok(65535)),
            (&["drain"], Ok(0)),
            (&["drain", "50%"], Ok(0)),
            (&["drain", "ready 50%"], Ok(5)),
            (&["maint"], down("maint")),
            (&["maint", "up"], down("maint")),
            (&["maint", "ready"], Ok(10)),
            (&["down"], down("down")),
            (&["failed#disk is full"], down("failed: disk is full")),
            (
                &["stopped #for a while, maint\n"],
                down("stopped: for a while, maint"),
            ),
            (&["down", "ready"], down("down")),
            (&["down", "up,ready\t30%\r\nmaint"], Ok(3)),
            (&["up maxconn:30 20% hello -5% %"], Ok(2)),
            (&["DOWN"], Ok(10)),
            (&[""], Ok(10)),
        ] {
            let mut said = Said::default();
            answers.iter().for_each(|answer| said.take(answer));
            let is = said.why_down().map_or(Ok(said.part_of(10, 65535)), Err);
            assert_eq!(is, want, "{answers:?}");
        }
    }
}

//! `drover events`.

use std::{net::IpAddr, path::Path, pin::pin, time::Duration};

use anyhow::{Context as _, Result};
use clap::Args;
use futures_util::{Stream, StreamExt as _};
use tokio::time::{interval, sleep};

use super::{
    Format, Places,
    mood::{Mood, painted},
    output,
};
use crate::{
    api::{
        client::{self, Message},
        events::{Event, What},
    },
    printable::printable,
};

/// Between two attempts to reach a daemon that has gone.
const RETRY: Duration = Duration::from_millis(500);
/// Between two looks whether somebody still reads.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct Events {
    /// `json` is an object a line
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
    /// Go on with what happens from now on, also when the daemon is restarted
    #[arg(long, short)]
    follow: bool,
}

impl Events {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        if self.follow {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            return runtime.block_on(self.follow(&places.socket));
        }
        let events: Vec<Event> = places.get("/v1/events/last", "reading events")?;
        let lines = events.iter().map(|event| self.line(event));
        output::write(&lines.collect::<Result<String>>()?)
    }

    async fn follow(&self, socket: &Path) -> Result<()> {
        let mut last = "0".to_owned();
        let mut stream = client::follow(socket, &last).await?;
        while self.tell(stream, &mut last).await? {
            eprintln!("drover: the daemon has gone; waiting for it");
            stream = loop {
                sleep(RETRY).await;
                if output::is_abandoned() {
                    return Ok(());
                }
                if let Ok(stream) = client::follow(socket, &last).await {
                    break stream;
                }
            };
            eprintln!("drover: the daemon is back");
        }
        Ok(())
    }

    /// Prints what comes; returns whether it is the daemon that has ended, and not who reads.
    async fn tell(
        &self,
        stream: impl Stream<Item = Result<Vec<Message>>>,
        last: &mut String,
    ) -> Result<bool> {
        let mut stream = pin!(stream);
        let mut looks = interval(LOOK);
        loop {
            let messages = tokio::select! {
                messages = stream.next() => messages,
                _ = looks.tick() => match output::is_abandoned() {
                    true => return Ok(false),
                    false => continue,
                },
            };
            let Some(Ok(messages)) = messages else {
                return Ok(true);
            };
            for message in messages {
                match message {
                    Message::Comment(text) => eprintln!("drover: {text}"),
                    Message::Event { id, data } => {
                        let event = serde_json::from_str(&data)
                            .with_context(|| format!("cannot understand the event {data}"))?;
                        if !output::is_read(&self.line(&event)?)? {
                            return Ok(false);
                        }
                        *last = id;
                    }
                }
            }
        }
    }

    fn line(&self, event: &Event) -> Result<String> {
        Ok(match self.output {
            Format::Table => output::page(|page| {
                page.line(4, &format!("{} {}", event.time, words(&event.what)));
            }),
            Format::Json => serde_json::to_string(event)? + "\n",
        })
    }
}

fn words(what: &What) -> String {
    match what {
        What::State {
            service,
            real,
            from,
            to,
            reason,
        } => {
            let why = reason.as_ref().map(|it| format!(": {}", printable(it)));
            let (to, why) = (painted(*to), why.unwrap_or_default());
            format!("{service} {real} {from} -> {to}{why}")
        }
        What::Quorum {
            service,
            quorum,
            is_there: true,
        } => format!(
            "{service} the quorum of {quorum} {}",
            Mood::Good.paint("is there")
        ),
        What::Quorum {
            service, quorum, ..
        } => format!(
            "{service} the quorum of {quorum} {}",
            Mood::Bad.paint("is lost")
        ),
        What::Interface { name, from, to } => {
            let to = Mood::of_xdp(to).paint(to);
            format!("interface {name} {from} -> {to}")
        }
        What::Leak {
            vip,
            mac,
            real,
            interface,
        } => {
            let also = Mood::Bad.paint("is also at");
            format!("{vip} {also} {mac} on {interface}: {}", whose(real))
        }
        What::LeakOver {
            vip,
            mac,
            real,
            interface,
        } => {
            let whose = whose(real);
            format!("{vip} is no longer at {mac} on {interface}: {whose}")
        }
        What::Config { how } => how.clone(),
    }
}

/// Who has a MAC, by the RIPs of it.
pub(super) fn whose(reals: &[IpAddr]) -> String {
    let reals: Vec<String> = reals.iter().map(ToString::to_string).collect();
    match reals.as_slice() {
        [] => "a stranger".to_owned(),
        reals => format!("real server {}", reals.join(", ")),
    }
}

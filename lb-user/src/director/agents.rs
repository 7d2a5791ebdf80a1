//! Which real servers are asked for their own word, and what becomes of it.

use std::collections::{HashMap, HashSet};

use super::{conditions::Key, engine::Engine};
use crate::{
    api::AgentReport,
    config::director::Service,
    health::agent::{Agent, Answer},
};

/// Answers that wait for the engine; the others wait where they are.
pub(super) const ANSWERS_MAX: usize = 256;

impl Engine {
    /// Has the real servers asked that are to be, and no others. What was said before is still so.
    pub(super) fn ask_agents(&mut self) {
        let mut asked: HashMap<Key, &Agent> = HashMap::new();
        for service in &self.config.services {
            for real in &service.reals {
                asked.extend(
                    service
                        .agent
                        .iter()
                        .map(|it| ((service.listen, real.address), it)),
                );
            }
        }
        self.agents.set(&asked);
        self.last_words.retain(|key, _| asked.contains_key(key));
        self.conditions.keep_said(|key| asked.contains_key(key));
    }

    /// Takes up what agents have answered.
    pub(super) fn answered(&mut self, answers: Vec<Answer>) {
        let mut others = HashSet::new();
        for answer in answers {
            let key = answer.key;
            // One may come after its service has gone.
            let service = self.config.service(key.0).filter(|it| it.agent.is_some());
            if !service.is_some_and(|it| it.reals.iter().any(|real| real.address == key.1)) {
                continue;
            }
            if let Ok(words) = &answer.answer
                && self.conditions.say(key, words)
            {
                others.insert(key.0);
            }
            self.last_words.insert(key, answer);
        }
        if others.is_empty() {
            return;
        }
        if let Err(error) = self.bring(|service| others.contains(&service.listen)) {
            tracing::error!("{error:#}");
        }
        self.tell();
    }

    pub(super) fn agent_of(&self, service: &Service, key: Key) -> Option<AgentReport> {
        service.agent.as_ref()?;
        let percent = self.conditions.said(key).map_or(100, |said| said.percent);
        let last = self.last_words.get(&key);
        let (words, error) = match last.map(|it| it.answer.clone()) {
            None => (None, None),
            Some(Ok(words)) => (Some(words), None),
            Some(Err(error)) => (None, Some(error)),
        };
        Some(AgentReport {
            percent,
            words,
            error,
            seconds_ago: last.map(|it| it.at.elapsed().as_secs()),
        })
    }
}

//! What the program answers.

use lb_common::{
    director::Forward,
    reason::{Fate, Reason},
    wire::{Ethernet, Frame as _},
};

use super::Told;
use crate::{api::explain::Action, director::links::Interface};

impl Told<'_> {
    pub(super) fn verdict(&self, interface: &Interface, frame: &[u8]) -> (Action, String) {
        let (action, what) = match self.run.verdict {
            Ok(Forward::Return) => (Action::Tx, format!("sent back out of {}", interface.name)),
            Ok(Forward::Through(index)) => {
                let out = self.interface(index);
                (Action::Redirect, format!("sent out of {out}"))
            }
            Err(reason) => match reason.fate() {
                Fate::Pass => (Action::Pass, "left to the director's own stack".to_owned()),
                Fate::Drop => (Action::Drop, "dropped".to_owned()),
            },
        };
        let why = self.run.verdict.err().map_or_else(String::new, |reason| {
            let more = match (reason, frame.header::<Ethernet>(0)) {
                (Reason::OtherHost, Some(ethernet)) => format!(
                    ", {}; {} is {}",
                    ethernet.destination, interface.name, interface.mac
                ),
                _ => String::new(),
            };
            format!(": {}, {}{more}", reason.name(), reason.words())
        });
        (action, format!("{what} ({}){why}", action.name()))
    }
}

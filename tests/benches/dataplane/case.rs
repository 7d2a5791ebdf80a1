//! One row: a program, what it is fed, and what it has to make of it.

use anyhow::{Context as _, Result, ensure};

use crate::{
    directors::macs,
    feeder::{Feed, Feeder, Order},
    programs::SENT,
    subject::{Program, Subject},
};

const PASS: u32 = 2;
const TX: u32 = 3;
const REDIRECT: u32 = 4;

/// More than are ever run: none comes twice.
const NEW_FLOWS: u32 = 1 << 28;

/// A row as it is meant.
pub(crate) struct Row {
    pub(crate) name: String,
    /// What the tables have room for, and what comes unless it is new ones.
    pub(crate) flows: u32,
    /// The rows it is net of, and is compared with: of the same flows, or of one.
    pub(crate) floor: String,
    pub(crate) lru: &'static str,
    program: Program,
    frame: Vec<u8>,
    whole: bool,
    warm: Warm,
    answer: Answer,
}

/// What the program has to make of the frames.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Sent back as it came.
    Returned,
    /// Sent back to its sender.
    Swapped,
    /// Sent to one of the members.
    Forwarded,
    Passed,
    /// Sent on, to whom its operator knows.
    Sent,
}

/// How the tables get into the state that is measured.
#[derive(Clone, Copy)]
pub(crate) enum Warm {
    /// The row's flows are all known, by two packets each.
    Same,
    /// The tables are full, of first packets of flows that do not come again.
    Others,
}

impl Row {
    pub(crate) fn new(name: &str, program: Program, frame: Vec<u8>, flows: u32) -> Self {
        Self {
            name: name.to_owned(),
            flows,
            floor: "floor".to_owned(),
            lru: "lru",
            program,
            frame,
            whole: false,
            warm: Warm::Same,
            answer: Answer::Forwarded,
        }
    }

    pub(crate) fn answered(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    pub(crate) fn warmed(self, warm: Warm) -> Self {
        Self { warm, ..self }
    }

    pub(crate) fn against(self, lru: &'static str) -> Self {
        Self { lru, ..self }
    }

    pub(crate) fn restored_whole(self, floor: &str) -> Self {
        let floor = floor.to_owned();
        Self {
            floor,
            whole: true,
            ..self
        }
    }
}

/// A row that is being measured.
pub(crate) struct Case {
    pub(crate) row: Row,
    feeder: Feeder,
    /// CPU time of a packet, in ns, by round.
    pub(crate) samples: Vec<f64>,
}

impl Case {
    /// Brings the tables into the state that is measured, and checks what the program answers then.
    pub(crate) fn of(row: Row) -> Result<Self> {
        let subject = Subject::load(&row.program, row.flows)?;
        let feed = Feed {
            frame: row.frame.clone(),
            flows: match row.warm {
                Warm::Same => row.flows,
                Warm::Others => NEW_FLOWS,
            },
            whole: row.whole,
        };
        let feeder = Feeder::aim(subject.program()?, feed).with_context(|| row.name.clone())?;
        let mut case = Self {
            row,
            feeder,
            samples: Vec::new(),
        };
        case.feeder.visit(Order::Ascending)?;
        match case.row.warm {
            Warm::Same => {
                for _ in 0..2 {
                    case.feeder.run(case.row.flows)?;
                }
                case.feeder.visit(Order::Scrambled)?;
            }
            Warm::Others => {
                case.feeder.run(subject.room() * 2)?;
            }
        }
        for _ in 0..100 {
            let (action, left) = case.feeder.once()?;
            case.check(action)?;
            case.check_frame(&left)?;
        }
        Ok(case)
    }

    /// Runs the program on so many packets.
    pub(crate) fn run(&mut self, packets: u32) -> Result<()> {
        let action = self.feeder.run(packets)?;
        self.check(action)
    }

    fn check(&self, action: u32) -> Result<()> {
        let right = match self.row.answer {
            Answer::Returned | Answer::Swapped | Answer::Forwarded => action == TX,
            Answer::Passed => action == PASS,
            Answer::Sent => action == TX || action == REDIRECT,
        };
        ensure!(right, "{}: XDP action {action} is wrong", self.row.name);
        Ok(())
    }

    fn check_frame(&self, left: &[u8]) -> Result<()> {
        let (name, sent) = (&self.row.name, &self.row.frame);
        let (to, from) = (&left[..6], &left[6..12]);
        let right = match self.row.answer {
            Answer::Returned | Answer::Passed => left[..12] == sent[..12],
            Answer::Swapped => to == SENT.from && from == SENT.to,
            Answer::Forwarded => macs().iter().any(|mac| mac == to) && from == SENT.to,
            Answer::Sent => to != &sent[..6],
        };
        ensure!(right, "{name}: sent to {to:x?} from {from:x?}");
        let (is, was) = (left.len(), sent.len());
        let right = self.row.answer == Answer::Sent || is == was;
        ensure!(right, "{name}: {is} octets of {was}");
        Ok(())
    }
}

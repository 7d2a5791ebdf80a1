//! The rows of the table.

use anyhow::{Context as _, Result};
use aya::{
    Ebpf,
    programs::{ProgramFd, Xdp},
};
use lb_user::dataplane::director::Director;
use tests::frames::{ACK, Sent};

use crate::{
    case::Case,
    lan::Lan,
    programs::{
        SENT, baselines,
        directors::{self, TRACKED},
    },
};

/// A program, loaded, with its tables.
pub(crate) enum Subject {
    Baseline(Ebpf, &'static str),
    Director(Box<Director>),
}

impl Subject {
    pub(crate) fn program(&self) -> Result<&ProgramFd> {
        Ok(match self {
            Self::Baseline(ebpf, name) => {
                let program = ebpf.program(name).with_context(|| format!("no {name}"))?;
                <&Xdp>::try_from(program)?.fd()?
            }
            Self::Director(director) => director.program()?.fd()?,
        })
    }
}

pub(crate) fn load(flows: &[u32], lan: &Lan) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for &flows in flows {
        let tx = Subject::Baseline(baselines::load("tx", 1)?, "tx");
        let lru = Subject::Baseline(baselines::lru(flows)?, "lru");
        let director = || directors::load(flows, lan.far).map(|it| Subject::Director(Box::new(it)));
        let tracked = Sent {
            port: TRACKED,
            ..SENT
        };
        for (name, subject, sent) in [
            ("tx", tx, SENT),
            ("lru", lru, SENT),
            ("clean", director()?, SENT),
            ("tracked", director()?, tracked),
        ] {
            cases.push(Case::new(name, subject, sent.tcp(ACK), flows)?);
        }
    }
    Ok(cases)
}

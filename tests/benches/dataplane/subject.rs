//! What is measured: a program, loaded, with its tables.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use aya::{
    Ebpf,
    programs::{ProgramFd, ProgramInfo, Xdp},
};
use lb_common::tables::WAYS;
use lb_user::dataplane::director;

use crate::{baselines, directors};

pub(crate) enum Program {
    /// The baselines, each by its name.
    Floor,
    Tx,
    Lru,
    Director,
    /// That of the way in.
    RealServer,
    /// Somebody else's.
    Pinned(PathBuf),
}

pub(crate) enum Subject {
    Loaded(Ebpf, &'static str),
    Director(Box<director::Director>),
    Pinned(ProgramFd),
}

impl Subject {
    /// Loads a program with room for so many flows.
    pub(crate) fn load(program: &Program, flows: u32) -> Result<Self> {
        Ok(match program {
            Program::Floor => Self::Loaded(baselines::load("floor", 1)?, "floor"),
            Program::Tx => Self::Loaded(baselines::load("tx", 1)?, "tx"),
            Program::Lru => Self::Loaded(baselines::lru(flows)?, "lru"),
            Program::Director => {
                Self::Director(Box::new(directors::load(flows, directors::LOOPBACK)?))
            }
            Program::RealServer => Self::Loaded(directors::realserver()?, "vip_ingress"),
            Program::Pinned(path) => {
                let info = ProgramInfo::from_pin(path);
                let info = info.with_context(|| format!("cannot open {}", path.display()))?;
                Self::Pinned(info.fd()?)
            }
        })
    }

    pub(crate) fn program(&self) -> Result<&ProgramFd> {
        Ok(match self {
            Self::Loaded(ebpf, name) => {
                let program = ebpf.program(name).with_context(|| format!("no {name}"))?;
                <&Xdp>::try_from(program)?.fd()?
            }
            Self::Director(director) => director.program()?.fd()?,
            Self::Pinned(program) => program,
        })
    }

    /// Flows that its tables have room for.
    pub(crate) fn room(&self) -> u32 {
        match self {
            Self::Loaded(ebpf, _) => baselines::room(ebpf),
            Self::Director(director) => (director.tables.flows.len() * WAYS) as u32,
            Self::Pinned(_) => 0,
        }
    }
}

//! Whether this kernel takes the programs: they are loaded, as they would be for good, and let go.

use anyhow::{Context as _, Result};
use aya::{
    EbpfLoader,
    programs::{Program, ProgramError, ProgramInfo},
};
use lb_common::tables::SLOTS_MAX;

use super::{
    director::{Director, Limits},
    pins::Role,
    realserver::OBJECT,
    verifier::refusal,
};

/// The smallest tables that the kernel makes.
const LIMITS: Limits = Limits {
    services: 1,
    members: 1,
    slots: SLOTS_MAX,
    flow_sets: 1,
    lists_flows: false,
};

/// Loads a role's programs; whether the kernel has compiled them. An error says what it refused, and why.
pub fn load(role: Role) -> Result<bool> {
    match role {
        Role::Director => {
            let director = Director::load(None, LIMITS)?;
            is_compiled(director.program()?.info())
        }
        Role::RealServer => {
            let loaded = EbpfLoader::new().load(OBJECT);
            let mut ebpf = loaded.context("cannot load the maps")?;
            let mut compiled = true;
            for (name, program) in ebpf.programs_mut() {
                let (loaded, info) = if let Program::Xdp(program) = program {
                    (program.load(), program.info())
                } else if let Program::SchedClassifier(program) = program {
                    (program.load(), program.info())
                } else {
                    continue;
                };
                loaded.map_err(|error| refusal(name, error))?;
                compiled &= is_compiled(info)?;
            }
            Ok(compiled)
        }
    }
}

fn is_compiled(info: Result<ProgramInfo, ProgramError>) -> Result<bool> {
    let info = info.context("cannot ask for the program")?;
    Ok(info.size_jitted() > 0)
}

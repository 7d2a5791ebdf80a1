//! What would become of packets: asked of the program in the kernel, on copies of the tables.

mod made;
mod words;

use anyhow::{Context as _, Result, ensure};

use super::{engine::Engine, links::Interface};
use crate::{
    api::explain::{Answer, Asked, Explanation, PACKETS_MAX, Question},
    dataplane::director::{FRAME_MAX, FRAME_MIN, Trial},
};

/// Explains packets, in their order; each finds what those before it have changed in the copy.
pub(super) async fn answer(engine: &Engine, question: &Question) -> Result<Answer> {
    let asked = &question.packets;
    ensure!(
        asked.len() <= PACKETS_MAX,
        "{} packets are too many; {PACKETS_MAX} are explained at once",
        asked.len()
    );
    let interface = interface(engine, question.interface.as_deref())?;
    let condition = engine.condition(&interface.name).await?;
    let trial = Trial::of(&engine.kernel)?;
    let mut warnings = Vec::new();
    if !condition.forwards() {
        warnings.push(format!(
            "interface {} is {}: no packet that comes in by it meets the program",
            interface.name,
            condition.name()
        ));
    }
    let tags = [engine.kernel.program_tag()?, trial.program_tag()?];
    if tags[0] != tags[1] {
        warnings.push(format!(
            "the program that is attached is another one: tag {:016x}, and of the one asked {:016x}",
            tags[0].swap_bytes(),
            tags[1].swap_bytes()
        ));
    }
    let mut packets = Vec::with_capacity(asked.len());
    for (i, asked) in asked.iter().enumerate() {
        let explained = explain(engine, &trial, interface, asked);
        packets.push(explained.with_context(|| format!("packet {}", i + 1))?);
    }
    Ok(Answer { warnings, packets })
}

/// Finds the interface that packets come in by.
fn interface<'e>(engine: &'e Engine, name: Option<&str>) -> Result<&'e Interface> {
    let names = &engine.config.interfaces;
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name,
        (None, [name]) => name,
        (None, _) => anyhow::bail!(
            "say which interface they come in by: --interface {}",
            names.join(" or ")
        ),
    };
    ensure!(
        names.iter().any(|it| it == name),
        "{name} is no interface of the director, which has {}",
        names.join(", ")
    );
    let mut there = engine.neighbours.interfaces();
    let found = there.find(|it| it.name == name);
    found.with_context(|| format!("interface {name} is not there"))
}

fn explain(
    engine: &Engine,
    trial: &Trial<'_>,
    interface: &Interface,
    asked: &Asked,
) -> Result<Explanation> {
    let made;
    let (frame, len) = match asked {
        Asked::Captured(captured) => (&captured.octets.0, captured.len as usize),
        Asked::Made(wanted) => {
            made = made::frame(wanted, interface.mac)?;
            (&made, made.len())
        }
    };
    ensure!(
        (FRAME_MIN..=FRAME_MAX).contains(&frame.len()),
        "{} octets; of a frame, {FRAME_MIN} to {FRAME_MAX} are looked at",
        frame.len()
    );
    let run = trial.run(frame, interface.index)?;
    Ok(words::explanation(
        engine,
        trial.tables(),
        interface,
        (frame, len),
        &run,
    ))
}

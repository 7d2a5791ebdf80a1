//! Where the director's program is attached.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use aya::programs::{
    Program, ProgramError, Xdp, XdpMode,
    links::{FdLink, PinnedLink},
    xdp::XdpLink,
};
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Director;
use crate::dataplane::pins::{file_name, interface_name};

/// How the program is to be attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Native where the driver has it, else generic.
    #[default]
    Auto,
    /// In the driver.
    Native,
    /// In the stack, after the kernel has made a socket buffer of the frame.
    Generic,
}

impl Director {
    /// Attaches the program to an interface, or puts it in the place of the one that is pinned.
    pub fn attach(&mut self, interface: &str, mode: Mode) -> anyhow::Result<()> {
        let pin = self.pins.as_ref().map(|pins| link_below(pins, interface));
        let Some(Program::Xdp(program)) = self.ebpf.program_mut("director") else {
            bail!("the director's object has no director");
        };
        if let Some(pin) = &pin
            && replace(program, pin)?
        {
            return Ok(());
        }
        let link = match mode {
            Mode::Native => program.attach(interface, XdpMode::Driver),
            Mode::Generic => program.attach(interface, XdpMode::Skb),
            Mode::Auto => match program.attach(interface, XdpMode::Driver) {
                Err(error) if !is_final(&error) => {
                    tracing::warn!("{interface} does not take native XDP: {error}");
                    program.attach(interface, XdpMode::Skb)
                }
                attached => attached,
            },
        };
        let link = link.map_err(|error| explain(error, interface))?;
        let Some(pin) = pin else { return Ok(()) };
        let link: FdLink = program
            .take_link(link)?
            .try_into()
            .context("the kernel has no BPF links for XDP (Linux 5.9)")?;
        if let Some(parent) = pin.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make the directory {}", parent.display()))?;
        }
        link.pin(&pin)
            .with_context(|| format!("cannot pin the link {}", pin.display()))?;
        Ok(())
    }

    /// Names the interfaces that have a pinned link.
    pub fn attached(pins: &Path) -> anyhow::Result<Vec<String>> {
        let links = match fs::read_dir(pins.join("links")) {
            Ok(links) => links,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).context("cannot list the pinned links"),
        };
        links
            .map(|entry| Ok(interface_name(&entry?.file_name().to_string_lossy())))
            .collect()
    }

    /// Detaches the program from an interface.
    pub fn detach(pins: &Path, interface: &str) -> anyhow::Result<()> {
        let pin = link_below(pins, interface);
        fs::remove_file(&pin).with_context(|| format!("cannot unpin the link {}", pin.display()))
    }
}

fn link_below(pins: &Path, interface: &str) -> PathBuf {
    pins.join("links").join(file_name(interface))
}

/// Puts the program in the place of the one of the pinned link, in one step; whether there was one.
fn replace(program: &mut Xdp, pin: &Path) -> anyhow::Result<bool> {
    if !pin.exists() {
        return Ok(false);
    }
    let link = PinnedLink::from_pin(pin)
        .with_context(|| format!("cannot open the pinned link {}", pin.display()))?;
    let link: XdpLink = FdLink::from(link).try_into()?;
    match program.attach_to_link(link) {
        Ok(_) => Ok(true),
        // Its interface is gone, and the name is perhaps another interface's now.
        Err(error) if errno(&error) == Some(Errno::NOLINK.raw_os_error()) => {
            fs::remove_file(pin)?;
            Ok(false)
        }
        Err(error) => Err(error).context("cannot put the program in the place of the attached one"),
    }
}

fn errno(error: &ProgramError) -> Option<i32> {
    if let ProgramError::SyscallError(error) = error {
        return error.io_error.raw_os_error();
    }
    None
}

/// Whether generic mode would fail, too.
fn is_final(error: &ProgramError) -> bool {
    const FINAL: [Errno; 3] = [Errno::BUSY, Errno::PERM, Errno::NODEV];
    let is_one = |errno| FINAL.iter().any(|it| it.raw_os_error() == errno);
    matches!(error, ProgramError::UnknownInterface { .. }) || errno(error).is_some_and(is_one)
}

fn explain(error: ProgramError, interface: &str) -> anyhow::Error {
    if matches!(error, ProgramError::UnknownInterface { .. }) {
        return anyhow::anyhow!("there is no interface {interface}");
    }
    if errno(&error) == Some(Errno::BUSY.raw_os_error()) {
        return anyhow::anyhow!(
            "{interface} has another XDP program, which `ip link show {interface}` names; detach it first"
        );
    }
    anyhow::Error::from(error).context(format!("cannot attach to {interface}"))
}

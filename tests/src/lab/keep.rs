//! A lab that stays up to be played with.

use std::{fmt::Write, fs};

use anyhow::Result;

use super::{Host, Lab, drover_binary};

impl Lab {
    /// Leaves the lab up when this process ends; [`super::remove_kept`] removes it. Returns the commands that enter its
    /// hosts, where `drover` is the binary with that host's paths.
    pub fn keep(self) -> Result<Vec<String>> {
        let enter = self.hosts.iter().map(|host| {
            let startup = host.dir().join("bashrc");
            fs::write(&startup, bashrc(host)?)?;
            Ok(format!(
                "ip netns exec {} bash --rcfile {}",
                host.namespace(),
                startup.display()
            ))
        });
        let enter = enter.collect::<Result<_>>()?;
        fs::write(self.dir.join("kept"), "")?;
        self.removal.forgo()?;
        Ok(enter)
    }
}

/// A function, as `/run` need not allow programs.
fn bashrc(host: &Host) -> Result<String> {
    let mut text = format!("PS1='{host}# '\ndrover() {{\n    case \"$1\" in\n");
    for (pattern, command) in [("realserver", Some("realserver".as_ref())), ("*", None)] {
        write!(
            text,
            "    {pattern}) '{}' \"$@\"",
            drover_binary().display()
        )?;
        for word in host.drover_paths(command) {
            write!(text, " '{}'", word.display())?;
        }
        writeln!(text, " ;;")?;
    }
    text.push_str("    esac\n}\n");
    Ok(text)
}

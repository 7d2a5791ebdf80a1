//! Has systemd take up what was installed.

use std::path::Path;

use anyhow::Result;

use super::{files::File, run};

/// Makes the group and reloads the units. Returns what was done, a line each.
pub(super) fn take_up(files: &[File], dry_run: bool) -> Result<Vec<String>> {
    // As sd_booted(3).
    if !Path::new("/run/systemd/system").is_dir() {
        return Ok(vec![
            "left out       systemd-sysusers, systemctl daemon-reload: systemd does not run here\n"
                .into(),
        ]);
    }
    let group = files
        .iter()
        .map(|file| file.path.to_string_lossy())
        .find(|path| path.contains("/sysusers.d/"));
    let mut commands = Vec::new();
    if let Some(group) = &group {
        commands.push(vec!["systemd-sysusers", group]);
    }
    commands.push(vec!["systemctl", "daemon-reload"]);
    let mut lines = Vec::new();
    for command in commands {
        let what = if dry_run { "would run" } else { "ran" };
        if !dry_run {
            run(&command)?;
        }
        lines.push(format!("{what:<14} {}\n", command.join(" ")));
    }
    Ok(lines)
}

//! The director's daemon, started with the rights that its unit gives, or fewer.

use std::{
    ffi::OsString,
    fs,
    os::unix::net::UnixDatagram,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use tests::{Host, Process};

use crate::rights::{GROUP, Rights};

/// How long it may take until it is ready.
const START: Duration = Duration::from_secs(10);

impl Rights {
    /// Starts the daemon with the host's `director.toml`, and returns when it has told systemd that it is ready; the
    /// error is what it said.
    pub(crate) fn start(&self, host: &Host) -> Result<Process> {
        let groups = host.dir().join("group");
        fs::write(&groups, format!("root:x:0:\ndrover:x:{GROUP}:\n"))?;
        let notify = host.dir().join("notify");
        let told = listen(&notify)?;
        // `ip netns exec` has made a mount namespace: there, the machine has the group.
        let script = "mount --bind \"$0\" /etc/group && NOTIFY_SOCKET=$1 && export NOTIFY_SOCKET && shift && exec \"$@\"";
        let mut words: Vec<OsString> = vec!["sh".into(), "-c".into(), script.into()];
        words.extend([groups.into(), notify.into()]);
        words.extend(self.setpriv());
        words.extend(host.drover_words(&["director"]));

        let mut process = host.spawn(&words)?;
        let deadline = Instant::now() + START;
        loop {
            let mut message = [0; 256];
            let said = told.recv(&mut message).map(|length| &message[..length]);
            if said.is_ok_and(|said| said.starts_with(b"READY=1")) {
                return Ok(process);
            }
            if !process.is_running() {
                bail!("{}", process.log().trim());
            }
            if Instant::now() > deadline {
                bail!("not ready after {START:?}: {}", process.log().trim());
            }
        }
    }
}

fn listen(path: &Path) -> Result<UnixDatagram> {
    // Of the daemon before.
    let _ = fs::remove_file(path);
    let socket = UnixDatagram::bind(path).context("making systemd's end of the notifications")?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    Ok(socket)
}

//! A mail server's greeting, and its answer to one command (RFC 5321).

use rustix::system::uname;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::{
    Bad, Good, Probe, quoted,
    tcp::{self, Stream},
    told,
};

/// Octets of a line, and lines of a reply: far more than section 4.5.3.1.5 allows.
const LINE_MAX: u64 = 4096;
const LINES_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// The name that the director gives; its own, without.
    pub helo: Option<String>,
}

impl Smtp {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let mut stream = BufReader::new(tcp::connect(probe).await?);
        let greeting = probe.by("greeting", reply(&mut stream)).await??;
        wanted("greeting", &greeting, "220")?;
        let own = || uname().nodename().to_string_lossy().into_owned();
        let name = self.helo.clone().unwrap_or_else(own);
        let helo = format!("HELO {name}\r\n");
        let answer = probe.by("answer to HELO", say(&mut stream, &helo));
        let answer = answer.await??;
        wanted("answer to HELO", &answer, "250")?;
        // The check is done; the server's log gets its QUIT.
        if probe
            .by("answer to QUIT", say(&mut stream, "QUIT\r\n"))
            .await
            .is_ok()
        {
            tcp::closed(stream).await;
        }
        Ok(quoted(greeting.as_bytes()).into())
    }
}

async fn say(stream: &mut BufReader<Stream>, command: &str) -> Result<String, Bad> {
    let written = stream.write_all(command.as_bytes()).await;
    written.map_err(|error| told(&error))?;
    reply(stream).await
}

/// Returns the last line of a reply: that is the one without a hyphen.
async fn reply(stream: &mut BufReader<Stream>) -> Result<String, Bad> {
    for _ in 0..LINES_MAX {
        let mut line = Vec::new();
        let read = stream.take(LINE_MAX).read_until(b'\n', &mut line).await;
        read.map_err(|error| told(&error))?;
        if !line.ends_with(b"\n") {
            return Err("connection closed within a reply".into());
        }
        if line.get(3) != Some(&b'-') {
            return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    }
    Err("a reply without an end".into())
}

fn wanted(what: &str, line: &str, code: &str) -> Result<(), Bad> {
    match line.starts_with(code) {
        true => Ok(()),
        false => Err(format!("{what} `{}`, not {code}", quoted(line.as_bytes())).into()),
    }
}

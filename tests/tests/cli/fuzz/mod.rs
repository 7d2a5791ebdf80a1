//! Requests by chance: as the API's own document has them, but with wrong values and broken lines among them.
//!
//! Whatever comes, the daemon answers in its own words, none of them that it is at fault, and what is in force is what
//! its file says. `cargo xtask fuzz api N` asks more often.

mod generate;

use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::Chance;

use self::generate::Api;
use crate::{State, site};

const REQUESTS: u64 = 300;
/// Longer than the daemon lets a request take.
const PATIENCE: Duration = Duration::from_secs(25);

#[test]
fn what_is_asked_by_chance_is_answered_and_leaves_no_mess() -> Result<()> {
    let (requests, seed) = tests::fuzz(REQUESTS);
    let (lab, mut director) = site()?;
    let host = lab.host("director");
    let socket = host.dir().join("director.sock");
    let document = said(&socket, b"GET /v1/openapi.json HTTP/1.0\r\n\r\n", false)?;
    let api = Api::new(serde_json::from_str(body(&document)?)?);
    let mut chance = Chance::new(seed);
    let mut counts = [0; 6];
    for _ in 0..requests {
        let request = api.request(&mut chance);
        let told = String::from_utf8_lossy(&request.octets);
        let answer = said(&socket, &request.octets, request.is_broken)
            .with_context(|| format!("to {told}"))?;
        ensure!(
            request.is_broken || !answer.is_empty(),
            "no answer to {told}"
        );
        let status = check(&answer).with_context(|| format!("to {told}\n{answer}"))?;
        counts[usize::from(status / 100)] += 1;
    }
    println!("{counts:?}");
    let [_, _, done, _, refused, _] = counts;
    ensure!(
        done > 0 && refused > 0,
        "only one of done and refused: {counts:?}"
    );
    // What waits to be confirmed is kept.
    said(&socket, b"POST /v1/confirm HTTP/1.0\r\n\r\n", false)?;
    let diff = host.drover(&["diff"])?;
    assert_eq!(diff.success()?, "nothing changes\n");
    let before = State::of(host)?;
    director.stop()?;
    director.start()?;
    let after = State::of(host)?;
    assert_eq!((after.list, after.file), (before.list, before.file));
    Ok(())
}

/// Says it, and returns the whole answer. After a request that may lack its end nothing more is to come, which the daemon
/// may take for a client that has gone.
fn said(socket: &Path, request: &[u8], is_broken: bool) -> Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // It may be refused before all of it is said.
    let _ = stream.write_all(request);
    if is_broken {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("no answer")?;
    Ok(String::from_utf8(answer)?)
}

/// Returns the status of an answer that is one, 0 of none at all: JSON, with one line that says why if it refuses.
fn check(answer: &str) -> Result<u16> {
    if answer.is_empty() {
        return Ok(0);
    }
    let status = answer.get(9..12).context("no status")?.parse()?;
    ensure!(status < 500, "the daemon is at fault");
    if status == 200 || body(answer)?.is_empty() {
        return Ok(status);
    }
    // Behind it there may be another one, to what is left of the request.
    let mut answers = serde_json::Deserializer::from_str(body(answer)?).into_iter::<Value>();
    let refusal = answers.next().context("no JSON")??;
    let error = refusal["error"].as_str().unwrap_or_default();
    ensure!(
        !error.is_empty() && !error.contains('\n'),
        "not a line that says why"
    );
    Ok(status)
}

fn body(answer: &str) -> Result<&str> {
    let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
    Ok(body)
}

//! The daemon's socket, as a script with `curl` sees it.

use std::{
    io::Write as _,
    os::unix::net::UnixStream,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::Value;
use tests::Host;

use crate::{CONFIG, State, site};

const ADD: &str = r#"[{"op": "add-service", "service": "tcp/10.2.0.100:81"}]"#;

/// What is asked, the status, and the refusal.
#[rustfmt::skip]
const REFUSED: [(&str, &[&str], u16, &str); 16] = [
    ("no such path", &["/v1/service"], 404, "there is no such path"),
    ("GET for POST", &["/v1/changes"], 405, "wrong method for this path: what changes is asked by POST, the rest by GET"),
    ("POST for GET", &["-d", "[]", "/v1/services"], 405, "wrong method for this path: what changes is asked by POST, the rest by GET"),
    ("DELETE", &["-X", "DELETE", "/v1/status"], 405, "wrong method for this path: what changes is asked by POST, the rest by GET"),
    ("no JSON", &["-d", "nonsense", "/v1/changes"], 400, "Failed to parse the request body as JSON: expected ident at line 1 column 2"),
    ("half", &["-d", "[{\"op\"", "/v1/changes"], 400, "Failed to parse the request body as JSON: [0]: EOF while parsing an object at line 1 column 6"),
    ("no list", &["-d", "{}", "/v1/changes"], 422, "Failed to deserialize the JSON body into the target type: invalid type: map, expected a sequence at line 1 column 0"),
    ("unknown op", &["-d", r#"[{"op": "explode"}]"#, "/v1/changes"], 422, "Failed to deserialize the JSON body into the target type: [0].op: unknown variant `explode`, expected one of `add-service`, `edit-service`, `remove-service`, `add-real`, `edit-real`, `remove-real`, `clear`, `set-timeouts` at line 1 column 17"),
    ("unknown key", &["-d", r#"[{"op": "remove-service", "service": "tcp/10.2.0.100:80", "now": 1}]"#, "/v1/changes"], 422, "Failed to deserialize the JSON body into the target type: [0]: unknown field `now`, expected `service` at line 1 column 68"),
    ("bad weight", &["-d", r#"[{"op": "edit-real", "service": "tcp/10.2.0.100:80", "address": "10.2.0.2", "weight": 65536}]"#, "/v1/changes"], 422, "weight 65536 is out of range; it is from 0 (quiesced) to 65535"),
    ("all or none", &["-d", r#"[{"op": "add-service", "service": "tcp/10.2.0.100:81"}, {"op": "add-service", "service": "tcp/10.2.0.100:80"}]"#, "/v1/changes"], 422, "service tcp/10.2.0.100:80 exists already"),
    ("unknown key of a service", &["-d", r#"[{"op": "add-service", "service": "tcp/10.2.0.100:81", "persistent": 1}]"#, "/v1/changes"], 422, "Failed to deserialize the JSON body into the target type: [0]: unknown field `persistent`, expected one of `service`, `also`, `not_also`, `scheduler`, `flags`, `persistence`, `persistence_prefix`, `one_packet`, `expire_quiescent`, `expire_nodest`, `no_member`, `quorum`, `hysteresis`, `sorry_server`, `inhibit_on_failure`, `slow_start`, `drain` at line 1 column 72"),
    ("no limit", &["/v1/flows?limit=0"], 422, "the limit is from 1 to 1048576 flows"),
    ("flows of no service", &["/v1/flows?service=tcp/10.2.0.100:82"], 422, "there is no service tcp/10.2.0.100:82; `drover list` shows those there are"),
    ("bad client", &["/v1/flows?client=10.2"], 400, "Failed to deserialize query string: client: `10.2` is not an address or a prefix, as in 192.0.2.9 or 2001:db8::/32"),
    ("bad query", &["/v1/services?al=true"], 400, "Failed to deserialize query string: al: unknown field `al`, expected `all`"),
];

#[test]
fn what_is_refused_is_refused_in_json() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let before = State::of(host)?;
    for (what, words, status, why) in &REFUSED {
        assert_eq!(
            ask(host, &[], words)?,
            (*status, (*why).to_owned()),
            "{what}"
        );
        assert_eq!(State::of(host)?, before, "{what}");
    }
    let huge = lab.dir().join("huge.json");
    std::fs::write(&huge, vec![b' '; (33 << 20) + 1])?;
    let data = format!("@{}", huge.display());
    let refused = ask(host, &[], &["--data-binary", &data, "/v1/changes"])?;
    assert_eq!(
        refused,
        (
            413,
            "Failed to buffer the request body: length limit exceeded".into()
        )
    );
    assert_eq!(State::of(host)?, before, "huge");

    // Whoever the group lets in may read, and only that.
    host.sh(&format!(
        "chmod 666 {}",
        host.dir().join("director.sock").display()
    ))?;
    let nobody = [
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
    ];
    for words in [
        &["-d", ADD, "/v1/changes"][..],
        &["-d", "", "/v1/reload"],
        &["-d", "junk", "/v1/changes"],
    ] {
        let refused = ask(host, &nobody, words)?;
        assert_eq!(
            refused,
            (403, "only root may change anything".into()),
            "{words:?}"
        );
        assert_eq!(State::of(host)?, before, "{words:?}");
    }
    assert_eq!(ask(host, &nobody, &["/v1/services"])?.0, 200);
    Ok(())
}

/// The paths of the document are those that there are, and what is answered is as it says.
#[test]
fn the_document_is_of_what_is_answered() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let socket = host.dir().join("director.sock").display().to_string();
    let get = |path: &str| -> Result<Value> {
        let url = format!("http://drover{path}");
        let words = ["curl", "-sS", "--unix-socket", &socket, &url];
        Ok(serde_json::from_str(&host.run(&words)?.success()?)?)
    };
    let document = get("/v1/openapi.json")?;
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 16);
    for (path, methods) in paths {
        for method in methods.as_object().expect("methods").keys() {
            // Of what changes things, no body: refused, but not for its path or method.
            let status = match method.as_str() {
                _ if path == "/v1/events" => continue,
                "get" => ask(host, &[], &[path])?.0,
                _ => ask(host, &[], &["-X", "POST", path])?.0,
            };
            assert!(![404, 405].contains(&status), "{method} {path}: {status}");
        }
    }
    for (path, name) in [("/v1/status", "Status"), ("/v1/timeouts", "Timeouts")] {
        let schema = &document["components"]["schemas"][name];
        let said = get(path)?;
        let keys = |value: &Value| -> Vec<String> {
            let keys = value.as_object().into_iter().flatten();
            let mut keys: Vec<_> = keys.map(|(key, _)| key.clone()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&said), keys(&schema["properties"]), "{name}");
    }
    Ok(())
}

/// Sockets that say nothing, slowly, or half of it; root's own are no more than those of others.
#[test]
fn clients_that_only_wait_keep_nobody_out_for_long() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let socket = host.dir().join("director.sock");
    let mut waiting = Vec::new();
    for i in 0..1000 {
        let mut stream = UnixStream::connect(&socket)?;
        stream.set_write_timeout(Some(Duration::from_secs(1)))?;
        // Whoever is turned away may be told before it has said anything.
        let _ = match i % 3 {
            0 => Ok(()),
            1 => stream.write_all(b"GET /v1/sta"),
            _ => stream.write_all(
                b"POST /v1/changes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[",
            ),
        };
        waiting.push(stream);
    }
    // Of those turned away as many are told why.
    let refused = host.drover(&["list"])?;
    let is_told = ["there are 64 connections already", "the daemon hung up"];
    assert!(
        is_told.iter().any(|why| refused.stderr.contains(why)),
        "{}",
        refused.stderr
    );
    let deadline = Instant::now() + Duration::from_secs(40);
    while !host.drover(&["list"])?.status.success() {
        assert!(Instant::now() < deadline, "they are still there");
        sleep(Duration::from_millis(200));
    }
    drop(waiting);
    Ok(())
}

/// A file is more than a request may be that has none.
#[test]
fn a_file_of_megabytes_is_applied() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let large = lab.dir().join("large.toml");
    std::fs::write(
        &large,
        format!("{}{CONFIG}", "# \"a comment\"\n".repeat(150_000)),
    )?;
    let large = large.display().to_string();
    let applied = host.drover(&["apply", &large])?.success()?;
    assert_eq!(applied, "nothing changes\n");
    Ok(())
}

fn ask(host: &Host, who: &[&str], words: &[&str]) -> Result<(u16, String)> {
    let socket = host.dir().join("director.sock").display().to_string();
    let (path, options) = words.split_last().expect("a path");
    let url = format!("http://drover{path}");
    let curl = [
        "curl",
        "-sS",
        "-H",
        "content-type: application/json",
        "-w",
        "\n%{http_code}",
        "--unix-socket",
        &socket,
    ];
    let all: Vec<&str> = [who, &curl, options, &[&url]].concat();
    let said = host.run(&all)?.success()?;
    let (body, status) = said.rsplit_once('\n').expect("a status behind the body");
    let body: Value =
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{words:?}: {body:?} is not JSON"));
    Ok((
        status.parse()?,
        body["error"].as_str().unwrap_or_default().to_owned(),
    ))
}

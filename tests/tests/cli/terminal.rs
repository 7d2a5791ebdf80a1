//! What is printed on a terminal: as narrow as that, and in colours. A file has the whole, and none.

use std::{net::Ipv4Addr, process::Stdio};

use anyhow::{Context as _, Result};
use tests::{Director, Host, Lab, wait};

const CONFIG: &str = r#"
[director]
interfaces = ["eth0"]

[[service]]
listen = "tcp/10.2.0.100:80"
[[service.real]]
address = "10.2.0.2"
[[service.real]]
address = "10.2.0.3"
weight = 0
[[service.real]]
address = "10.2.0.4"

[[service]]
listen = [
    "udp/[2001:db8:1111:2222:3333:4444:5555:100]:5353",
    "tcp/[2001:db8:1111:2222:3333:4444:5555:100]:5353",
]
persistence = 300
persistence_prefix = 64
[[service.real]]
address = "2001:db8:1111:2222:3333:4444:5555:2"
[[service.real]]
address = "2001:db8:1111:2222:3333:4444:5555:4"
"#;

/// Of a terminal with colours.
const XTERM: [(&str, &str); 1] = [("TERM", "xterm-256color")];

/// Real servers of all moods, and a flow of each IP version.
fn site() -> Result<(Lab, Director)> {
    let hosts = [
        ("director", 5),
        ("server2", 2),
        ("server3", 3),
        ("client", 9),
    ];
    let address = |last| Ipv4Addr::new(10, 2, 0, last);
    let lab = Lab::new(&hosts.map(|(name, last)| (name, address(last))))?;
    for (name, last) in hosts {
        let add = format!("ip addr add 2001:db8:1111:2222:3333:4444:5555:{last}/64 dev eth0 nodad");
        lab.host(name).sh(&add)?;
    }
    let host = lab.host("director");
    let director = host.director(CONFIG)?;
    wait("the real servers are known", || {
        let list = host.drover(&["list"])?.success()?;
        Ok(list.matches(" active").count() == 2 && list.contains("quiesced"))
    })?;
    // Nobody answers, and it is no matter.
    let connect = "timeout 0.2 bash -c 'echo >/dev/tcp/10.2.0.100/80'
        echo >/dev/udp/2001:db8:1111:2222:3333:4444:5555:100/5353";
    lab.host("client").run(&["bash", "-c", connect])?;
    wait("there are flows", || {
        Ok(host.drover(&["flows"])?.success()?.lines().count() >= 3)
    })?;
    Ok((lab, director))
}

/// What `drover` writes to a terminal of so many columns, each octet of it.
fn on_terminal(
    host: &Host,
    columns: usize,
    environment: &[(&str, &str)],
    words: &[&str],
) -> Result<String> {
    let words = host.drover_words(words);
    let words = words.iter().map(|it| format!("'{}'", it.to_string_lossy()));
    let line = words.collect::<Vec<_>>().join(" ");
    let line = format!("stty rows 24 cols {columns}; exec {line}");
    let mut command = host.command("timeout");
    command.args(["20", "script", "-qec", &line, "/dev/null"]);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    let command = command.envs(environment.iter().copied());
    let output = command.stdin(Stdio::null()).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

/// Its lines, as somebody sees them who has a terminal that is wide enough.
fn seen(written: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut terminal = vt100::Parser::new(1, 512, 0);
        terminal.process(line.as_bytes());
        terminal.screen().contents()
    };
    written.split_terminator("\r\n").map(line).collect()
}

/// Without what goes on while it is read, and what a narrow listing calls otherwise.
fn words(lines: &[String]) -> String {
    let is_time = |word: &str| {
        let word = word.trim_end_matches(':');
        let digits = word.trim_end_matches(['s', 'm']).replace(':', "");
        digits.len() < word.len() && digits.chars().all(|it| it.is_ascii_digit())
    };
    let renamed = [
        "Forward",
        "Route",
        "ActiveConn",
        "InActConn",
        "Active",
        "InAct",
    ];
    let words = lines.iter().flat_map(|it| it.split_whitespace());
    let words = words.filter(|it| !is_time(it) && !renamed.contains(it));
    // A path that is wider than a line is in two.
    words.collect()
}

#[track_caller]
fn assert_fits(lines: &[String], columns: usize) {
    for line in lines {
        // What is to be copied is as long as it has to be.
        let fits = line.chars().count() <= columns || line.trim_start().starts_with("fix");
        assert!(fits, "wider than {columns}: {line}\n{lines:#?}");
    }
}

#[test]
fn a_terminal_has_all_that_a_file_has_in_lines_that_fit() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let other = lab.dir().join("other.toml");
    std::fs::write(
        &other,
        CONFIG.replace("persistence = 300", "persistence = 300\nquorum = 2"),
    )?;
    let diff: &[&str] = &["diff", &other.to_string_lossy()];
    for (command, widths) in [
        (&["list"][..], &[60, 80, 120][..]),
        (&["list", "--stats"], &[60]),
        (&["flows"], &[60, 80, 120]),
        (&["stats"], &[60, 80]),
        (&["status"], &[60]),
        (&["events"], &[60]),
        (diff, &[60]),
    ] {
        for &columns in widths {
            let mut lines = Vec::new();
            let same = wait("the same words are there", || {
                lines = seen(&on_terminal(host, columns, &XTERM, command)?);
                let file = host.drover(command)?.success()?;
                let file: Vec<String> = file.lines().map(String::from).collect();
                Ok(words(&lines) == words(&file))
            });
            same.with_context(|| format!("{command:?}, {columns} columns: {lines:#?}"))?;
            assert_fits(&lines, columns);
        }
    }
    let packet = ["explain", "udp", "10.2.0.9:7", "10.2.0.100:53"];
    for command in [&packet[..], &["doctor"]] {
        let lines = seen(&on_terminal(host, 60, &XTERM, command)?);
        assert!(lines.len() > 3, "{lines:?}");
        assert_fits(&lines, 60);
    }
    let server = lab.host("server2");
    let attach = ["attach", "--interface", "eth0", "--vip", "10.2.0.100"];
    server
        .drover(&[&["realserver"], &attach[..]].concat())?
        .success()?;
    let lines = seen(&on_terminal(server, 60, &XTERM, &["realserver", "status"])?);
    assert!(lines.len() > 4, "{lines:?}");
    assert_fits(&lines, 60);
    Ok(())
}

#[test]
fn colours_are_on_a_terminal_that_wants_them() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let list = on_terminal(host, 80, &XTERM, &["list"])?;
    for coloured in [
        "\x1b[32mactive\x1b[0m",
        "\x1b[33mquiesced\x1b[0m",
        "\x1b[31munresolved\x1b[0m",
    ] {
        assert!(list.contains(coloured), "{list:?}");
    }
    for (command, environment) in [
        (&["list"][..], &[XTERM[0], ("NO_COLOR", "1")][..]),
        (&["list"], &[("TERM", "dumb")]),
        (&["list", "-o", "json"], &XTERM),
        (&["events", "-o", "json"], &XTERM),
    ] {
        let written = on_terminal(host, 80, environment, command)?;
        assert!(written.contains("active"), "{written:?}");
        assert!(!written.contains('\x1b'), "{written:?}");
    }
    for command in ["list", "stats", "events", "status"] {
        let file = host.drover(&[command])?.success()?;
        assert!(!file.contains('\x1b'), "{file:?}");
    }
    Ok(())
}

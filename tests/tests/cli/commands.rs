//! Commands that are wrong, and what right ones leave of the file.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::{CONFIG, State, assert_refused, lab, site};

const WEB: &str = "tcp/10.2.0.100:80";
const NONE: &str = "tcp/10.2.0.101:80";

/// What is refused, and why.
#[rustfmt::skip]
const REFUSED: [(&[&str], &str); 14] = [
    (&["service", "add", WEB], "service tcp/10.2.0.100:80 exists already"),
    (&["service", "edit", NONE, "-s", "rr"], "there is no service tcp/10.2.0.101:80; `drover list` shows those there are"),
    (&["service", "edit", WEB, "-b", "mh-port"], "incompatible scheduler flag `mh-port`; it is for mh, and the scheduler is rr"),
    (&["service", "remove", NONE], "there is no service tcp/10.2.0.101:80; `drover list` shows those there are"),
    (&["service", "remove", "udp/10.2.0.100:80"], "there is no service udp/10.2.0.100:80; `drover list` shows those there are"),
    (&["real", "add", NONE, "10.2.0.2"], "there is no service tcp/10.2.0.101:80; `drover list` shows those there are"),
    (&["real", "add", WEB, "10.2.0.2"], "service tcp/10.2.0.100:80 has real server 10.2.0.2 already"),
    (&["real", "add", WEB, "10.9.0.2"], "service tcp/10.2.0.100:80: real server 10.9.0.2 is not on the link of eth0 (10.2.0.5/24); direct routing reaches it by its MAC alone"),
    (&["real", "add", WEB, "10.2.0.5"], "service tcp/10.2.0.100:80: real server 10.2.0.5 is this director itself"),
    (&["real", "add", WEB, "10.2.0.100"], "real server 10.2.0.100 is the VIP itself; give the RIP"),
    (&["real", "add", WEB, "10.2.0.255"], "service tcp/10.2.0.100:80: real server 10.2.0.255 is the broadcast address of 10.2.0.0/24; give a host's"),
    (&["real", "edit", WEB, "10.2.0.9", "-w", "1"], "service tcp/10.2.0.100:80 has no real server 10.2.0.9"),
    (&["real", "remove", WEB, "10.2.0.9"], "service tcp/10.2.0.100:80 has no real server 10.2.0.9"),
    (&["real", "remove", NONE, "10.2.0.2"], "there is no service tcp/10.2.0.101:80; `drover list` shows those there are"),
];

/// What is no command, and what is said first about it.
#[rustfmt::skip]
const USAGE: [(&[&str], &str); 16] = [
    (&["service", "add", WEB, "-s", "lcx"], "error: invalid value 'lcx' for '--scheduler <SCHEDULER>'\n  [possible values: rr, wrr, lc, wlc, sed, nq, sh, dh, mh, lblc, lblcr, fo, ovf, twos]\n"),
    (&["service", "add", "tcp/10.2.0.100:0"], "error: invalid value 'tcp/10.2.0.100:0' for '<PROTOCOL/VIP:PORT>': bad service `tcp/10.2.0.100:0`: `0` is not a port from 1 to 65535\n"),
    (&["service", "add", "10.2.0.100:80"], "error: invalid value '10.2.0.100:80' for '<PROTOCOL/VIP:PORT>': bad service `10.2.0.100:80`: want PROTOCOL/VIP:PORT, as in tcp/192.0.2.1:80\n"),
    (&["service", "edit", WEB], "error: the following required arguments were not provided:\n  --scheduler <SCHEDULER>\n"),
    (&["service", "addd", WEB], "error: unrecognized subcommand 'addd'\n\n  tip: a similar subcommand exists: 'add'\n"),
    (&["real", "add", WEB], "error: the following required arguments were not provided:\n  <RIP>\n"),
    (&["real", "add", WEB, "web2"], "error: invalid value 'web2' for '<RIP>': `web2` is not an IPv4 address\n"),
    (&["real", "add", WEB, "10.2.0.9", "-w", "-1"], "error: invalid value '-1' for '--weight <WEIGHT>': weight -1 is out of range; it is from 0 (quiesced) to 65535\n"),
    (&["real", "add", WEB, "10.2.0.9", "-w", "65536"], "error: invalid value '65536' for '--weight <WEIGHT>': weight 65536 is out of range; it is from 0 (quiesced) to 65535\n"),
    (&["real", "edit", WEB, "10.2.0.2", "-w", "heavy"], "error: invalid value 'heavy' for '--weight <WEIGHT>': it is a number from 0 (quiesced) to 65535\n"),
    (&["real", "edit", WEB, "10.2.0.2"], "error: the following required arguments were not provided:\n  --weight <WEIGHT>\n"),
    (&["srvice"], "error: unrecognized subcommand 'srvice'\n\n  tip: a similar subcommand exists: 'service'\n"),
    (&["list", "-o", "yaml"], "error: invalid value 'yaml' for '--output <OUTPUT>'\n  [possible values: table, json]\n"),
    (&["reload", "now"], "error: unexpected argument 'now' found\n"),
    (&["list", "--stat"], "error: unexpected argument '--stat' found\n\n  tip: a similar argument exists: '--stats'\n"),
    (&[], "error: 'drover' requires a subcommand but one was not provided\n"),
];

#[test]
fn a_command_that_is_refused_changes_nothing() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let before = State::of(host)?;
    for (words, why) in REFUSED {
        assert_refused(&words.join(" "), &host.drover(words)?, why);
        assert_eq!(State::of(host)?, before, "{words:?}");
    }
    for (words, why) in USAGE {
        let output = host.drover(words)?;
        assert!(
            output.stderr.starts_with(why),
            "{words:?}: {}",
            output.stderr
        );
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(State::of(host)?, before, "{words:?}");
    }
    Ok(())
}

#[test]
fn a_command_changes_what_it_says_and_no_comment() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let two = "# Server two.\n[[service.real]] # two\naddress = \"10.2.0.2\" # rack 1\nweight = 7 # big\n\n";
    let steps: [(&[&str], &str, &str); 9] = [
        (
            &["service", "edit", WEB, "-s", "wrr"],
            "\"rr\" #",
            "\"wrr\" #",
        ),
        (
            &["real", "edit", WEB, "10.2.0.2", "-w", "7"],
            "2 # big",
            "7 # big",
        ),
        (
            &["real", "edit", WEB, "10.2.0.3", "-w", "0"],
            "\"10.2.0.3\"\n",
            "\"10.2.0.3\"\nweight = 0\n",
        ),
        (
            &["real", "add", WEB, "10.2.0.4", "-w", "3"],
            "weight = 0\n\n",
            "weight = 0\n\n[[service.real]]\naddress = \"10.2.0.4\"\nweight = 3\n\n",
        ),
        (
            &["service", "add", "tcp/10.2.0.100:81", "-s", "mh"],
            ":53\"\n# The end.\n",
            ":53\"\n\n[[service]]\nlisten = \"tcp/10.2.0.100:81\"\nscheduler = \"mh\"\n# The end.\n",
        ),
        (
            &["real", "remove", WEB, "10.2.0.4"],
            "[[service.real]]\naddress = \"10.2.0.4\"\nweight = 3\n\n",
            "",
        ),
        // What is written above a table is about it, and goes with it.
        (&["real", "remove", WEB, "10.2.0.2"], two, ""),
        (
            &["service", "remove", "udp/10.2.0.100:53"],
            "# DNS.\n[[service]]\nlisten = \"udp/10.2.0.100:53\"\n\n",
            "",
        ),
        (&["service", "edit", WEB, "-s", "wrr"], "", ""),
    ];
    let mut text = CONFIG.to_owned();
    for (words, from, to) in steps {
        assert!(text.contains(from), "{words:?}: {text}");
        text = text.replacen(from, to, 1);
        host.drover(words)?.success()?;
        assert_eq!(
            fs::read_to_string(host.director_config())?,
            text,
            "{words:?}"
        );
    }
    Ok(())
}

#[test]
fn a_file_written_inline_is_for_the_editor() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let inline =
        "service = [{ listen = \"tcp/10.2.0.100:80\" }]\n[director]\ninterfaces = [\"eth0\"]\n";
    let _director = host.director(inline)?;
    let before = State::of(host)?;
    let output = host.drover(&["real", "add", WEB, "10.2.0.2"])?;
    let line = "`service` is written inline; only [[service]] tables can be edited by command";
    assert_refused("inline", &output, line);
    assert_eq!(State::of(host)?, before);
    Ok(())
}

#[test]
fn the_listing_has_the_keys_that_are_documented() -> Result<()> {
    let (lab, _director) = site()?;
    let list = lab
        .host("director")
        .drover(&["list", "-o", "json"])?
        .success()?;
    let list: Value = serde_json::from_str(&list)?;
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&list[0]), ["flags", "reals", "scheduler", "service"]);
    let real = [
        "active",
        "address",
        "bytes",
        "connections",
        "inactive",
        "mac",
        "packets",
        "reason",
        "state",
        "weight",
    ];
    assert_eq!(keys(&list[0]["reals"][0]), real);
    assert_eq!(
        list[0]["reals"][0]["reason"],
        "nobody answers ARP for 10.2.0.2 on eth0"
    );
    assert_eq!(
        list[1],
        serde_json::json!({"service": "udp/10.2.0.100:53", "scheduler": "wrr", "flags": [], "reals": []})
    );
    Ok(())
}

//! Commands that are wrong, and what right ones leave of the file.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::{CONFIG, State, assert_refused, lab, site};

const WEB: &str = "tcp/10.2.0.100:80";
const NONE: &str = "tcp/10.2.0.101:80";
/// A service of several destinations, and one of them.
const GROUP: &str = "tcp/10.2.0.102:443";
const MORE: &str = "tcp/10.2.0.102:444";

/// What is refused, and why.
#[rustfmt::skip]
const REFUSED: [(&[&str], &str); 33] = [
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
    (&["service", "edit", WEB, "-p", "2678401"], "`persistence` is from 1 to 2678400 seconds (31 days)"),
    (&["service", "edit", WEB, "-M", "24"], "`persistence_prefix` without `persistence`; say for how many seconds"),
    (&["service", "edit", WEB, "-p", "9", "-M", "33"], "`persistence_prefix` is from 1 to 32"),
    (&["service", "add", "tcp/[2001:db8::1]:80", "-p", "9", "-M", "255.255.255.0"], "VIP 2001:db8::1 is IPv6; give --netmask as a prefix length, from 1 to 128"),
    (&["service", "edit", WEB, "-o"], "one-packet scheduling is only for UDP services, and tcp/10.2.0.100:80 is none"),
    (&["real", "edit", WEB, "10.2.0.2", "-y", "5"], "`lower_threshold` 5 is above `upper_threshold` 0"),
    (&["timeouts", "set", "--udp", "0"], "`udp` is from 1 to 2678400 seconds (31 days)"),
    (&["service", "add", MORE], "tcp/10.2.0.102:444 is part of service tcp/10.2.0.102:443 already"),
    (&["service", "add", NONE, "--also", MORE], "tcp/10.2.0.102:444 is part of service tcp/10.2.0.102:443 already"),
    (&["service", "add", NONE, "--also", NONE], "tcp/10.2.0.101:80 is part of service tcp/10.2.0.101:80 already"),
    (&["service", "edit", WEB, "--also", "udp/10.2.0.100:53"], "service udp/10.2.0.100:53 exists already"),
    (&["service", "edit", WEB, "--also", "tcp/[2001:db8::1]:80"], "tcp/[2001:db8::1]:80 and tcp/10.2.0.100:80 differ in IP version; make it another service"),
    (&["service", "edit", WEB, "--not-also", MORE], "tcp/10.2.0.102:444 is not part of service tcp/10.2.0.100:80"),
    (&["service", "edit", GROUP, "--not-also", GROUP], "tcp/10.2.0.102:443 is the service's name; to give it another, write that first in `listen`, and reload"),
    (&["real", "add", MORE, "10.2.0.2"], "tcp/10.2.0.102:444 is part of service tcp/10.2.0.102:443; give that name"),
    (&["flows", "--service", MORE], "tcp/10.2.0.102:444 is part of service tcp/10.2.0.102:443; give that name"),
    (&["stats", NONE], "there is no service tcp/10.2.0.101:80; `drover list` shows those there are"),
    (&["top"], "`drover top` needs a terminal; for a file or a pipe, give -b, as in `drover top -b -n 1`"),
    (&["flows", "--service", NONE], "there is no service tcp/10.2.0.101:80; `drover list` shows those there are"),
];

/// What is no command, and what is said first about it.
#[rustfmt::skip]
const USAGE: [(&[&str], &str); 27] = [
    (&["service", "add", WEB, "-s", "lcx"], "error: invalid value 'lcx' for '--scheduler <SCHEDULER>'\n  [possible values: rr, wrr, lc, wlc, sed, nq, sh, dh, mh, lblc, lblcr, fo, ovf, twos]\n"),
    (&["service", "add", "tcp/10.2.0.100:0"], "error: invalid value 'tcp/10.2.0.100:0' for '<PROTOCOL/VIP:PORT>': bad service `tcp/10.2.0.100:0`: `0` is not a port from 1 to 65535, a range as in 8000-8099, or *\n"),
    (&["service", "add", "10.2.0.100:80"], "error: invalid value '10.2.0.100:80' for '<PROTOCOL/VIP:PORT>': bad service `10.2.0.100:80`: want PROTOCOL/VIP:PORT, as in tcp/192.0.2.1:80 or tcp/[2001:db8::1]:80\n"),
    (&["service", "edit", WEB], "error: the following required arguments were not provided:\n  <--also <PROTOCOL/VIP:PORT>|--not-also <PROTOCOL/VIP:PORT>|--scheduler <SCHEDULER>|--flags <FLAG,…>|--persistent <SECONDS>|--netmask <PREFIX|MASK>|--ops[=<BOOL>]|--expire-quiescent[=<BOOL>]|--expire-nodest[=<BOOL>]|--no-member <FATE>|--quorum <WEIGHT>|--hysteresis <WEIGHT>|--sorry-server <RIP|none>|--inhibit-on-failure[=<BOOL>]|--slow-start <SECONDS>|--drain <SECONDS>>\n"),
    (&["service", "addd", WEB], "error: unrecognized subcommand 'addd'\n\n  tip: a similar subcommand exists: 'add'\n"),
    (&["real", "add", WEB], "error: the following required arguments were not provided:\n  <RIP>\n"),
    (&["real", "add", WEB, "web2"], "error: invalid value 'web2' for '<RIP>': `web2` is not an IP address\n"),
    (&["real", "add", WEB, "10.2.0.9", "-w", "-1"], "error: invalid value '-1' for '--weight <WEIGHT>': weight -1 is out of range; it is from 0 (quiesced) to 65535\n"),
    (&["real", "add", WEB, "10.2.0.9", "-w", "65536"], "error: invalid value '65536' for '--weight <WEIGHT>': weight 65536 is out of range; it is from 0 (quiesced) to 65535\n"),
    (&["real", "edit", WEB, "10.2.0.2", "-w", "heavy"], "error: invalid value 'heavy' for '--weight <WEIGHT>': it is a number from 0 (quiesced) to 65535\n"),
    (&["real", "edit", WEB, "10.2.0.2"], "error: the following required arguments were not provided:\n  <--weight <WEIGHT>|--u-threshold <N>|--l-threshold <N>>\n"),
    (&["service", "edit", WEB, "-p", "-1"], "error: unexpected argument '-1' found\n"),
    (&["service", "add", NONE, "-M", "255.0.255.0"], "error: invalid value '255.0.255.0' for '--netmask <PREFIX|MASK>': it is a prefix length from 1, or a mask as in 255.255.255.0\n"),
    (&["service", "edit", WEB, "--ops=perhaps"], "error: invalid value 'perhaps' for '--ops[=<BOOL>]'\n  [possible values: true, false]\n"),
    (&["service", "edit", WEB, "--no-member", "dorp"], "error: invalid value 'dorp' for '--no-member <FATE>'\n  [possible values: reject, drop]\n"),
    (&["real", "edit", WEB, "10.2.0.2", "-x", "many"], "error: invalid value 'many' for '--u-threshold <N>': invalid digit found in string\n"),
    (&["timeouts", "set"], "error: the following required arguments were not provided:\n  <--tcp <SECONDS>|--tcpfin <SECONDS>|--udp <SECONDS>>\n"),
    (&["flows", "--client", "10.2.0"], "error: invalid value '10.2.0' for '--client <ADDRESS[/PREFIX]>': `10.2.0` is not an address or a prefix, as in 192.0.2.9 or 2001:db8::/32\n"),
    (&["flows", "--state", "TIME_WAIT"], "error: invalid value 'TIME_WAIT' for '--state <STATE>'\n  [possible values: SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE, UDP, NONE]\n"),
    (&["stats", "--interval", "0.4"], "error: invalid value '0.4' for '--interval <S>': it is a number of seconds from 0.5 to 60\n"),
    (&["top", "-d", "61"], "error: invalid value '61' for '--delay <SECONDS>': it is a number of seconds from 0.5 to 60\n"),
    (&["top", "-n", "1"], "error: the following required arguments were not provided:\n  --batch\n"),
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
    host.drover(&["service", "add", GROUP, "--also", MORE])?
        .success()?;
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
    let steps: [(&[&str], &str, &str); 19] = [
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
        (
            &[
                "service",
                "edit",
                WEB,
                "-p",
                "50",
                "-M",
                "255.255.255.0",
                "--expire-nodest",
            ],
            "\"wrr\" # in turn\n",
            "\"wrr\" # in turn\npersistence = 50\npersistence_prefix = 24\nexpire_nodest = true\n",
        ),
        (
            &[
                "service",
                "edit",
                WEB,
                "-M",
                "32",
                "--expire-nodest=false",
                "--no-member",
                "drop",
            ],
            "persistence_prefix = 24\nexpire_nodest = true\n",
            "no_member = \"drop\"\n",
        ),
        (
            &["service", "edit", WEB, "-p", "0", "--no-member", "reject"],
            "persistence = 50\nno_member = \"drop\"\n",
            "",
        ),
        (
            &["real", "edit", WEB, "10.2.0.3", "-x", "8", "-y", "4"],
            "weight = 0\n",
            "weight = 0\nupper_threshold = 8\nlower_threshold = 4\n",
        ),
        (
            &["real", "edit", WEB, "10.2.0.3", "-w", "1", "-y", "0"],
            "weight = 0\nupper_threshold = 8\nlower_threshold = 4\n",
            "weight = 1\nupper_threshold = 8\n",
        ),
        (
            &[
                "service",
                "edit",
                WEB,
                "--also",
                "tcp/10.2.0.100:443",
                "--also",
                "udp/10.2.0.102:443",
            ],
            "\"tcp/10.2.0.100:80\" #",
            "[\"tcp/10.2.0.100:80\", \"tcp/10.2.0.100:443\", \"udp/10.2.0.102:443\"] #",
        ),
        (
            &["service", "edit", WEB, "--not-also", "tcp/10.2.0.100:443"],
            " \"tcp/10.2.0.100:443\",",
            "",
        ),
        // The service is found by the first of its list.
        (
            &["real", "edit", WEB, "10.2.0.3", "-w", "2"],
            "weight = 1\n",
            "weight = 2\n",
        ),
        (
            &["timeouts", "set", "--tcp", "600", "--udp", "30"],
            "# the LAN\n",
            "# the LAN\n\n[director.timeouts]\ntcp = 600\nudp = 30\n",
        ),
        (
            &["timeouts", "set", "--tcp", "900", "--udp", "300"],
            "\n[director.timeouts]\ntcp = 600\nudp = 30\n",
            "",
        ),
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
fn timeouts_are_those_of_the_file() -> Result<()> {
    let (lab, director) = site()?;
    let host = lab.host("director");
    let told = || host.drover(&["timeouts"])?.success();
    assert_eq!(told()?, "Timeout (tcp tcpfin udp): 900 120 300\n");
    let timeouts = "[director.timeouts] # short\ntcpfin = 20 # seconds\n";
    let config = CONFIG.replace("# the LAN\n", &format!("# the LAN\n{timeouts}"));
    director.reload(&config)?.success()?;
    assert_eq!(told()?, "Timeout (tcp tcpfin udp): 900 20 300\n");
    host.drover(&["timeouts", "set", "--tcpfin", "21", "--tcp", "60"])?
        .success()?;
    assert_eq!(told()?, "Timeout (tcp tcpfin udp): 60 21 300\n");
    let text = fs::read_to_string(host.director_config())?;
    assert_eq!(
        text,
        config.replace("20 # seconds\n", "21 # seconds\ntcp = 60\n")
    );
    let json = host.drover(&["timeouts", "-o", "json"])?.success()?;
    let json: Value = serde_json::from_str(&json)?;
    assert_eq!(
        json,
        serde_json::json!({"tcp": 60, "tcpfin": 21, "udp": 300})
    );
    Ok(())
}

#[test]
fn flows_that_are_not_kept_by_address_are_not_listed() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let config = CONFIG.replace("# the LAN\n", "# the LAN\nflow_listing = false\n");
    let _director = host.director(&config)?;
    let line = "flows cannot be listed: the tables were made with `flow_listing = false`, without \
                addresses; take that out of the file, and reload";
    assert_refused("flows", &host.drover(&["flows"])?, line);
    let status = host.drover(&["status"])?.success()?;
    assert!(status.contains("0 of 1048576, 16 octets each"), "{status}");
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
    let service = [
        "expire_nodest",
        "expire_quiescent",
        "flags",
        "has_quorum",
        "listen",
        "one_packet",
        "persistence",
        "persistence_prefix",
        "quorum",
        "reals",
        "scheduler",
        "service",
        "slots",
        "slots_exceptions",
        "slots_moving",
    ];
    assert_eq!(keys(&list[0]), service);
    let real = [
        "active",
        "address",
        "agent",
        "bytes",
        "check",
        "connections",
        "inactive",
        "is_sorry",
        "lower_threshold",
        "mac",
        "packets",
        "persistent",
        "reason",
        "since",
        "slots",
        "state",
        "unanswered",
        "upper_threshold",
        "weight",
    ];
    assert_eq!(keys(&list[0]["reals"][0]), real);
    assert_eq!(
        list[0]["reals"][0]["reason"],
        "nobody answers ARP for 10.2.0.2 on eth0"
    );
    assert_eq!(
        list[1],
        serde_json::json!({
            "service": "udp/10.2.0.100:53", "listen": ["udp/10.2.0.100:53"], "reals": [],
            "scheduler": "wrr", "flags": [],
            "persistence": 0, "persistence_prefix": 0, "one_packet": false,
            "expire_quiescent": false, "expire_nodest": false,
            "quorum": 1, "has_quorum": false,
            "slots": 0, "slots_moving": 0, "slots_exceptions": 0,
        })
    );
    Ok(())
}

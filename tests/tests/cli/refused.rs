//! Commands that are wrong.

use anyhow::Result;

use crate::{State, assert_refused, commands::WEB, site};

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

//! `drover realserver attach`, wrongly.

use std::fs;

use anyhow::Result;

use crate::{assert_refused, lab};

/// Words behind `attach`, and why it is refused.
#[rustfmt::skip]
const REFUSED: [(&[&str], &str); 8] = [
    (&["--interface", "eth1", "--vip", "10.2.0.100"], "there is no interface eth1; did you mean `eth0`?"),
    (&["--interface", "lo", "--vip", "10.2.0.100"], "lo is where the VIPs are put; name the interface that faces the director"),
    (&["--interface", "eth0", "--interface", "eth0", "--vip", "10.2.0.100"], "interface eth0 is named twice"),
    (&["--interface", "eth0", "--vip", "10.2.0.100", "--vip", "10.2.0.100"], "VIP 10.2.0.100 is named twice"),
    (&["--interface", "eth0", "--vip", "10.2.0.300"], "`10.2.0.300` is no IP address; give a VIP, such as 172.25.138.100 or 2001:db8::100"),
    (&["--interface", "eth0", "--vip", "fe80::100"], "fe80::100 is a link-local address; give the VIP that clients connect to"),
    (&["--interface", "eth0", "--vip", "2001:db8::1", "--vip", "2001:db8:0::1"], "VIP 2001:db8::1 is named twice"),
    (&["--interface", "eth0", "--vip", "10.2.0.5"], "10.2.0.5 is an address of eth0 (10.2.0.5/24), by which this host is reached, so no VIP; if it is one, take it off: ip addr del 10.2.0.5/24 dev eth0"),
];

#[test]
fn a_real_server_that_is_refused_is_as_it_was() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let traces = || {
        let pins = host.pins().display();
        // The kernel's own link-local address comes when it comes.
        host.sh(&format!(
            "ip -oneline address | grep -v 'scope link'; ip -details link | grep -o 'xdp.*'; tc filter show dev eth0 egress; ls -A {pins}"
        ))
    };
    let before = traces()?;
    for (words, why) in REFUSED {
        let words = [&["realserver", "attach"], words].concat();
        assert_refused(&words.join(" "), &host.drover(&words)?, why);
        assert_eq!(traces()?, before, "{words:?}");
    }
    let file = host.dir().join("realserver.toml");
    let path = file.display().to_string();
    let words = ["realserver", "attach", "--config", &path];
    let line = format!("{path}: no such file; write it, or name another with --config");
    assert_refused("no file", &host.drover(&words)?, &line);
    fs::write(
        &file,
        "[realserver]\ninterfaces = [\"eth0\"]\nvip = [\"10.2.0.100\"]\n",
    )?;
    let line = format!("{path}:3:1: unknown key `vip`; did you mean `vips`?");
    assert_refused("mistyped", &host.drover(&words)?, &line);
    assert_eq!(traces()?, before);

    let usage = host.drover(&["realserver", "attach", "--vip", "10.2.0.100"])?;
    assert_eq!(usage.status.code(), Some(2), "{}", usage.stderr);
    Ok(())
}

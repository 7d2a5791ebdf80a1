use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    realserver::{Hook, RealServer},
    *,
};
#[test]
fn a_file_is_read() {
    let text = "[realserver]\ninterfaces = [\"eth0\", \"eth1\"]\nvips = [\"192.0.2.1\", \"2001:db8::1\"]\nhook = \"tc\"\n";
    let want = RealServer {
        interfaces: vec!["eth0".into(), "eth1".into()],
        vips: vec![
            Ipv4Addr::new(192, 0, 2, 1).into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
        ],
        hook: Hook::Tc,
    };
    assert_eq!(RealServer::parse(&Source::new("f", text)), Ok(want));
}

#[test]
fn every_mistake_is_told_in_one_line_with_its_place() {
    let vips = |vips: &str| format!("[realserver]\ninterfaces = [\"eth0\"]\nvips = {vips}\n");
    for (text, want) in [
        (
            "[realserver]\nintefaces = [\"eth0\"]\nvips = []".into(),
            "f:2:1: unknown key `intefaces`; did you mean `interfaces`?",
        ),
        (
            "[director]\n".into(),
            "f:1:2: unknown key `director`; one of: realserver",
        ),
        ("".into(), "f:1:1: the key `realserver` is missing; add it"),
        (
            "[realserver]\ninterfaces = [\"eth0\"]\n".into(),
            "f:1:1: the key `vips` is missing; add it",
        ),
        (
            "[realserver]\ninterfaces = []\nvips = []\n".into(),
            "f:2:14: the list is empty; name at least an interface",
        ),
        (
            "[realserver]\ninterfaces = [\"a\", \"a\"]\nvips = []\n".into(),
            "f:2:20: `a` is named twice; remove one",
        ),
        (vips("[]"), "f:3:8: the list is empty; name at least a VIP"),
        (
            vips("[\"192.0.2.1\",\n \"é\", \"192.0.2.1\"]"),
            "f:4:2: `é` is no IP address; give a VIP, such as 172.25.138.100 or 2001:db8::100",
        ),
        (
            vips("[\"192.0.2.1\", \"192.0.2.1\"]"),
            "f:3:22: `192.0.2.1` is named twice; remove one",
        ),
        (
            vips("[\"192.0.2.1/32\"]"),
            "f:3:9: `192.0.2.1/32` has a prefix length; give the VIP alone: it is always a /32",
        ),
        (
            vips("[\"2001:db8::1\", \"2001:0DB8:0::1\"]"),
            "f:3:24: `2001:0DB8:0::1` is named twice; remove one",
        ),
        (
            vips("[\"2001:db8::1/64\"]"),
            "f:3:9: `2001:db8::1/64` has a prefix length; give the VIP alone: it is always a /128",
        ),
        (
            vips("[\"fe80::1%eth0\"]"),
            "f:3:9: `fe80::1%eth0` is no IP address; give a VIP, such as 172.25.138.100 or 2001:db8::100",
        ),
        (
            vips("[\"::\"]"),
            "f:3:9: :: is no host's address; give the VIP that clients connect to",
        ),
        (
            vips("[\"::1\"]"),
            "f:3:9: ::1 is a loopback address; give the VIP that clients connect to",
        ),
        (
            vips("[\"ff02::1\"]"),
            "f:3:9: ff02::1 is a multicast address; give the VIP that clients connect to",
        ),
        (
            vips("[\"febf::1\"]"),
            "f:3:9: febf::1 is a link-local address; give the VIP that clients connect to",
        ),
        (
            vips("[\"::ffff:192.0.2.1\"]"),
            "f:3:9: ::ffff:192.0.2.1 is an IPv4 address mapped into IPv6; give the VIP that clients connect to",
        ),
        (
            vips("[\"0.0.0.0\"]"),
            "f:3:9: 0.0.0.0 is no host's address; give the VIP that clients connect to",
        ),
        (
            vips("[\"127.0.0.1\"]"),
            "f:3:9: 127.0.0.1 is a loopback address; give the VIP that clients connect to",
        ),
        (
            vips("[\"224.0.0.1\"]"),
            "f:3:9: 224.0.0.1 is a multicast address; give the VIP that clients connect to",
        ),
        (
            vips("[\"255.255.255.255\"]"),
            "f:3:9: 255.255.255.255 is a reserved address; give the VIP that clients connect to",
        ),
        (
            vips("[\"192.0.2.1\"]\nhook = \"tcx\""),
            "f:4:8: unknown value `tcx`; did you mean `tc`?",
        ),
        (
            vips("7"),
            "f:3:8: invalid type: integer `7`, expected an array",
        ),
        (
            vips("[\"192.0.2.1\""),
            "f:3:20: unclosed array, expected `]`",
        ),
    ] {
        let told = RealServer::parse(&Source::new("f", &*text))
            .unwrap_err()
            .to_string();
        assert_eq!(told, want, "{text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let missing = read::<toml::Table>(Path::new("/nowhere/f")).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "/nowhere/f: no such file; write it, or name another with --config"
    );
    let directory = read::<toml::Table>(Path::new("/")).unwrap_err();
    assert!(directory.to_string().starts_with("/: "), "{directory}");
}

#[test]
fn a_service_may_have_64_destinations_and_a_vip_16_ranges_of_ports() {
    let told = |names: Vec<String>| {
        let text =
            format!("[director]\ninterfaces = [\"eth0\"]\n[[service]]\nlisten = {names:?}\n");
        let config = director::Config::parse(Path::new("f"), &text);
        config
            .map(|it| it.services[0].also.len())
            .map_err(|it| it.what().to_owned())
    };
    let ports = |n: u32| {
        (1..=n)
            .map(|port| format!("tcp/192.0.2.1:{port}"))
            .collect()
    };
    assert_eq!(told(ports(64)), Ok(63));
    let what = "`tcp/192.0.2.1:65` is one too many; a service has 64 destinations at the most";
    assert_eq!(told(ports(65)), Err(what.to_owned()));
    let range = |protocol: &str, n: u32| format!("{protocol}/192.0.2.1:{n}000-{n}999");
    let ranges = |n: u32| -> Vec<_> { (1..=n).map(|n| range("tcp", n)).collect() };
    assert_eq!(told(ranges(16)), Ok(15));
    assert_eq!(told([ranges(16), vec![range("udp", 1)]].concat()), Ok(16));
    let what = "service tcp/192.0.2.1:17000-17999 is one too many; a VIP has 16 ranges of ports of a protocol at the most";
    assert_eq!(told(ranges(17)), Err(what.to_owned()));
}

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    realserver::{Hook, RealServer},
    *,
};
use crate::{
    api::{Change, RealChange, ServiceChange},
    scheduler::{Flag, Scheduler},
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

/// A change reads the part of the text that is its service's: the rest stays as it would otherwise.
#[test]
fn a_service_is_changed_as_the_whole_file_would_be() {
    let text = "\
# of the site
[director]
interfaces = [\"eth0\"]

# the first
[[service]] # here
listen = \"tcp/192.0.2.1:79\"

# the second
[[service]]
listen = \"tcp/192.0.2.1:80\"
  [[service.real]]
  address = \"192.0.2.2\" # by the door
  weight = 2 # for now

# the third
[[service]]
listen = \"tcp/192.0.2.1:81\"

[[service.real]]
address = \"192.0.2.2\"

# the fourth
[[service]]
listen = [\"tcp/192.0.2.1:82\", # one
  \"tcp/192.0.2.1:83\"]

[[service.real]]
address = \"192.0.2.2\"
# the end
";
    for (port, is_part) in [(79, false), (80, true), (81, true), (82, true)] {
        let service = format!("tcp/192.0.2.1:{port}").parse().unwrap();
        let address = Ipv4Addr::new(192, 0, 2, 2).into();
        let weight = Some(7);
        for change in [
            Change::EditService(ServiceChange {
                scheduler: Some(Scheduler::Mh),
                flags: vec![Flag::MhPort],
                ..ServiceChange::new(service)
            }),
            Change::AddReal(RealChange {
                weight,
                ..RealChange::new(service, Ipv4Addr::new(192, 0, 2, 3).into())
            }),
            Change::EditReal(RealChange {
                weight,
                ..RealChange::new(service, address)
            }),
            Change::RemoveReal { service, address },
        ] {
            assert_eq!(edit::part(text, &change).is_some(), is_part, "{change}");
            let edited = edit::edited_once(text, &change).map_err(|error| error.to_string());
            let whole = edit::edited_within(text, 0..text.len(), &change);
            assert_eq!(edited, whole.map_err(|error| error.to_string()), "{change}");
        }
    }
    // What is another service's is not seen in the part.
    let also = Change::EditService(ServiceChange {
        also: vec!["tcp/192.0.2.1:83".parse().unwrap()],
        ..ServiceChange::new("tcp/192.0.2.1:80".parse().unwrap())
    });
    let refused = edit::edited(text, &[also]).unwrap_err().to_string();
    let line = "tcp/192.0.2.1:83 is part of service tcp/192.0.2.1:82 already";
    assert_eq!(refused, line);
}

#[test]
fn a_scheduler_is_changed_with_its_flags() {
    let service = "tcp/192.0.2.1:80".parse().unwrap();
    let mut text = "[director]\ninterfaces = [\"eth0\"]\n".to_owned();
    let mut change = |change| {
        let (edited, config) = edit::edited(&text, &[change])?;
        text = edited;
        let service = &config.services[0];
        anyhow::Ok((service.scheduler, service.flags.clone()))
    };
    let edit = |scheduler, flags: &[Flag]| {
        Change::EditService(ServiceChange {
            scheduler,
            flags: flags.to_vec(),
            ..ServiceChange::new(service)
        })
    };
    let add = Change::AddService(ServiceChange {
        scheduler: Some(Scheduler::Sh),
        flags: vec![Flag::ShPort, Flag::ShFallback],
        ..ServiceChange::new(service)
    });
    let both = vec![Flag::ShFallback, Flag::ShPort];
    assert_eq!(change(add).unwrap(), (Scheduler::Sh, both.clone()));
    // What is not about the scheduler leaves it its flags.
    let persistent = Change::EditService(ServiceChange {
        persistence: Some(50),
        ..ServiceChange::new(service)
    });
    assert_eq!(change(persistent).unwrap(), (Scheduler::Sh, both));
    let edited = change(edit(None, &[Flag::ShPort])).unwrap();
    assert_eq!(edited, (Scheduler::Sh, vec![Flag::ShPort]));
    let edited = change(edit(Some(Scheduler::Wlc), &[])).unwrap();
    assert_eq!(edited, (Scheduler::Wlc, vec![]));
    let refused = change(edit(None, &[Flag::MhPort])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "incompatible scheduler flag `mh-port`; it is for mh, and the scheduler is wlc"
    );
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

/// What stands behind a destination goes with it, and all else stays.
#[test]
fn a_list_of_destinations_is_edited_as_by_hand() {
    let lines =
        "[ # all\n  \"tcp/192.0.2.1:80\", # web\n  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n]";
    let open = "[\n  \"tcp/192.0.2.1:80\", # web\n  \"tcp/192.0.2.1:443\" # tls\n]";
    for (listen, also, not_also, expected) in [
        (
            "\"tcp/192.0.2.1:80\"",
            "81",
            "",
            "[\"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:81\"]",
        ),
        (
            "[\"tcp/192.0.2.1:80\"]",
            "81",
            "",
            "[\"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:81\"]",
        ),
        (
            "[ \"tcp/192.0.2.1:80\" ]",
            "81",
            "",
            "[ \"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:81\" ]",
        ),
        (
            "[\"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:443\"]",
            "",
            "443",
            "[\"tcp/192.0.2.1:80\"]",
        ),
        (
            lines,
            "81",
            "",
            "[ # all\n  \"tcp/192.0.2.1:80\", # web\n  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n  \"tcp/192.0.2.1:81\",\n]",
        ),
        (
            lines,
            "",
            "443",
            "[ # all\n  \"tcp/192.0.2.1:80\", # web\n]",
        ),
        (
            lines,
            "81",
            "443",
            "[ # all\n  \"tcp/192.0.2.1:80\", # web\n  \"tcp/192.0.2.1:81\",\n]",
        ),
        (
            open,
            "81",
            "",
            "[\n  \"tcp/192.0.2.1:80\", # web\n  \"tcp/192.0.2.1:443\", # tls\n  \"tcp/192.0.2.1:81\"\n]",
        ),
        (open, "", "443", "[\n  \"tcp/192.0.2.1:80\" # web\n]"),
    ] {
        let names = |port: &str| -> Vec<_> {
            let name = (!port.is_empty()).then(|| format!("tcp/192.0.2.1:{port}"));
            name.iter().map(|name| name.parse().unwrap()).collect()
        };
        let change = Change::EditService(ServiceChange {
            also: names(also),
            not_also: names(not_also),
            ..ServiceChange::new("tcp/192.0.2.1:80".parse().unwrap())
        });
        let text = |listen| {
            format!(
                "[director]\ninterfaces = [\"eth0\"]\n\n[[service]]\nlisten = {listen} # here\n"
            )
        };
        let (edited, config) = edit::edited(&text(listen), &[change]).unwrap();
        assert_eq!(edited, text(expected), "{listen} + {also} - {not_also}");
        let more = usize::from(listen.contains("443")) + usize::from(!also.is_empty());
        assert_eq!(
            config.services[0].also.len(),
            more - usize::from(!not_also.is_empty())
        );
    }
    let middle = "[\n  \"tcp/192.0.2.1:80\", # web\n  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n  # the rest\n  \"tcp/192.0.2.1:81\", # other\n]";
    let text = format!("[director]\ninterfaces = [\"eth0\"]\n[[service]]\nlisten = {middle}\n");
    let change = Change::EditService(ServiceChange {
        not_also: vec!["tcp/192.0.2.1:443".parse().unwrap()],
        ..ServiceChange::new("tcp/192.0.2.1:80".parse().unwrap())
    });
    let (edited, _) = edit::edited(&text, &[change]).unwrap();
    let gone = "  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n";
    assert_eq!(edited, text.replace(gone, ""));
}

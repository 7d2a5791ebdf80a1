use std::path::Path;

use super::{super::director::Config, *};
use crate::health::check::Kind;

const TCP: &str = "tcp/192.0.2.1:80";

/// The check of a service, or what is wrong with it; `[service.check]` is on line 5.
fn read(listen: &str, lines: &str) -> Result<Check, String> {
    let text = format!(
        "[director]\ninterfaces = [\"eth0\"]\n[[service]]\nlisten = \"{listen}\"\n[service.check]\n{lines}\n"
    );
    let config = Config::parse(Path::new("f"), &text).map_err(|error| error.to_string())?;
    let check = config.services[0].check.as_ref();
    Ok(check.map(|it| (**it).clone()).expect("it is given"))
}

#[test]
fn a_kind_is_all_that_is_needed() {
    let want = Check {
        port: 80,
        interval: Duration::from_secs(2),
        timeout: Duration::from_secs(1),
        rise: 2,
        fall: 3,
        retries: 0,
        warmup: Duration::ZERO,
        kind: Kind::Tcp,
    };
    assert_eq!(read(TCP, "kind = \"tcp\""), Ok(want.clone()));
    let lines = "kind = \"tcp\"\nport = 8080\ninterval = 0.5\ntimeout = 3\nrise = 1\nfall = 5\nretries = 2\nwarmup = 10.5";
    let all = Check {
        port: 8080,
        interval: Duration::from_millis(500),
        timeout: Duration::from_secs(3),
        rise: 1,
        fall: 5,
        retries: 2,
        warmup: Duration::from_millis(10_500),
        ..want
    };
    assert_eq!(read(TCP, lines), Ok(all));
}

#[test]
fn octets_have_the_room_of_a_text() {
    let octets = "ff".repeat(510);
    let lines = format!("kind = \"udp\"\nport = 1\nexpect = \"hex:{octets}\"");
    assert!(read(TCP, &lines).is_ok());
}

#[test]
fn hosts_and_names_are_those_a_client_would_give() {
    let http = |listen, lines| {
        let Kind::Http(http) = read(listen, lines).unwrap().kind else {
            panic!("{lines}");
        };
        let name = http.tls.map(|it| it.name.to_str().into_owned());
        (http.host, name)
    };
    let some = |name: &str| Some(name.to_owned());
    for (listen, lines, host, name) in [
        (TCP, "kind = \"http\"", "192.0.2.1", None),
        (
            "tcp/192.0.2.1:8080",
            "kind = \"http\"",
            "192.0.2.1:8080",
            None,
        ),
        (
            "tcp/[2001:db8::1]:443",
            "kind = \"https\"",
            "[2001:db8::1]",
            some("2001:db8::1"),
        ),
        (
            TCP,
            "kind = \"https\"\nhost = \"web.example:444\"",
            "web.example:444",
            some("web.example"),
        ),
        (
            TCP,
            "kind = \"https\"\nhost = \"a.example\"\nsni = \"b.example\"",
            "a.example",
            some("b.example"),
        ),
    ] {
        assert_eq!(http(listen, lines), (host.to_owned(), name), "{lines}");
    }
}

#[test]
fn ports_are_the_services_where_it_has_one_of_the_kind() {
    for (listen, kind, want) in [
        (TCP, "kind = \"smtp\"", Ok(80)),
        ("udp/192.0.2.1:53", "kind = \"dns\"\nname = \"a\"", Ok(53)),
        ("tcp/192.0.2.1:53", "kind = \"dns\"\nname = \"a\"", Ok(53)),
        ("udp/192.0.2.1:53", "kind = \"tcp\"\nport = 53", Ok(53)),
        ("tcp/192.0.2.1:*", "kind = \"ping\"", Ok(0)),
        ("tcp/192.0.2.1:*", "kind = \"file\"\npath = \"/f\"", Ok(0)),
        (
            "tcp/192.0.2.1:*",
            "kind = \"script\"\ncommand = [\"/f\"]",
            Ok(0),
        ),
        (TCP, "kind = \"script\"\ncommand = [\"/f\"]", Ok(80)),
        (
            "tcp/192.0.2.1:80-90",
            "kind = \"tcp\"",
            Err("f:6:8: the check needs a `port`: tcp/192.0.2.1:80-90 has several"),
        ),
        (
            "tcp/192.0.2.1:*",
            "kind = \"http\"",
            Err("f:6:8: the check needs a `port`: tcp/192.0.2.1:* has several"),
        ),
        (
            "udp/192.0.2.1:53",
            "kind = \"tcp\"",
            Err("f:6:8: the check needs a `port`: tcp is over tcp, and udp/192.0.2.1:53 is not"),
        ),
        (
            TCP,
            "kind = \"udp\"",
            Err("f:6:8: the check needs a `port`: udp is over udp, and tcp/192.0.2.1:80 is not"),
        ),
        (
            "sctp/192.0.2.1:53",
            "kind = \"dns\"\nname = \"a\"",
            Err(
                "f:6:8: the check needs a `port`: dns is over udp or tcp, and sctp/192.0.2.1:53 over sctp",
            ),
        ),
    ] {
        let port = read(listen, kind).map(|it| it.port);
        assert_eq!(port, want.map_err(str::to_owned), "{listen} {kind}");
    }
}

#[test]
fn every_mistake_is_told_in_one_line_with_its_place() {
    let long = "x".repeat(1025);
    let of = |kind: &str, line: &str| format!("kind = \"{kind}\"\n{line}");
    for (lines, want) in [
        ("".to_owned(), "f:5:1: the key `kind` is missing; add it"),
        (
            "kind = \"htp\"".to_owned(),
            "f:6:8: unknown value `htp`; did you mean `http`?",
        ),
        (
            of("http", "stats = \"200\""),
            "f:7:1: unknown key `stats`; did you mean `status`?",
        ),
        (
            of("tcp", "path = \"/\""),
            "f:7:8: a check of kind tcp has no `path`; http, https, file have",
        ),
        (
            of("http", "days = 7"),
            "f:7:8: a check of kind http has no `days`; https, tls have",
        ),
        (
            of("ping", "port = 80"),
            "f:7:8: a check of kind ping has no `port`; tcp, http, https, tls, dns, udp, grpc, smtp, script have",
        ),
        (
            of("udp", "helo = \"a\"\nsend = \"b\"\nname = \"c\""),
            "f:7:8: a check of kind udp has no `helo`; smtp has",
        ),
        (of("tcp", "port = 0"), "f:7:8: `port` is from 1 to 65535"),
        (
            of("tcp", "interval = 0.05"),
            "f:7:12: `interval` is from 0.1 to 3600 seconds",
        ),
        (
            of("tcp", "interval = nan"),
            "f:7:12: `interval` is from 0.1 to 3600 seconds",
        ),
        (
            of("tcp", "interval = \"2s\""),
            "f:7:12: invalid type: string \"2s\", expected a number",
        ),
        (
            of("tcp", "timeout = 61"),
            "f:7:11: `timeout` is from 0.01 to 60 seconds",
        ),
        (
            of("tcp", "warmup = -1"),
            "f:7:10: `warmup` is from 0 to 3600 seconds",
        ),
        (of("tcp", "rise = 0"), "f:7:8: `rise` is from 1 to 100"),
        (of("tcp", "fall = 101"), "f:7:8: `fall` is from 1 to 100"),
        (
            of("tcp", "retries = 11"),
            "f:7:11: `retries` is from 0 to 10",
        ),
        (
            of("http", "path = \"index.html\""),
            "f:7:8: bad `path`: a path begins with /, and has no spaces and no fragment",
        ),
        (
            of("http", &format!("path = \"/{long}\"")),
            "f:7:8: bad `path`: at most 1024 octets",
        ),
        (
            of("http", "host = \"web example\""),
            "f:7:8: bad `host`: a host is a name or an address, and a port if it has one",
        ),
        (
            of("http", "method = \"POST\""),
            "f:7:10: bad `method`: GET, HEAD or OPTIONS",
        ),
        (
            of("http", "status = \"2xx\""),
            "f:7:10: bad `status`: `2xx` is no set of statuses such as 200,204,300-399",
        ),
        (
            of("http", "status = \"399-200\""),
            "f:7:10: bad `status`: `399-200` is no set of statuses such as 200,204,300-399",
        ),
        (
            of("http", "body = \"(ok\""),
            "f:7:8: bad `body`: unclosed group",
        ),
        (
            of("http", "body = \"(x{1000}){1000}\""),
            "f:7:8: bad `body`: it is too large once it is compiled",
        ),
        (
            of("http", "method = \"HEAD\"\nbody = \"ok\""),
            "f:8:8: an answer to HEAD has no body; use GET",
        ),
        (
            of("http", "digest = \"md5:d41d8cd98f00b204e9800998ecf8427e\""),
            "f:7:10: bad `digest`: a digest is sha256: and 64 hexadecimal digits, as of `sha256sum`",
        ),
        (
            of("https", "sni = \"a b\""),
            "f:7:7: bad `sni`: `a b` is no name of a server",
        ),
        (
            of("https", "host = \"_dmarc!\""),
            "f:7:8: `_dmarc!` is no name of a server",
        ),
        (
            of("tls", "ca = \"/etc/ca.pem\""),
            "f:7:6: `ca` without `verify = true`; nothing goes by it",
        ),
        (
            of("tls", "verify = true\nca = \"ca.pem\""),
            "f:8:6: bad `ca`: `ca.pem` does not begin with /",
        ),
        (of("tls", "days = -1"), "f:7:8: `days` is from 0 to 3650"),
        (
            of("dns", "port = 53"),
            "f:6:8: a check of kind dns needs `name`; add it",
        ),
        (
            of("dns", "name = \"a..b\""),
            "f:7:8: bad `name`: empty label",
        ),
        (
            of("dns", "name = \"a\"\ntype = \"AAAAA\""),
            "f:8:8: bad `type`: there is no `AAAAA`; A, AAAA, SOA, NS, MX, TXT, …",
        ),
        (
            of("dns", "name = \"a\"\nrcode = \"NO\""),
            "f:8:9: bad `rcode`: there is no `NO`; NOERROR, NXDOMAIN, REFUSED, …",
        ),
        (
            of("udp", "port = 1\nsend = \"hex:123\""),
            "f:8:8: bad `send`: hexadecimal digits come in twos",
        ),
        (
            of("udp", "port = 1\nexpect = \"hex:+1\""),
            "f:8:10: bad `expect`: hexadecimal digits are 0 to 9 and a to f",
        ),
        (
            of("grpc", &format!("service = \"{}\"", &long[..128])),
            "f:7:11: bad `service`: at most 127 octets",
        ),
        (
            of("smtp", "helo = \"a\\r\\nDATA\""),
            "f:7:8: bad `helo`: a name is of ASCII without spaces",
        ),
        (
            of("script", "port = 1"),
            "f:6:8: a check of kind script needs `command`; add it",
        ),
        (
            of("script", "command = []"),
            "f:7:11: `command` is empty; name a program",
        ),
        (
            of("script", "command = \"/bin/true\""),
            "f:7:11: invalid type: string \"/bin/true\", expected an array",
        ),
        (
            of("script", "command = [\"true\"]"),
            "f:7:12: bad `command`: `true` does not begin with /",
        ),
        (
            of("script", &format!("command = {:?}", vec!["/a"; 65])),
            "f:7:11: `command` has at most 64 words",
        ),
        (
            of("file", "path = \"run/health\""),
            "f:7:8: bad `path`: `run/health` does not begin with /",
        ),
    ] {
        let told = read(TCP, &lines).unwrap_err();
        assert_eq!(told, want, "{lines}");
    }
}

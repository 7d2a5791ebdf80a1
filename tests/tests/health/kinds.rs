//! Each kind of check at a server that has something to say, and its words.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use lb_user::health::{
    Ports,
    check::{Check, Probe},
};

use crate::{check, lab, on, servers};

pub(crate) const TCP: &str = "tcp/192.0.2.100:80";
const UDP: &str = "udp/192.0.2.100:53";

/// A service, its check, and what comes of one.
type Case = (
    &'static str,
    &'static str,
    Result<&'static str, &'static str>,
);

/// DIR is the directory of the certificates.
const CASES: &[Case] = &[
    (TCP, "kind = 'tcp'", Ok("connected")),
    (TCP, "kind = 'tcp'\nport = 9", Err("connection refused")),
    // http
    (TCP, "kind = 'http'", Ok("status 200")),
    (TCP, "kind = 'http'\npath = '/old'", Ok("status 301")),
    (
        TCP,
        "kind = 'http'\npath = '/old'\nstatus = '200-299'",
        Err("status 301, not 200-299"),
    ),
    (
        TCP,
        "kind = 'http'\npath = '/nothing'\nstatus = '204, 300-399'",
        Ok("status 204"),
    ),
    (
        TCP,
        "kind = 'http'\npath = '/broken'",
        Err("status 503, not 200-399"),
    ),
    (
        TCP,
        "kind = 'http'\npath = '/broken'\nstatus = '503'",
        Ok("status 503"),
    ),
    (TCP, "kind = 'http'\nmethod = 'HEAD'", Ok("status 200")),
    (
        TCP,
        "kind = 'http'\nbody = '^welcome to server\\d$'",
        Err("body of 19 octets does not match `^welcome to server\\d$`"),
    ),
    (
        TCP,
        "kind = 'http'\nbody = '(?i)WELCOME to server\\d'",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'http'\npath = '/host'\nhost = 'web.example'\nbody = '^GET web.example drover/[0-9.]+ $'",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'http'\npath = '/host'\nbody = '^GET 192.0.2.100 drover'",
        Ok("status 200"),
    ),
    // sha256sum of "welcome to server2\n"
    (
        TCP,
        "kind = 'http'\ndigest = 'sha256:SUM'",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'http'\npath = '/nothing'\ndigest = 'sha256:SUM'",
        // FIPS 180-4's digest of nothing.
        Err(
            "body has digest sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, not sha256:SUM",
        ),
    ),
    (TCP, "kind = 'http'\npath = '/large'", Ok("status 200")),
    (
        TCP,
        "kind = 'http'\npath = '/large'\nbody = 'x'",
        Err("the body has more than 1048576 octets"),
    ),
    (TCP, "kind = 'http'\nport = 30", Ok("status 200")),
    (
        TCP,
        "kind = 'http'\nport = 30\nbody = 'x'\ntimeout = 0.3",
        Err("no end of the body within 0.3 s"),
    ),
    (TCP, "kind = 'http'\nport = 9", Err("connection refused")),
    (
        TCP,
        "kind = 'http'\nport = 29\ntimeout = 0.2",
        Err("no answer within 0.2 s"),
    ),
    (
        TCP,
        "kind = 'http'\nport = 39",
        Err("the answer is no HTTP: invalid HTTP version parsed"),
    ),
    (
        TCP,
        "kind = 'http'\nport = 443",
        Err("status 400, not 200-399"),
    ),
    // https
    (
        TCP,
        "kind = 'https'\nport = 443\nbody = 'welcome'",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\npath = '/host'\nhost = 'web.example'\nbody = ' web.example$'",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\npath = '/host'\nsni = 'web.example'\nbody = '192.0.2.100 drover/[0-9.]+ web.example$'",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\ndays = 50",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\ndays = 61",
        Err("certificate of CN web.example ends in 60 days, 61 wanted"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\nhost = 'web.example'\nverify = true\nca = 'DIR/ca.pem'",
        Ok("status 200"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\nhost = 'other.example'\nverify = true\nca = 'DIR/ca.pem'",
        Err("the certificate is not for other.example"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\nhost = 'web.example'\nverify = true\nca = 'DIR/good.pem'",
        Err("the certificate is of a CA that is not trusted"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\nverify = true\nca = 'DIR/good.key'",
        Err("`verify` has no CA to go by: DIR/good.key has none"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\nverify = true\nca = 'DIR/none.pem'",
        Err("DIR/none.pem: No such file or directory (os error 2)"),
    ),
    (
        TCP,
        "kind = 'https'\nport = 443\nverify = true\nca = '/dev/zero'",
        Err("/dev/zero: not a file"),
    ),
    (TCP, "kind = 'https'", Err("the answer is no TLS")),
    (
        TCP,
        "kind = 'https'\nport = 8443\npath = '/any'",
        Ok("status 200"),
    ),
    // tls
    (
        TCP,
        "kind = 'tls'\nport = 443",
        Ok("certificate of CN web.example ends in 60 days"),
    ),
    (
        TCP,
        "kind = 'tls'\nport = 8443\ndays = 3",
        Ok("certificate of CN soon.example ends in 3 days"),
    ),
    (
        TCP,
        "kind = 'tls'\nport = 8443\ndays = 7",
        Err("certificate of CN soon.example ends in 3 days, 7 wanted"),
    ),
    (
        TCP,
        "kind = 'tls'\nport = 4434",
        Ok("certificate of CN soon.example ends in 3 days"),
    ),
    (
        TCP,
        "kind = 'tls'\nport = 4433",
        Err("certificate of CN past.example ended 2 days ago"),
    ),
    (
        TCP,
        "kind = 'tls'\nport = 4433\nsni = 'past.example'\nverify = true\nca = 'DIR/ca.pem'",
        Err("the certificate has ended"),
    ),
    (TCP, "kind = 'tls'\nport = 26", Err("the answer is no TLS")),
    (
        TCP,
        "kind = 'tls'\nport = 29\ntimeout = 0.2",
        Err("no TLS handshake within 0.2 s"),
    ),
    // dns
    (
        UDP,
        "kind = 'dns'\nname = 'web.example'",
        Ok("NOERROR, 1 record"),
    ),
    (
        "tcp/192.0.2.100:53",
        "kind = 'dns'\nname = 'web.example'",
        Ok("NOERROR, 1 record"),
    ),
    (
        UDP,
        "kind = 'dns'\nname = 'web.example'\ntype = 'AAAA'",
        Err("no record of web.example AAAA"),
    ),
    (
        UDP,
        "kind = 'dns'\nname = 'other.example'",
        Err("NXDOMAIN, not NOERROR"),
    ),
    (
        UDP,
        "kind = 'dns'\nname = 'other.example'\nrcode = 'nxdomain'",
        Ok("NXDOMAIN, as wanted"),
    ),
    (
        UDP,
        "kind = 'dns'\nname = 'example.org'",
        Err("REFUSED, not NOERROR"),
    ),
    (
        UDP,
        "kind = 'dns'\nname = 'web.example'\nport = 9",
        Err("port unreachable"),
    ),
    (
        UDP,
        "kind = 'dns'\nname = 'web.example'\nport = 7007\ntimeout = 0.2",
        Err("no answer within 0.2 s"),
    ),
    // udp
    (
        UDP,
        "kind = 'udp'\nport = 7007\nsend = 'ping'\nexpect = '^p.n'",
        Ok("the answer matches"),
    ),
    (
        UDP,
        "kind = 'udp'\nport = 7007\nsend = 'hex:01 02'\nexpect = 'hex:ff00'",
        Ok("the answer matches"),
    ),
    (
        UDP,
        "kind = 'udp'\nport = 7007\nsend = 'ping'\nexpect = 'peng'",
        Err("the answer `pong` does not match `peng`"),
    ),
    (
        UDP,
        "kind = 'udp'\nport = 7007\nsend = 'hello'\nexpect = 'x'\ntimeout = 0.2",
        Err("no answer within 0.2 s"),
    ),
    (
        UDP,
        "kind = 'udp'\nport = 7007\ntimeout = 0.2",
        Ok("not refused within 0.2 s"),
    ),
    (
        UDP,
        "kind = 'udp'\nport = 9\nsend = 'x'",
        Err("port unreachable"),
    ),
    // grpc
    (TCP, "kind = 'grpc'\nport = 50051", Ok("SERVING")),
    (
        TCP,
        "kind = 'grpc'\nport = 50051\nservice = 'up'",
        Ok("SERVING"),
    ),
    (
        TCP,
        "kind = 'grpc'\nport = 50051\nservice = 'down'",
        Err("NOT_SERVING"),
    ),
    (
        TCP,
        "kind = 'grpc'\nport = 50051\nservice = 'x'",
        Err("gRPC status 5 (NOT_FOUND)"),
    ),
    (
        TCP,
        "kind = 'grpc'\nport = 29\ntimeout = 0.2",
        Err("no answer within 0.2 s"),
    ),
    // smtp
    (
        TCP,
        "kind = 'smtp'\nport = 25\nhelo = 'director.example'",
        Ok("220 ESMTP"),
    ),
    (
        TCP,
        "kind = 'smtp'\nport = 26",
        Err("greeting `554 no service`, not 220"),
    ),
    (
        TCP,
        "kind = 'smtp'\nport = 27",
        Err("answer to HELO `550 who are you?`, not 250"),
    ),
    (
        TCP,
        "kind = 'smtp'\nport = 29\ntimeout = 0.2",
        Err("no greeting within 0.2 s"),
    ),
    // ping
    (TCP, "kind = 'ping'", Ok("replied")),
    // script
    (
        TCP,
        "kind = 'script'\ncommand = ['/bin/true']",
        Ok("exit status 0"),
    ),
    (
        TCP,
        "kind = 'script'\ncommand = ['/bin/sh', '-c', 'echo one; echo two three >&2; exit 3']",
        Err("two three"),
    ),
    (
        TCP,
        "kind = 'script'\ncommand = ['/bin/false']",
        Err("exit status: 1"),
    ),
    (
        TCP,
        "kind = 'script'\nport = 8\ncommand = ['/bin/sh', '-c', 'echo $DROVER_SERVICE $DROVER_VIP $DROVER_REAL $DROVER_PORT $DROVER_PROBE']",
        Ok("tcp/192.0.2.100:80 192.0.2.100 192.0.2.2 8 127.0.0.1"),
    ),
    (
        TCP,
        "kind = 'script'\ncommand = ['/no/such']",
        Err("cannot run /no/such: no such file or directory"),
    ),
];

#[test]
fn each_kind_says_what_it_has_seen() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let _servers = servers::start(host)?;
    let dir = host.dir().display().to_string();
    let sum = host.sh("echo 'welcome to server2' | sha256sum | cut -d' ' -f1")?;
    let filled = |text: &str| text.replace("DIR", &dir).replace("SUM", sum.trim());
    let mut wrong = Vec::new();
    for (service, lines, want) in CASES {
        let lines = filled(lines);
        let is = on(host, once(service, &lines, [127, 0, 0, 1].into()))??;
        let want = want.map(&filled).map_err(&filled);
        if is != want {
            wrong.push(format!("{lines}\n  is {is:?}\nnot {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

/// One check, and its words.
pub(crate) async fn once(
    service: &str,
    lines: &str,
    probe: IpAddr,
) -> Result<Result<String, String>> {
    let check = check(service, lines)?;
    said(service, &check, probe).await
}

pub(crate) async fn said(
    service: &str,
    check: &Check,
    probe: IpAddr,
) -> Result<Result<String, String>> {
    let of = (
        service.parse()?,
        [192, 0, 2, 2].into(),
        [192, 0, 2, 100].into(),
    );
    let mut probe = Probe::new(of, SocketAddr::new(probe, check.port), Ports::new());
    let result = check.run(&mut probe).await;
    Ok(result
        .map(|good| good.0.into_owned())
        .map_err(|bad| bad.0.into_owned()))
}

#[test]
fn ipv6_is_checked_as_well() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let _servers = servers::start(host)?;
    let service = "tcp/[2001:db8::100]:80";
    for (lines, want) in [
        ("kind = 'tcp'", Ok("connected")),
        ("kind = 'tcp'\nport = 9", Err("connection refused")),
        (
            "kind = 'http'\npath = '/host'\nbody = 'GET \\[2001:db8::100\\] drover'",
            Ok("status 200"),
        ),
        ("kind = 'ping'", Ok("replied")),
        (
            "kind = 'udp'\nport = 9\nsend = 'x'",
            Err("port unreachable"),
        ),
    ] {
        let is = on(host, once(service, lines, "::1".parse()?))??;
        assert_eq!(
            is,
            want.map(str::to_owned).map_err(str::to_owned),
            "{lines}"
        );
    }
    Ok(())
}

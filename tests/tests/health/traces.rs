//! What checks leave behind: on the director no ports that are taken, in the server's log nothing that is broken.

use std::{collections::HashSet, fs, net::SocketAddr, ops::RangeInclusive};

use anyhow::Result;
use lb_user::health::{Ports, check::Probe};

use crate::{check, lab, on, servers};

const SERVICE: &str = "tcp/192.0.2.100:80";

#[test]
fn no_connection_is_left_over_or_broken() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let _servers = servers::start(host)?;
    // Of all checks, as it is of the daemon's: a port that rests is not taken again.
    let ports = Ports::new();
    // What the wait for the servers has left.
    let before = waiting(&host.sh("cat /proc/net/tcp")?, &ports.range());
    for lines in [
        "kind = 'tcp'",
        "kind = 'http'",
        "kind = 'https'\nport = 443",
        "kind = 'tls'\nport = 443",
        "kind = 'smtp'\nport = 25",
        "kind = 'grpc'\nport = 50051",
    ] {
        for _ in 0..20 {
            on(host, async {
                let check = check(SERVICE, lines)?;
                let of = (
                    SERVICE.parse()?,
                    [192, 0, 2, 2].into(),
                    [192, 0, 2, 100].into(),
                );
                let to = SocketAddr::from(([127, 0, 0, 1], check.port));
                let result = check.run(&mut Probe::new(of, to, ports.clone())).await;
                assert!(result.is_ok(), "{lines}: {result:?}");
                anyhow::Ok(())
            })??;
        }
        let now = waiting(&host.sh("cat /proc/net/tcp")?, &ports.range());
        let of_checks = now.difference(&before).count();
        // Closing at once from both sides is rare, and leaves one.
        assert!(of_checks <= 2, "{lines}: {of_checks} wait");
    }
    let errors = fs::read_to_string(host.dir().join("error.log"))?;
    let broken = errors.lines().filter(|line| {
        line.contains("reset by peer") && !line.contains("while waiting for request")
    });
    assert_eq!(broken.count(), 0, "{errors}");
    let requests = fs::read_to_string(host.dir().join("access.log"))?;
    let good = requests.lines().filter(|line| line.contains("\" 200 "));
    assert_eq!(good.count(), 40, "{requests}");
    Ok(())
}

/// Connections whose local port is a check's, in state TIME_WAIT (06).
fn waiting(table: &str, ports: &RangeInclusive<u16>) -> HashSet<String> {
    let is_ours = |address: &str| {
        let port = address
            .split_once(':')
            .map(|(_, port)| u16::from_str_radix(port, 16));
        matches!(port, Some(Ok(port)) if ports.contains(&port))
    };
    let lines = table.lines().skip(1).map(str::split_whitespace);
    let waiting = lines.filter_map(|mut words| {
        let (local, state) = (words.nth(1)?, words.nth(1)?);
        (state == "06" && is_ours(local)).then(|| local.to_owned())
    });
    waiting.collect()
}

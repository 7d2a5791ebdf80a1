//! As many checks as a large site has.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::{Duration, Instant},
};

use anyhow::Result;
use lb_user::health::path::Probed;
use rustix::time::{ClockId, clock_gettime};

use crate::site::{Site, ip};

const MEMBERS: u32 = 10_000;

/// Of this thread's CPU time, with what the kernel does for it, in a debug build. It takes a third;
/// routes of one metric take more than this.
const LIMIT: Duration = Duration::from_secs(3);

#[test]
fn ten_thousand_real_servers_of_each_version() -> Result<()> {
    let site = Site::new()?;
    site.director()
        .sh("ip addr add 10.50.255.254/16 dev eth0 && \
         ip addr add 2001:db8:50::ffff/64 dev eth0 nodad")?;
    let interface = site.index("eth0")?;
    site.checking(|checks| {
        for (vip, first) in [
            ("172.25.138.100", "10.50.0.1"),
            ("2001:db8::100", "2001:db8:50::1"),
        ] {
            let [vip, first] = [vip, first].map(ip);
            let all: Vec<Probed> = (0..MEMBERS)
                .map(|i| Probed {
                    vip,
                    real: after(first, i),
                    interface,
                })
                .collect();
            for (what, wanted) in [
                ("all", &all[..]),
                ("the same", &all),
                ("one less", &all[1..]),
            ] {
                let (begin, worked) = (Instant::now(), cpu());
                assert_eq!(checks.set(wanted)?.len(), wanted.len());
                let (took, worked) = (begin.elapsed(), cpu() - worked);
                println!("{MEMBERS} from {first}, {what}: {took:.1?}, {worked:.1?} of CPU time");
                assert!(worked < LIMIT, "{worked:?}");
                assert_eq!(routes(&site, first)?, wanted.len().to_string());
            }
            checks.set(&[])?;
            assert_eq!(routes(&site, first)?, "0");
        }
        Ok(())
    })
}

/// Counts the kernel's routes to probe addresses.
fn routes(site: &Site, like: IpAddr) -> Result<String> {
    let version = if like.is_ipv4() { "-4" } else { "-6" };
    let count = format!("ip {version} route show proto 208 | grep -c ' via ' || true");
    Ok(site.director().sh(&count)?.trim().to_owned())
}

fn after(first: IpAddr, count: u32) -> IpAddr {
    match first {
        IpAddr::V4(first) => Ipv4Addr::from_bits(first.to_bits() + count).into(),
        IpAddr::V6(first) => Ipv6Addr::from_bits(first.to_bits() + u128::from(count)).into(),
    }
}

/// Of this thread, on which the path's tasks are, too.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

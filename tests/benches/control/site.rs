//! A large site: its file, its neighbours, and the services that are changed.

use std::{fmt::Write as _, fs, net::Ipv4Addr};

use anyhow::Result;
use lb_user::service::{PortRange, ServiceName};
use tests::{Host, Lab};

/// Real servers; each is in a hundred services. About as many neighbours as the kernel keeps by default.
pub(crate) const REALS: u32 = 1000;
pub(crate) const MEMBERS: u32 = 10;
/// Services of the large file, and of one of about a megabyte.
pub(crate) const SERVICES: u32 = 10_000;
pub(crate) const SERVICES_OF_A_MEGABYTE: u32 = 1800;

/// Beside them, services that have all the real servers: by turns, and by hash.
pub(crate) const LARGE: [&str; 2] = ["wrr", "mh"];

const PORTS: u32 = 100;

pub(crate) fn lab() -> Result<Lab> {
    let lab = Lab::new(&[("director", Ipv4Addr::new(10, 64, 255, 1))])?;
    let host = lab.host("director");
    host.sh("ip addr add 10.64.255.2/16 dev eth0")?;
    know_neighbours(host)?;
    Ok(lab)
}

/// Nobody is there to answer ARP.
fn know_neighbours(host: &Host) -> Result<()> {
    let mut batch = String::new();
    for address in (0..REALS).map(real) {
        let [a, b, c, d] = address.octets();
        writeln!(
            batch,
            "neigh replace {address} lladdr 02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x} nud permanent dev eth0"
        )?;
    }
    let file = host.dir().join("neighbours");
    fs::write(&file, batch)?;
    host.run(&["ip".as_ref(), "-batch".as_ref(), file.as_os_str()])?
        .success()?;
    Ok(())
}

/// The file of a director with so many services, and the large ones.
pub(crate) fn config(services: u32) -> String {
    let mut text = String::from(
        "[director]\ninterfaces = [\"eth0\"]\nservices_max = 16383\nmembers_max = 131071\n",
    );
    for (i, scheduler) in (0..).zip(LARGE) {
        service(&mut text, large(i), scheduler, 0..REALS);
    }
    for i in 0..services {
        let first = i * MEMBERS % REALS;
        service(&mut text, name(i), "wrr", first..first + MEMBERS);
    }
    text
}

fn service(text: &mut String, name: ServiceName, scheduler: &str, reals: std::ops::Range<u32>) {
    *text += &format!("\n[[service]]\nlisten = \"{name}\"\nscheduler = \"{scheduler}\"\n");
    for real in reals.map(real) {
        *text += &format!("\n[[service.real]]\naddress = \"{real}\"\nweight = 1\n");
    }
}

pub(crate) fn name(i: u32) -> ServiceName {
    named(i / PORTS, (1 + i % PORTS) as u16)
}

/// The name of a service of `LARGE`.
pub(crate) fn large(i: u32) -> ServiceName {
    named(i, 8080)
}

fn named(vip: u32, port: u16) -> ServiceName {
    ServiceName {
        protocol: lb_user::service::Transport::Tcp,
        vip: Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 1)) + vip).into(),
        ports: PortRange {
            first: port,
            last: port,
        },
    }
}

pub(crate) fn real(i: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 64, 1, 0)) + i)
}

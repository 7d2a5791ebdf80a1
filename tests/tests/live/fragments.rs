//! Datagrams of more than one packet, to servers that send them back.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tests::{
    Director, Host, Lab,
    frames::{Sent, Sent6},
};

use crate::site::{VIP, VIP6, classic_real_server, companion, ipv6, lab, wait};

const PORT: u16 = 5300;
/// Three fragments at an MTU of 1500.
const LEN: usize = 4000;
/// Of a fragment that is made here: what a packet of 1500 has room for, in eighths.
const PART: usize = 1448;
const PATIENCE: Duration = Duration::from_secs(3);

/// From each of its ports a client reaches one server, and all of what it sends arrives there.
#[test]
fn datagrams_in_fragments_arrive_whole() -> Result<()> {
    let echoes = Echoes::new()?;
    for vip in [VIP, VIP6] {
        let mut servers = BTreeSet::new();
        for _port in 0..6 {
            let socket = echoes.socket(vip)?;
            let home = ask(&socket, vip, 1)?;
            for octet in 2..6 {
                let again = ask(&socket, vip, octet)?;
                assert_eq!(again, home, "{vip}: a client's port is with one server");
            }
            servers.insert(home);
        }
        assert_eq!(servers.len(), 2, "{vip}: the ports take turns");
    }
    Ok(())
}

/// The last fragment first, as several ways between routers make it.
#[test]
fn fragments_in_reverse_order_arrive_whole() -> Result<()> {
    let echoes = Echoes::new()?;
    for vip in [VIP, VIP6] {
        for port in 0..6 {
            let socket = echoes.socket(vip)?;
            // A flow that they begin, and one that was there.
            let mut home = None;
            for id in 0..3 {
                // Each datagram has its own, also in its header.
                let octet = 10 * (port + 1) + id;
                let mut frames = echoes.frames(&socket, vip, octet)?;
                ensure!(frames.len() == 3, "{} fragments", frames.len());
                frames.reverse();
                for frame in frames {
                    echoes.lab.host("client").transmit(&frame)?;
                }
                let server = answer(&socket, octet)
                    .with_context(|| format!("{vip}, port {port}, datagram {id}"))?;
                assert_eq!(*home.get_or_insert(server), server, "{vip}, port {port}");
            }
        }
    }
    Ok(())
}

/// A director in front of two servers that send back what they get, with their number at its head.
struct Echoes {
    /// The servers end with it.
    _alive: Arc<()>,
    _director: Director,
    lab: Lab,
}

impl Echoes {
    fn new() -> Result<Self> {
        let lab = lab()?;
        let mut config = String::from("[director]\ninterfaces = [\"eth0\"]\n");
        for vip in [VIP, "[2001:db8::100]"] {
            config +=
                &format!("\n[[service]]\nlisten = \"udp/{vip}:{PORT}\"\nscheduler = \"rr\"\n");
            for real in ["server2", "server3"] {
                let address = lab.host(real).address().to_string();
                let address = if vip == VIP { address } else { ipv6(&address) };
                config += &format!("\n[[service.real]]\naddress = \"{address}\"\n");
            }
        }
        let alive = Arc::new(());
        for name in ["server2", "server3"] {
            let host = lab.host(name);
            classic_real_server(host, VIP)?;
            companion(host, VIP6)?;
            for vip in [VIP, VIP6] {
                serve(host, vip.parse()?, &alive)?;
            }
        }
        let host = lab.host("director");
        let director = host.director(&config)?;
        wait("the real servers are active", || {
            let list = host.drover(&["list"])?.success()?;
            Ok(list.matches(" active").count() == 4)
        })?;
        Ok(Self {
            _alive: alive,
            _director: director,
            lab,
        })
    }

    /// A port of the client's.
    fn socket(&self, vip: &str) -> Result<UdpSocket> {
        let client = self.lab.host("client");
        let address = client.address().to_string();
        let address = if vip == VIP { address } else { ipv6(&address) };
        let address: IpAddr = address.parse()?;
        let socket = client.enter(|| UdpSocket::bind((address, 0)))??;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(socket)
    }

    /// What the socket would send, in fragments.
    fn frames(&self, socket: &UdpSocket, vip: &str, octet: u8) -> Result<Vec<Vec<u8>>> {
        let (to, from) = (
            self.lab.host("director").mac().0,
            self.lab.host("client").mac().0,
        );
        let local = socket.local_addr()?;
        let data = data(octet);
        Ok(match (local.ip(), vip.parse()?) {
            (IpAddr::V4(client), IpAddr::V4(vip)) => {
                sent(to, from, (client, local.port()), vip).fragmented(octet.into(), &data, PART)
            }
            (IpAddr::V6(client), IpAddr::V6(vip)) => {
                sent6(to, from, (client, local.port()), vip).fragmented(octet.into(), &data, PART)
            }
            _ => anyhow::bail!("{local} and {vip} differ in version"),
        })
    }
}

/// Sends back, from `vip`, whatever comes.
fn serve(host: &Host, vip: IpAddr, alive: &Arc<()>) -> Result<()> {
    let number = host.address().octets()[3];
    let socket = host.enter(|| UdpSocket::bind((vip, PORT)))??;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let alive = Arc::downgrade(alive);
    thread::spawn(move || {
        let mut octets = [0; 1 << 16];
        while alive.strong_count() > 0 {
            if let Ok((len, client)) = socket.recv_from(&mut octets) {
                octets[0] = number;
                // If it is lost, the client says so.
                let _ = socket.send_to(&octets[..len], client);
            }
        }
    });
    Ok(())
}

/// Sends a datagram; returns the number of the server that has sent it back whole.
fn ask(socket: &UdpSocket, vip: &str, octet: u8) -> Result<u8> {
    let vip: IpAddr = vip.parse()?;
    socket.send_to(&data(octet), SocketAddr::from((vip, PORT)))?;
    answer(socket, octet)
}

fn answer(socket: &UdpSocket, octet: u8) -> Result<u8> {
    let mut octets = [0; 1 << 16];
    let (len, _) = socket
        .recv_from(&mut octets)
        .context("no datagram came back")?;
    ensure!(octets[1..len] == data(octet)[1..], "not what was sent");
    Ok(octets[0])
}

fn data(octet: u8) -> Vec<u8> {
    vec![octet; LEN]
}

fn sent(to: [u8; 6], from: [u8; 6], (client, client_port): (Ipv4Addr, u16), vip: Ipv4Addr) -> Sent {
    Sent {
        to,
        from,
        client,
        client_port,
        vip,
        port: PORT,
        ttl: 64,
    }
}

fn sent6(
    to: [u8; 6],
    from: [u8; 6],
    (client, client_port): (Ipv6Addr, u16),
    vip: Ipv6Addr,
) -> Sent6 {
    Sent6 {
        to,
        from,
        client,
        client_port,
        vip,
        port: PORT,
        hops: 64,
    }
}

//! The switch, and a host's connection to it.
//!
//! As on a real LAN, what a host sends arrives with finished checksums, and any host may send back what it received
//! (`XDP_TX`). Neither is so by itself between namespaces; see [`Lan::connect`].

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{Host, command, namespace, xdp_pass};

/// How a machine comes: a new namespace would inherit what the machine below has set.
const DEFAULTS: [(&str, &str); 10] = [
    ("ipv4/conf/all/arp_announce", "0"),
    ("ipv4/conf/all/arp_ignore", "0"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/arp_announce", "0"),
    ("ipv4/conf/default/arp_ignore", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv4/ip_forward", "0"),
    // IPv6 addresses are of use at once, and nobody waits for a router.
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/default/router_solicitations", "0"),
];

#[derive(Debug)]
pub(super) struct Lan {
    namespace: String,
    /// Where the ports' programs are pinned.
    pins: PathBuf,
}

impl Lan {
    pub(super) fn new(id: &str, bpf: &Path) -> Result<Self> {
        let namespace = format!("{id}-lan");
        let pins = bpf.join("lan");
        fs::create_dir(&pins)?;
        ip(&["netns", "add", &namespace])?;
        // Filtering of bridged frames is on by default, and counts on rules that are not there.
        namespace::enter(&namespace, || set("bridge/bridge-nf-call-iptables", "0"))??;
        ip(&[
            "-n",
            &namespace,
            "link",
            "add",
            "br0",
            "type",
            "bridge",
            "stp_state",
            "0",
            "forward_delay",
            "0",
            "mcast_snooping",
            "0",
        ])?;
        ip(&["-n", &namespace, "link", "set", "br0", "up"])?;
        Ok(Self { namespace, pins })
    }

    /// Makes the host's namespace and its `eth0`.
    pub(super) fn connect(&self, host: &Host) -> Result<()> {
        let namespace = host.namespace();
        ip(&["netns", "add", namespace])?;
        namespace::enter(namespace, || {
            DEFAULTS.iter().try_for_each(|(key, value)| set(key, value))
        })??;
        ip(&["-n", namespace, "link", "set", "lo", "up"])?;
        self.plug(host)
    }

    /// Makes its `eth0`, which may have been there before.
    pub(super) fn plug(&self, host: &Host) -> Result<()> {
        let (lan, namespace, port) = (self.namespace.as_str(), host.namespace(), host.name());
        let (mac, address) = (host.mac().to_string(), format!("{}/24", host.address()));
        ip(&[
            "-n", lan, "link", "add", port, "type", "veth", "peer", "name", "eth0", "address",
            &mac, "netns", namespace,
        ])?;
        // A local stack leaves checksums to the device; a frame that XDP sends back never gets one.
        // Nor would XDP see the tag of a VLAN that travels beside the frame.
        let plain = ["tx", "off", "txvlan", "off", "rxvlan", "off"];
        host.run(&[&["ethtool", "-K", "eth0"], &plain[..]].concat())?
            .success()?;
        ip(&[&["netns", "exec", lan, "ethtool", "-K", port], &plain[2..]].concat())?;
        // A veth takes frames from its peer's XDP_TX only while it has a program itself, and loses them silently otherwise.
        let pin = self.pins.join(port);
        // That of the port before goes with it.
        let _ = fs::remove_file(&pin);
        namespace::enter(lan, || xdp_pass::attach(port, &pin))??;
        ip(&["-n", lan, "link", "set", port, "master", "br0", "up"])?;
        ip(&["-n", namespace, "addr", "add", &address, "dev", "eth0"])?;
        ip(&["-n", namespace, "link", "set", "eth0", "up"])
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let mut command = std::process::Command::new("ip");
    command::run(command.args(arguments), Duration::from_secs(10))?.success()?;
    Ok(())
}

/// Sets a variable of the calling thread's namespace, where the kernel has it.
fn set(key: &str, value: &str) -> Result<()> {
    let path = Path::new("/proc/sys/net").join(key);
    if !path.exists() {
        return Ok(());
    }
    fs::write(&path, value).with_context(|| format!("setting {}", path.display()))
}

//! Counters and connections of real packets.

use anyhow::Result;
use tests::{Lab, wait};

use crate::{ADDRESS, ipvsadm};

const VIP: &str = "10.0.0.100";

#[test]
fn connections_are_counted_and_listed_and_zeroed() -> Result<()> {
    let lab = Lab::new(&[
        ("client", [10, 0, 0, 9].into()),
        ("director", ADDRESS),
        ("server", [10, 0, 0, 1].into()),
    ])?;
    let (client, host, server) = (lab.host("client"), lab.host("director"), lab.host("server"));
    server.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2; ip address add 10.0.0.100/32 dev lo")?;
    let _nginx = server.nginx("page\n")?;
    let mut director = host.director("[director]\ninterfaces = [\"eth0\"]\n")?;
    let rules = "-A -t 10.0.0.100:80 -s rr\n-a -t 10.0.0.100:80 -r 10.0.0.1\n";
    ipvsadm(host, "-R", rules)?.success()?;
    let url = format!("http://{VIP}/");
    let curl = [
        "curl",
        "-sS",
        "--max-time",
        "1",
        "--local-port",
        "40001",
        &url,
    ];
    wait("a page comes", || Ok(client.run(&curl)?.status.success()))?;
    let row = |line: &str, n: usize| -> Result<Vec<String>> {
        let text = ipvsadm(host, line, "")?.success()?;
        let row = text.lines().nth(n).unwrap_or_default();
        Ok(row.split_whitespace().map(str::to_owned).collect())
    };
    let counted = row("-L -n --stats", 3)?;
    assert_eq!(counted[..3], ["TCP", "10.0.0.100:80", "1"], "{counted:?}");
    assert!(counted[3].parse::<u32>()? >= 5, "{counted:?}");
    assert_eq!((&*counted[4], &*counted[6]), ("0", "0"), "{counted:?}");
    assert_eq!(
        row("-ln --stats", 4)?[2..],
        counted[2..],
        "of its one real server"
    );
    let flow = row("-Lnc", 2)?;
    assert_eq!(
        (&*flow[0], &flow[2..]),
        (
            "TCP",
            &["FIN_WAIT", "10.0.0.9:40001", "10.0.0.100:80", "10.0.0.1:80"].map(String::from)[..]
        )
    );
    ipvsadm(host, "-Z", "")?.success()?;
    let zero = ["0"; 5];
    assert_eq!(row("-ln --stats", 3)?[2..], zero);
    director.kill9();
    director.start()?;
    assert_eq!(row("-ln --stats", 3)?[2..], zero, "also at the next daemon");
    Ok(())
}

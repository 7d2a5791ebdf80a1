//! Rules, listings and what is refused, at a daemon.

use anyhow::Result;
use tests::{Director, Lab};

use crate::{ADDRESS, ipvsadm};

const CONFIG: &str = "[director]\ninterfaces = [\"eth0\"]\n[director.fwmarks]\n\
                      7 = [\"tcp/10.0.0.107:80\", \"tcp/10.0.0.107:443\"]\n";

/// Loaded into ipvsadm, too, but for the thresholds, which it forgets.
const RULES: &str = "\
-A -t 10.0.0.100:80 -s wrr
-a -t 10.0.0.100:80 -r 10.0.0.1:80 -g -w 1 -x 100 -y 50
-a -t 10.0.0.100:80 -r 10.0.0.2:80 -g -w 3
-A -t 10.0.0.100:443 -s sh -p 600 -M 255.255.255.0 -b sh-fallback,sh-port
-A -t 10.0.0.200:0 -s dh -p 360
-A -u 10.0.0.100:53 -s mh -o -b mh-port
-A -u 10.0.0.100:5060 -s rr -p 360
-A --sctp-service 10.0.0.100:5060 -s rr
-A -t [2001:db8::100]:80 -s lblcr
-A -f 7 -s lc
-a -f 7 -r 10.0.0.1:0 -g -w 1
";

const LISTING: &str = "\
Prot LocalAddress:Port Scheduler Flags|
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn|
TCP  10.0.0.100:80 wrr|
  -> 10.0.0.1:80                  Route   1      0          0         |
  -> 10.0.0.2:80                  Route   3      0          0         |
TCP  10.0.0.100:443 sh (sh-fallback,sh-port) persistent 600 mask 255.255.255.0|
TCP  10.0.0.200:0 dh persistent 360|
UDP  10.0.0.100:53 mh (mh-port) ops|
UDP  10.0.0.100:5060 rr persistent 360|
SCTP 10.0.0.100:5060 rr|
TCP  [2001:db8::100]:80 lblcr|
FWM  7 lc|
  -> 10.0.0.1:0                   Route   1      0          0         |
";

const STATS: &str = "\
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes|
  -> RemoteAddress:Port|
TCP  10.0.0.100:80                       0        0        0        0        0|
  -> 10.0.0.1:80                         0        0        0        0        0|
  -> 10.0.0.2:80                         0        0        0        0        0|
";

/// What the kernel refuses, and what only this does; each leaves all as it was.
#[rustfmt::skip]
const REFUSED: [(&str, i32, &str); 20] = [
    ("-A -t 10.0.0.100:80", 255, "Service already exists"),
    ("-A -t 10.0.0.101:80 -s nosuch", 255, "Scheduler or persistence engine not found"),
    ("-a -t 10.0.0.199:80 -r 10.0.0.1", 255, "Service not defined"),
    ("-e -t 10.0.0.100:80 -r 10.0.0.99:80 -g", 255, "No such destination"),
    ("-d -t 10.0.0.100:80 -r 10.0.0.99:80", 255, "No such destination"),
    ("-E -t 10.0.0.199:80 -s rr", 255, "No such service"),
    ("-D -t 10.0.0.199:80", 255, "No such service"),
    ("-Z -t 10.0.0.199:80", 255, "No such service"),
    ("-L -n -t 10.0.0.199:80", 1, "No such service"),
    ("-a -t 10.0.0.100:80 -r 10.0.0.1:8080 -g", 255, "Destination already exists"),
    ("-a -t 10.0.0.100:80 -r 224.0.0.1 -g", 255, "Invalid operation.  Possibly wrong module version, address not unicast, ..."),
    ("-a -t 10.0.0.100:80 -r 10.0.0.3 -y 5", 255, "Numerical result out of range"),
    ("-a -t 10.0.0.100:80 -r 10.0.0.3 -m", 255, "masquerading (-m) is not possible: drover forwards by direct routing (-g) alone, and never sees the replies"),
    ("-a -t 10.0.0.100:80 -r 10.0.0.3 -i", 255, "tunneling (-i) is not possible: drover forwards by direct routing (-g) alone"),
    ("-A -u 10.0.0.101:5060 -p --pe sip", 255, "there are no persistence engines: drover knows clients by their addresses alone"),
    ("--start-daemon master --mcast-interface eth0", 255, "there is no sync daemon: drover's directors share no connections"),
    ("-A -t 10.0.0.101:80 -p -M 255.0.255.0", 255, "the persistent mask 255.0.255.0 is no prefix of an address"),
    ("-a -t 10.0.0.100:80 -r 10.9.0.1", 255, "service tcp/10.0.0.100:80: real server 10.9.0.1 is not on the link of eth0 (10.0.0.254/24); direct routing reaches it by its MAC alone"),
    ("-A -f 7", 255, "Service already exists"),
    ("-A -f 7 -6", 255, "nothing of IPv6 has mark 7: packets are marked by [director.fwmarks] of director.toml, not by netfilter; say there `7 = [\"tcp/VIP:80\", \"tcp/VIP:443\"]`, and `drover reload`"),
];

fn site() -> Result<(Lab, Director)> {
    let lab = Lab::new(&[("director", ADDRESS)])?;
    let director = lab.host("director").director(CONFIG)?;
    ipvsadm(lab.host("director"), "-R", RULES)?.success()?;
    Ok((lab, director))
}

fn ended(text: &str) -> String {
    text.lines().map(|line| format!("{line}|\n")).collect()
}

#[test]
fn rules_come_back_as_they_were_and_are_listed_as_by_ipvsadm() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let run = |line: &str| ipvsadm(host, line, "")?.success();
    assert_eq!(run("-S -n")?, RULES);
    let banner = "IP Virtual Server version 1.2.1 (size=262144)|\n";
    for line in ["-ln", "-L -n --sort"] {
        assert_eq!(ended(&run(line)?), format!("{banner}{LISTING}"), "{line}");
    }
    assert_eq!(ended(&run("-ln -t 10.0.0.100:80 --stats")?), STATS);
    let rate = STATS.replace(
        "Conns   InPkts  OutPkts  InBytes OutBytes",
        "  CPS    InPPS   OutPPS    InBPS   OutBPS",
    );
    assert_eq!(ended(&run("-ln -t 10.0.0.100:80 --rate")?), rate);
    let thresholds = run("-ln -t 10.0.0.100:80 --thresholds")?;
    let row = "  -> 10.0.0.1:80                  100        50         0          0         ";
    assert_eq!(thresholds.lines().nth(3), Some(row));
    assert_eq!(run("--set 100 0 30")?, "");
    assert_eq!(
        run("-L --timeout")?,
        "Timeout (tcp tcpfin udp): 100 120 30\n"
    );
    assert_eq!(run("-L --daemon")?, "");
    run("-C")?;
    assert_eq!(run("-S")?, "");
    ipvsadm(host, "-R", RULES)?.success()?;
    assert_eq!(run("-S -n")?, RULES);
    // All that is not said is as by default.
    run("-e -t 10.0.0.100:80 -r 10.0.0.2")?;
    run("-E -t 10.0.0.100:443")?;
    let edited = RULES.replace("-w 3", "-w 1").replace(
        "-s sh -p 600 -M 255.255.255.0 -b sh-fallback,sh-port",
        "-s wlc",
    );
    assert_eq!(run("-S -n")?, edited);
    Ok(())
}

#[test]
fn what_is_refused_changes_nothing() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    for (line, status, said) in REFUSED {
        let output = ipvsadm(host, line, "")?;
        assert_eq!(output.stderr, format!("{said}\n"), "{line}");
        assert_eq!(output.status.code(), Some(status), "{line}");
        // Where ipvsadm would go on behind the line, or stop with half of them made.
        let rules = format!("-A -t 10.0.0.150:80\n{line}\n-A -t 10.0.0.151:80\n");
        if !line.starts_with("-L") && !line.starts_with("-Z") {
            assert_eq!(
                ipvsadm(host, "-R", &rules)?.status.code(),
                Some(status),
                "{line}"
            );
        }
        assert_eq!(ipvsadm(host, "-S -n", "")?.success()?, RULES, "{line}");
    }
    Ok(())
}

//! Command lines that ipvsadm 1.31 refuses before it asks the kernel: what it says, and its exit code.

use anyhow::Result;
use tests::Lab;

use crate::{ADDRESS, ipvsadm};

#[rustfmt::skip]
const REFUSED: [(&str, i32, &str); 54] = [
    ("-A -t 10.0.0.1:80 -Q", 255, "-Q: unknown option"),
    ("-A -t", 255, "-t: missing argument"),
    ("-A -t 10.0.0.1:80 -nQw", 255, "-nQw: unknown option"),
    ("--foo", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."),
    ("-L --stats=1", 255, "--stats=1: option does not take an argument"),
    ("-A -t 10.0.0.1:80 -ps", 2, "invalid timeout value `s' specified"),
    ("-A -- -t", 2, "unexpected argument -t"),
    ("-A -t 10.0.0.1:80 -", 2, "unexpected argument -"),
    ("-AD", 2, "invalid option `-AD'"),
    ("-6", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."),
    ("-A -6", 2, "-6 used before -f\n"),
    ("-L -t 10.0.0.1:80 --timeout", 2, "The option 'timeout' conflicts with the 'service-address' option in the 'list' command"),
    ("-L -c --daemon", 2, "The option 'daemon' conflicts with the 'connection' option in the 'list' command"),
    ("-A -t 10.0.0.1:80 -b sh-port,foo -s sh", 2, "invalid scheduler flag `foo'"),
    ("foo -L", 2, "unexpected argument foo"),
    ("-L foo", 2, "unexpected argument foo"),
    ("-A -t [2001:db8::1]", 2, "illegal virtual server address[:port] specified"),
    ("-A -t 10.0.0.1:", 2, "illegal virtual server address[:port] specified"),
    ("-A -t 80", 2, "illegal virtual server address[:port] specified"),
    ("-A -t 2001:db8::1", 2, "Zero port specified for non-persistent service"),
    ("-A -t 10.0.0.1:80 -w", 255, "-w: missing argument"),
    ("-A --tcp-service=", 2, "illegal virtual server address[:port] specified"),
    ("-A -h", 2, "invalid option `-h'"),
    ("--set 1 2 3 4", 2, "unexpected argument 4"),
    ("-Z -n", 2, "Illegal 'numeric' option with the 'zero' command"),
    ("-C -n", 2, "Illegal 'numeric' option with the 'flush' command"),
    ("-S -n x", 2, "unexpected argument x"),
    ("--start-daemon foo", 2, "illegal start-daemon parameter specified"),
    ("--stop-daemon foo", 2, "illegal start_daemon specified"),
    ("-A -t 10.0.0.1:80 -w 3", 2, "Illegal 'weight' option with the 'add-service' command"),
    ("-a -t 10.0.0.1:80 -r 10.0.0.2 -g -i", 2, "multiple 'forwarding-method' options specified"),
    ("-a -t 10.0.0.1:80 -r 10.0.0.2 --tun-type gue", 2, "Tunnel options conflict with forward method"),
    ("-nL", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."),
    ("-n", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."),
    ("-A -t 10.0.0.1:80 -s rr -s wrr", 2, "multiple 'scheduler' options specified"),
    ("-L -X --exact", 2, "multiple 'exact' options specified"),
    ("-L -f 0", 2, "invalid fwmark value `0' specified"),
    ("-L -c -n --stats", 2, "options conflicts in the list command"),
    ("-a -t 10.0.0.100:80", 2, "You need to supply the 'real-server' option for the 'add-server' command"),
    ("-A -s rr", 2, "You need to supply the 'service-address' option for the 'add-service' command"),
    ("-A -t 10.0.0.100:0", 2, "Zero port specified for non-persistent service"),
    ("-A -t 300.0.0.1:80", 2, "illegal virtual server address[:port] specified"),
    ("-A -t 10.0.0.102:80 -o", 2, "One-Packet Scheduling is only for UDP virtual services"),
    ("-A -t 10.0.0.102:80 -s rr -b mh-port", 2, "incompatible scheduler flag `mh-port'"),
    ("-A -D -t 10.0.0.102:80", 2, "invalid option `-D'"),
    ("-A -t 10.0.0.102:80 -u 10.0.0.102:80", 2, "multiple 'service-address' options specified"),
    ("-a -t 10.0.0.100:80 -r 10.0.0.9 -w -1", 2, "illegal weight specified"),
    ("-a -t 10.0.0.100:80 -r [2001:db8::1]:80 -g", 2, "Different address family is allowed only for tunneling servers"),
    ("-f 7", 255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."),
    ("-L --timeout --stats", 2, "options conflicts in the list command"),
    ("--set 1 2", 2, "--set option requires 3 timeout values"),
    ("--set a b c", 2, "invalid timeout value `a' specified"),
    ("-A -t 10.0.0.102:80 -p 9999999", 2, "invalid timeout value `9999999' specified"),
    ("-A -t 10.0.0.102:80 junk", 2, "unexpected argument junk"),
];

#[test]
fn what_is_wrong_is_said_as_ipvsadm_says_it() -> Result<()> {
    let lab = Lab::new(&[("director", ADDRESS)])?;
    let host = lab.host("director");
    for (line, status, said) in REFUSED {
        let output = ipvsadm(host, line, "")?;
        let said = said.replace("`ipvsadm -h' or 'ipvsadm ", "`PROGRAM -h' or 'PROGRAM ");
        let program = host.dir().join("ipvsadm").display().to_string();
        assert_eq!(
            output.stderr.replace(&program, "PROGRAM"),
            format!("{said}\n"),
            "{line}"
        );
        assert_eq!(output.status.code(), Some(status), "{line}");
        assert_eq!(output.stdout, "", "{line}");
    }
    Ok(())
}

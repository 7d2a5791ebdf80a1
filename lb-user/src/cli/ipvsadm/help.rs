//! What `-h` and `-v` print.

/// In the form of ipvsadm's, whose version it is compatible with.
pub(super) fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("ipvsadm v1.31 2019/12/24 (compiled with drover {version} and IPVS v1.2.1)\n")
}

pub(super) fn help(program: &str) -> String {
    let usage = USAGE.replace("PROGRAM", program);
    format!("{}{usage}", version())
}

const USAGE: &str = "\
Usage:
  PROGRAM -A|-E SERVICE [-s SCHEDULER] [-p [SECONDS]] [-M MASK] [-o] [-b FLAG,...]
  PROGRAM -D SERVICE
  PROGRAM -a|-e SERVICE -r HOST [-g] [-w WEIGHT] [-x UPPER] [-y LOWER]
  PROGRAM -d SERVICE -r HOST
  PROGRAM -L|-l [SERVICE] [-n] [--stats|--rate|--thresholds|--persistent-conn] [--exact] [--nosort]
  PROGRAM -L|-l -c [-n], -L --timeout, -L --daemon
  PROGRAM -Z [SERVICE]
  PROGRAM -C
  PROGRAM -S [-n] | PROGRAM -R
  PROGRAM --set TCP TCPFIN UDP

SERVICE is -t HOST[:PORT], -u HOST[:PORT], --sctp-service HOST[:PORT], or -f MARK [-6].

Commands:
  -A --add-service       -E --edit-service    -D --delete-service    -C --clear
  -a --add-server        -e --edit-server     -d --delete-server     -Z --zero
  -L -l --list           -S --save            -R --restore           --set
  -h --help              -v --version

Options:
  -t --tcp-service       -u --udp-service     -f --fwmark-service    -6 --ipv6
  -s --scheduler         -p --persistent      -M --netmask           -o --ops
  -b --sched-flags       -r --real-server     -g --gatewaying        -w --weight
  -x --u-threshold       -y --l-threshold     -n --numeric           -c --connection
  -X --exact             --stats --rate --thresholds --persistent-conn --tun-info --nosort --sort

Not possible with direct routing on XDP, and refused: -m, -i, --pe, --start-daemon, --stop-daemon.
Marks are of [director.fwmarks] in director.toml. What differs from ipvsadm is in the README.
";

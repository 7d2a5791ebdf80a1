//! Files that are wrong, and what is said about each.

const HEAD: &str = "[director]\ninterfaces = [\"eth0\"]\n";
const SERVICE: &str = "[[service]]\nlisten = \"tcp/10.2.0.100:80\"\n";
const REAL: &str = "[[service.real]]\naddress = \"10.2.0.2\"\n";

/// What comes after [`HEAD`], and what is said after the file's name.
#[rustfmt::skip]
const BAD: &[(&str, &[&str], &str)] = &[
    ("unknown key", &["vlan = 3\n"], ":3:1: unknown key `vlan`; one of: interfaces, xdp, vip, services_max, members_max, flow_memory, flow_listing, leak_check, http, timeouts, fwmarks"),
    ("mistyped key", &["fow_memory = 3\n"], ":3:1: unknown key `fow_memory`; did you mean `flow_memory`?"),
    ("mistyped table", &["[[servce]]\n"], ":3:3: unknown key `servce`; did you mean `service`?"),
    ("no listen", &["[[service]]\nscheduler = \"rr\"\n"], ":3:1: the key `listen` is missing; add it"),
    ("no address", &[SERVICE, "[[service.real]]\nweight = 1\n"], ":5:1: the key `address` is missing; add it"),
    ("a table for an array", &["[service]\nlisten = \"tcp/10.2.0.100:80\"\n"], ":3:1: invalid type: table, expected an array"),
    ("a mode that is a number", &["vip = 3\n"], ":3:7: invalid type: expected a string"),
    ("unknown mode", &["xdp = \"nativ\"\n"], ":3:7: unknown value `nativ`; did you mean `native`?"),
    ("unknown scheduler", &[SERVICE, "scheduler = \"wlx\"\n"], ":5:13: unknown scheduler `wlx`; there are rr, wrr, lc, wlc, sed, nq, sh, dh, mh, lblc, lblcr, fo, ovf, twos"),
    ("unknown flag", &[SERVICE, "scheduler = \"sh\"\nflags = [\"sh-ports\"]\n"], ":6:10: unknown scheduler flag `sh-ports`; there are sh-fallback, sh-port, mh-fallback, mh-port"),
    ("flag of another scheduler", &[SERVICE, "scheduler = \"rr\"\nflags = [\"mh-port\"]\n"], ":6:10: incompatible scheduler flag `mh-port`; it is for mh, and the scheduler is rr"),
    ("a scheduler that is a number", &[SERVICE, "scheduler = 7\n"], ":5:13: invalid type: integer `7`, expected a string"),
    ("bad VIP", &["[[service]]\nlisten = \"tcp/10.2.0.300:80\"\n"], ":4:10: bad service `tcp/10.2.0.300:80`: `10.2.0.300` is not an IP address"),
    ("port 0", &["[[service]]\nlisten = \"tcp/10.2.0.100:0\"\n"], ":4:10: bad service `tcp/10.2.0.100:0`: `0` is not a port from 1 to 65535, a range as in 8000-8099, or *"),
    ("port 65536", &["[[service]]\nlisten = \"tcp/10.2.0.100:65536\"\n"], ":4:10: bad service `tcp/10.2.0.100:65536`: `65536` is not a port from 1 to 65535, a range as in 8000-8099, or *"),
    ("bad RIP", &[SERVICE, "[[service.real]]\naddress = \"web2\"\n"], ":6:11: bad real server: `web2` is not an IP address"),
    ("weight -1", &[SERVICE, REAL, "weight = -1\n"], ":7:10: weight -1 is out of range; it is from 0 (quiesced) to 65535"),
    ("weight 65536", &[SERVICE, REAL, "weight = 65536\n"], ":7:10: weight 65536 is out of range; it is from 0 (quiesced) to 65535"),
    ("weight as text", &[SERVICE, REAL, "weight = \"heavy\"\n"], ":7:10: invalid type: string \"heavy\", expected a whole number"),
    ("weight with a fraction", &[SERVICE, REAL, "weight = 1.5\n"], ":7:10: invalid type: floating point `1.5`, expected a whole number"),
    ("a key twice", &[SERVICE, REAL, "weight = 1\nweight = 2\n"], ":8:1: duplicate key"),
    ("duplicate service", &[SERVICE, SERVICE], ":6:10: service tcp/10.2.0.100:80 is there already, on line 4"),
    ("duplicate real server", &[SERVICE, REAL, REAL], ":8:11: tcp/10.2.0.100:80 has real server 10.2.0.2 already, on line 6"),
    ("the VIP", &[SERVICE, "[[service.real]]\naddress = \"10.2.0.100\"\n"], ":6:11: real server 10.2.0.100 is the VIP itself; give the RIP"),
    ("off-link", &[SERVICE, REAL, "[[service.real]]\naddress = \"10.3.0.2\"\n"], ":8:11: service tcp/10.2.0.100:80: real server 10.3.0.2 is not on the link of eth0 (10.2.0.5/24); direct routing reaches it by its MAC alone"),
    ("the director", &[SERVICE, "[[service.real]]\naddress = \"10.2.0.5\"\n"], ":6:11: service tcp/10.2.0.100:80: real server 10.2.0.5 is this director itself"),
    ("the broadcast address", &[SERVICE, "[[service.real]]\naddress = \"10.2.0.255\"\n"], ":6:11: service tcp/10.2.0.100:80: real server 10.2.0.255 is the broadcast address of 10.2.0.0/24; give a host's"),
    ("the network's address", &[SERVICE, "[[service.real]]\naddress = \"10.2.0.0\"\n"], ":6:11: service tcp/10.2.0.100:80: real server 10.2.0.0 is the network address of 10.2.0.0/24; give a host's"),
    ("no services", &["services_max = 0\n"], ":3:16: `services_max` is from 1 to 16383"),
    ("fewer than no services", &["services_max = -1\n"], ":3:16: invalid value: integer `-1`, expected a whole number from 0"),
    ("wrong unit", &["flow_memory = \"64MB\"\n"], ":3:15: `flow_memory` is a size as in \"64MiB\", from 1MiB to 64GiB"),
    ("broken", &[SERVICE, "[[service.real\n"], ":5:15: unclosed array table, expected `]]`"),
    ("half a range", &["[[service]]\nlisten = \"tcp/10.2.0.100:80-\"\n"], ":4:10: bad service `tcp/10.2.0.100:80-`: `` is not a port from 1 to 65535, a range as in 8000-8099, or *"),
    ("a range backwards", &["[[service]]\nlisten = \"tcp/10.2.0.100:90-80\"\n"], ":4:10: bad service `tcp/10.2.0.100:90-80`: the range `90-80` ends before it begins"),
    ("ranges that overlap", &["[[service]]\nlisten = \"tcp/10.2.0.100:80-90\"\n[[service]]\nlisten = \"tcp/10.2.0.100:90-99\"\n"], ":6:10: service tcp/10.2.0.100:90-99 has ports of tcp/10.2.0.100:80-90, and is not within it"),
    ("IPv6 without brackets", &["[[service]]\nlisten = \"tcp/2001:db8::1:80\"\n"], ":4:10: bad service `tcp/2001:db8::1:80`: an IPv6 address is put in brackets, as in tcp/[2001:db8::1]:80"),
    ("RIP of the other version", &[SERVICE, "[[service.real]]\naddress = \"2001:db8::2\"\n"], ":6:11: real server 2001:db8::2 and VIP 10.2.0.100 differ in version"),
    ("persistence 0", &[SERVICE, "persistence = 0\n"], ":5:15: `persistence` is from 1 to 2678400 seconds (31 days)"),
    ("persistence of 32 days", &[SERVICE, "persistence = 2764800\n"], ":5:15: `persistence` is from 1 to 2678400 seconds (31 days)"),
    ("prefix 33", &[SERVICE, "persistence = 50\npersistence_prefix = 33\n"], ":6:22: `persistence_prefix` is from 1 to 32"),
    ("prefix alone", &[SERVICE, "persistence_prefix = 24\n"], ":5:22: `persistence_prefix` without `persistence`; say for how many seconds"),
    ("one-packet TCP", &[SERVICE, "one_packet = true\n"], ":5:14: one-packet scheduling is only for UDP services, and tcp/10.2.0.100:80 is none"),
    ("one-packet and persistent", &["[[service]]\nlisten = \"udp/10.2.0.100:53\"\npersistence = 50\none_packet = true\n"], ":6:14: one-packet scheduling keeps nothing, and persistence all; choose one"),
    ("one-packet as text", &[SERVICE, "one_packet = \"yes\"\n"], ":5:14: invalid type: string \"yes\", expected a boolean"),
    ("threshold -1", &[SERVICE, REAL, "upper_threshold = -1\n"], ":7:19: `upper_threshold` is a number of connections, from 0 (none) to 4294967295"),
    ("lower threshold above upper", &[SERVICE, REAL, "upper_threshold = 5\nlower_threshold = 6\n"], ":8:19: `lower_threshold` 6 is above `upper_threshold` 5"),
    ("lower threshold alone", &[SERVICE, REAL, "lower_threshold = 6\n"], ":7:19: `lower_threshold` 6 is above `upper_threshold` 0"),
    ("leak check of two days", &["leak_check = 172800\n"], ":3:14: `leak_check` is from 0 (not asked) to 86400 seconds (a day)"),
    ("pages without a port", &["http = \"127.0.0.1\"\n"], ":3:8: `http` is an address of this host and a port, as in \"127.0.0.1:9208\" or \"[::1]:9208\""),
    ("pages at port 0", &["http = \"127.0.0.1:0\"\n"], ":3:8: `http` is an address of this host and a port, as in \"127.0.0.1:9208\" or \"[::1]:9208\""),
    ("pages at a name", &["http = \"localhost:9208\"\n"], ":3:8: `http` is an address of this host and a port, as in \"127.0.0.1:9208\" or \"[::1]:9208\""),
    ("pages at a port alone", &["http = 9208\n"], ":3:8: invalid type: integer `9208`, expected a string"),
    ("listing that is no boolean", &["flow_listing = 1\n"], ":3:16: invalid type: integer `1`, expected a boolean"),
    ("mark 0", &["[director.fwmarks]\n0 = \"tcp/10.2.0.100:80\"\n"], ":4:1: `0` is not a mark from 1 to 4294967295"),
    ("a destination of two marks", &["[director.fwmarks]\n1 = \"tcp/10.2.0.100:80\"\n2 = \"tcp/10.2.0.100:80\"\n"], ":5:5: tcp/10.2.0.100:80 has mark 1 already"),
    ("timeout 0", &["[director.timeouts]\nudp = 0\n"], ":4:7: `udp` is from 1 to 2678400 seconds (31 days)"),
    ("timeout of 32 days", &["[director.timeouts]\ntcp = 2764800\n"], ":4:7: `tcp` is from 1 to 2678400 seconds (31 days)"),
    ("mistyped timeout", &["[director.timeouts]\ntcpfim = 60\n"], ":4:1: unknown key `tcpfim`; did you mean `tcpfin`?"),
    ("listen that is a number", &["[[service]]\nlisten = 80\n"], ":4:10: invalid type: integer `80`, expected a string or an array of strings"),
    ("an empty list", &["[[service]]\nlisten = []\n"], ":4:10: the list is empty; name what clients connect to"),
    ("a number in a list", &["[[service]]\nlisten = [\"tcp/10.2.0.100:80\", 443]\n"], ":4:32: invalid type: integer `443`, expected a string"),
    ("a bad VIP in a list", &["[[service]]\nlisten = [\"tcp/10.2.0.100:80\",\n  \"tcp/10.2.0.300:80\"]\n"], ":5:3: bad service `tcp/10.2.0.300:80`: `10.2.0.300` is not an IP address"),
    ("twice in a list", &["[[service]]\nlisten = [\"tcp/10.2.0.100:80\",\n  \"tcp/10.2.0.100:80\"]\n"], ":5:3: service tcp/10.2.0.100:80 is there already, on line 4"),
    ("in a list and alone", &["[[service]]\nlisten = [\"tcp/10.2.0.100:81\", \"tcp/10.2.0.100:80\"]\n", SERVICE], ":6:10: service tcp/10.2.0.100:80 is there already, on line 4"),
    ("ranges of two lists that overlap", &["[[service]]\nlisten = [\"tcp/10.2.0.100:1\", \"tcp/10.2.0.100:80-90\"]\n[[service]]\nlisten = [\"tcp/10.2.0.100:2\", \"tcp/10.2.0.100:90-99\"]\n"], ":6:31: service tcp/10.2.0.100:90-99 has ports of tcp/10.2.0.100:80-90, and is not within it"),
    ("both versions in a list", &["[[service]]\nlisten = [\"tcp/10.2.0.100:80\", \"tcp/[2001:db8::1]:80\"]\n"], ":4:32: tcp/[2001:db8::1]:80 and tcp/10.2.0.100:80 differ in IP version; make it another service"),
    ("one-packet TCP in a list", &["[[service]]\nlisten = [\"udp/10.2.0.100:53\", \"tcp/10.2.0.100:53\"]\none_packet = true\n"], ":5:14: one-packet scheduling is only for UDP services, and tcp/10.2.0.100:53 is none"),
    ("the second VIP", &["[[service]]\nlisten = [\"tcp/10.2.0.100:80\", \"tcp/10.2.0.2:80\"]\n", REAL], ":6:11: real server 10.2.0.2 is the VIP itself; give the RIP"),
    ("quorum 0", &[SERVICE, "quorum = 0\n"], ":5:10: `quorum` is from 1 to 268431360"),
    ("hysteresis of all", &[SERVICE, "quorum = 2\nhysteresis = 2\n"], ":6:14: `hysteresis` is from 0 to 1"),
    ("slow start of rr", &[SERVICE, "scheduler = \"rr\"\nslow_start = 10\n"], ":6:14: `slow_start` goes by weight, and rr does not; wrr, wlc, sed, nq, sh, mh, lblc, lblcr and twos do"),
    ("drain -1", &[SERVICE, "drain = -1\n"], ":5:9: `drain` is from 0 to 2678400"),
    ("sorry server that is a name", &[SERVICE, "sorry_server = \"sorry\"\n"], ":5:16: bad sorry server: `sorry` is not an IP address"),
    ("sorry server of the other version", &[SERVICE, "sorry_server = \"2001:db8::2\"\n"], ":5:16: sorry server 2001:db8::2 and VIP 10.2.0.100 differ in version"),
    ("sorry server that is the second VIP", &["[[service]]\nlisten = [\"tcp/10.2.0.100:80\", \"tcp/10.2.0.2:80\"]\nsorry_server = \"10.2.0.2\"\n"], ":5:16: sorry server 10.2.0.2 is the VIP itself; give the RIP"),
    ("sorry server that is a real one", &[SERVICE, "sorry_server = \"10.2.0.2\"\n", REAL], ":5:16: sorry server 10.2.0.2 is one of the service's real servers; name another"),
    ("sorry server off-link", &[SERVICE, "sorry_server = \"10.3.0.2\"\n"], ":5:16: service tcp/10.2.0.100:80: real server 10.3.0.2 is not on the link of eth0 (10.2.0.5/24); direct routing reaches it by its MAC alone"),
    ("two lines in a name", &["[[service]]\nlisten = \"tcp\\n/x\"\n"], ":4:10: bad service `tcp\u{fffd}/x`: the protocol is tcp, udp or sctp"),
    ("agent without a port", &[SERVICE, "[service.agent]\n"], ":5:1: the key `port` is missing; add it"),
    ("agent's port", &[SERVICE, "[service.agent]\nport = 65536\n"], ":6:8: `port` is from 1 to 65535"),
    ("agent's interval", &[SERVICE, "[service.agent]\nport = 9\ninterval = 0.05\n"], ":7:12: `interval` is from 0.1 to 3600 seconds"),
    ("agent's timeout", &[SERVICE, "agent = { port = 9, timeout = 61 }\n"], ":5:31: `timeout` is from 0.01 to 60 seconds"),
    ("mistyped agent", &[SERVICE, "[service.agent]\nport = 9\nsends = \"x\"\n"], ":7:1: unknown key `sends`; did you mean `send`?"),
    ("passive per cent", &[SERVICE, "[service.passive]\npercent = 100\n"], ":6:11: `percent` is from 1 to 99"),
    ("passive attempts", &[SERVICE, "[service.passive]\nattempts = 4\n"], ":6:12: `attempts` is from 5 to 1000000"),
    ("passive window", &[SERVICE, "passive.window = 601\n"], ":5:18: `window` is from 5 to 600"),
    ("passive hold", &[SERVICE, "passive.hold = 4\n"], ":5:16: `hold` is from 5 to 86400"),
    ("mistyped passive", &[SERVICE, "[service.passive]\nshare = 50\n"], ":6:1: unknown key `share`; one of: percent, attempts, window, hold"),
    ("passive of fo", &[SERVICE, "scheduler = \"fo\"\npassive = {}\n"], ":6:11: `passive` compares real servers that have connections of all clients, and with fo they do not; with rr, wrr, lc, wlc, sed, nq and twos they do"),
    ("passive of mh", &[SERVICE, "scheduler = \"mh\"\npassive = {}\n"], ":6:11: `passive` goes by connections' records, and with mh there are none; with rr, wrr, lc, wlc, sed, nq and twos there are, or with an `upper_threshold`"),
    ("passive and persistent", &[SERVICE, "persistence = 50\npassive = {}\n"], ":6:11: `passive` compares real servers that have connections of all clients, and with `persistence` one client's are all of one; choose one"),
    ("passive of UDP", &["[[service]]\nlisten = \"udp/10.2.0.100:53\"\npassive = {}\n"], ":5:11: `passive` goes by connections that are answered, and UDP has none"),
];

/// Whole files.
#[rustfmt::skip]
const BAD_WHOLE: [(&str, &[u8], &str); 10] = [
    ("empty", b"", ":1:1: the key `director` is missing; add it"),
    ("no [director]", b"[[service]]\nlisten = \"tcp/10.2.0.100:80\"\n", ":1:1: the key `director` is missing; add it"),
    ("director is no table", b"director = 3\n", ":1:12: invalid type: integer `3`, expected a table"),
    ("no interfaces", b"\n[director]\n", ":2:1: the key `interfaces` is missing; add it"),
    ("mistyped interfaces", b"[director]\nintefaces = [\"eth0\"]\n", ":2:1: unknown key `intefaces`; did you mean `interfaces`?"),
    ("interfaces is no array", b"[director]\ninterfaces = \"eth0\"\n", ":2:14: invalid type: string \"eth0\", expected an array"),
    ("empty interfaces", b"[director]\ninterfaces = []\n", ":2:14: `interfaces` is empty; name the interface that clients' packets come in by"),
    ("interface twice", b"[director]\ninterfaces = [\"eth0\", \"eth0\"]\n", ":2:23: interface eth0 is listed twice"),
    ("not UTF-8", b"[director]\ninterfaces = [\"eth0\"]\n# \xff\n", ": not text in UTF-8"),
    ("unclosed", b"[director]\ninterfaces = [\"eth0\"\n", ":2:21: unclosed array, expected `]`"),
];

/// What only a start tells: a reload does not take up interfaces.
#[rustfmt::skip]
pub(crate) const BAD_START: [(&str, &str, &str); 3] = [
    ("unknown interface", "[director]\ninterfaces = [\"eth1\"]\n", ":2:15: there is no interface `eth1`; did you mean `eth0`?"),
    ("interface without a name", "[director]\ninterfaces = [\"eth0\", \"\"]\n", ":2:23: there is no interface ``; one of: eth0"),
    ("loopback", "[director]\ninterfaces = [\"lo\"]\n", ":2:15: interface lo is not Ethernet"),
];

pub(crate) fn texts() -> impl Iterator<Item = (&'static str, Vec<u8>, &'static str)> {
    let bad = BAD
        .iter()
        .map(|&(what, tail, why)| (what, (HEAD.to_owned() + &tail.concat()).into(), why));
    let whole = BAD_WHOLE.map(|(what, text, why)| (what, text.to_vec(), why));
    bad.into_iter().chain(whole)
}

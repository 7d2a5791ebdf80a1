//! `drover import`: foreign files, what they become, and what is told of the rest.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use lb_user::import::Origin;
use proptest::prelude::*;

use crate::site;

/// What each file becomes, read against keepalived.conf(5) line by line; and what is told, by the beginnings of its lines.
const FILES: [(&str, &str, &[&str], i32); 3] = [
    (
        include_str!("import/web.conf"),
        include_str!("import/web.toml"),
        &[
            "2: global_defs: ",
            "7: vrrp_instance: VRRP stays keepalived's",
            "27: quorum_down: no scripts are run",
            "47: real_server 192.0.2.3 443: a service has one check, that of real_server 192.0.2.2 443, line 35; here: path \"/status\", not \"/health\"",
            "60: virtual_server 192.0.2.100 8080: it is by NAT, ",
        ],
        3,
    ),
    (
        include_str!("import/dns.conf"),
        include_str!("import/dns.toml"),
        &[],
        0,
    ),
    (
        include_str!("import/marks.conf"),
        include_str!("import/marks.toml"),
        &[
            "4: fwmark 7: which VIPs and ports",
            "18: virtual_server fwmark 1: which VIPs and ports",
        ],
        3,
    ),
];

/// Whose, the text, a part of what is written, and what is told, from the line's number on.
#[rustfmt::skip]
const PIECES: [(&str, &str, &str, &[&str]); 15] = [
    ("arptables", "-A INPUT -j DROP -d 192.0.2.100\n-A OUTPUT -j mangle -s 192.0.2.100 --mangle-ip-s 192.0.2.2\n", "vips = [\"192.0.2.100\"]\n", &[]),
    ("arptables", "[0:0] -A IN -i eth1 -d 192.0.2.100 -j DROP\n-A INPUT -j DROP -d 192.0.2.0/24\n", "interfaces = [\"eth1\"]\n", &["2: -A INPUT -j DROP -d 192.0.2.0/24: `192.0.2.0/24` has a prefix length"]),
    ("arptables", ":INPUT DROP\narptables -I INPUT 1 -d 192.0.2.100 -j DROP\n-A INPUT -j ACCEPT ! -s 192.0.2.9\n", "vips = [\"192.0.2.100\"]\n", &["1: :INPUT DROP: DROP as a policy", "3: -A INPUT -j ACCEPT ! -s 192.0.2.9: "]),
    ("ipvsadm", "-A -t 192.0.2.100:http -s rr -p 300 -M 255.255.255.0\n-a -t 192.0.2.100:http -r 192.0.2.2:http -g -w 3 -x 9 -y 4\n", "listen = \"tcp/192.0.2.100:80\"\nscheduler = \"rr\"\npersistence = 300\npersistence_prefix = 24\n\n[[service.real]]\naddress = \"192.0.2.2\"\nweight = 3\nupper_threshold = 9\nlower_threshold = 4\n", &[]),
    ("ipvsadm", "-A -u [2001:db8::1]:53 -s rr -o\n-a -u [2001:db8::1]:53 -r [2001:db8::2]:53 -g -w 1\n", "listen = \"udp/[2001:db8::1]:53\"\nscheduler = \"rr\"\none_packet = true\n\n[[service.real]]\naddress = \"2001:db8::2\"\n", &[]),
    ("ipvsadm", "-A -t 192.0.2.1:80 -s rr -p\n-A -t 192.0.2.2:80 -p x -M 255.0.255.0\n-A -t 192.0.2.3:80 -M 24\n", "persistence = 360\n", &["2: -M 255.0.255.0: not a prefix", "2: -p x: not a number; 360 is used", "3: -M 24: without -p it means nothing"]),
    ("ipvsadm", "-A -t web:80 -s rr\n", "[director]", &["1: -A -t web:80 -s rr: `web` is a name"]),
    ("ipvsadm", "-A -t 192.0.2.1:80 -s mh -b mh-port,mh-fallback\n-a -t 192.0.2.1:80 -r 192.0.2.2:8080 -m -w 1\n-a -t 192.0.2.1:80 -r 192.0.2.3:80 -g -w 1\n", "scheduler = \"mh\"\nflags = [\"mh-fallback\", \"mh-port\"]\n\n[[service.real]]\naddress = \"192.0.2.3\"\n", &["2: -a -t 192.0.2.1:80 -r 192.0.2.2:8080 -m -w 1: packets are forwarded by direct routing alone"]),
    ("keepalived", "$R=192.0.2.2\n$B= \\\nreal_server ${R} 80 { \\\n weight 3 \\\n}\nvirtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol TCP\n$B\n$R=192.0.2.3\n$B\n}\n", "address = \"192.0.2.2\"\nweight = 3\n\n[[service.real]]\naddress = \"192.0.2.3\"\nweight = 3\n", &[]),
    ("keepalived", "virtual_server 192.0.2.1 80 {\nlb_kind DR\n}\n", "# virtual_server 192.0.2.1 80; no protocol is UDP in keepalived, standard input:1\n[[service]]\nlisten = \"udp/192.0.2.1:80\"\nscheduler = \"wlc\" # the default", &[]),
    ("keepalived", "virtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol TCP\nsorry_server 127.0.0.1 80\n@here quorum 2\nbogus\nreal_server 192.0.2.2 80 { UDP_CHECK {\nconnect_port 53\npayload 0a1\nrequire_reply ax 0B\n} }\n}\n", "kind = \"udp\"\nport = 53\ninterval = 60\ntimeout = 5\nrise = 1\nfall = 2 # keepalived: 1 more attempt, 1 s apart\nsend = \"hex:0a 01\"\nexpect = '(?s-u)^[\\xa0-\\xaf]\\x0b'\n", &["4: sorry_server 127.0.0.1 80: 127.0.0.1 is a loopback address", "5: @here: a line for one of several hosts", "6: bogus: not known"]),
    ("keepalived", "virtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol TCP\nreal_server 192.0.2.2 80 {\nHTTP_GET {\nurl {\npath /a\ndigest 9b3a0c85a887a256d6939da88aabd8cd\nregex ok\nregex_options caseless\n}\nurl {\npath /b\n}\nconnect_ip 192.0.2.7\n}\nTCP_CHECK {\n}\n}\n}\n", "path = \"/a\"\nstatus = \"200-299\"\nbody = \"(?i)ok\"\n", &["8: digest: it is MD5", "12: url /b: a check has one URL", "15: connect_ip: ", "17: TCP_CHECK: a service has one check"]),
    ("keepalived", "virtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol TCP\n}\nvirtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol TCP\n}\n~SEQ(A,1,2) x\ninclude /nonexistent/*.conf\n", "listen", &["5: virtual_server 192.0.2.1 80: standard input:1 has it already; left out", "9: ~SEQ and ~LST", "10: include /nonexistent/*.conf: there is no such file"]),
    ("keepalived", "virtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol TCP\nlb_algo rr\nsmtp_alert\nreal_server 192.0.2.2 81 {\nweight 70000\nSMTP_CHECK {\nhelo_name me\n}\nFILE_CHECK {\n}\n}\nreal_server 192.0.2.3 80 {\nsmtp_alert\n}\n}\n", "weight = 65535", &["5: smtp_alert: no mail is sent; `drover events -f -o json` tells of each change (and line 15)", "6: real_server port 81: ", "6: weight 70000: ", "11: FILE_CHECK: in keepalived's file 0 is good", "14: real_server 192.0.2.3 80: it has no check"]),
    ("keepalived", "virtual_server 192.0.2.1 {\nlb_kind DR\nprotocol TCP\nreal_server 192.0.2.2 {\nPING_CHECK {\n}\n}\n}\n", "listen = \"tcp/192.0.2.1:*\"\nscheduler = \"wlc\" # the default of IPVS's tools\npersistence = 360\n\n[service.check]\nkind = \"ping\"\n", &[]),
];

/// What is no file of its kind, and what is said.
#[rustfmt::skip]
const BAD: [(&str, &[u8], &str); 8] = [
    ("keepalived", b"a\nb {\n", "standard input:2: the block of `b` is not closed before the file ends"),
    ("keepalived", b"a\n}\n", "standard input:2: `}` closes nothing"),
    ("keepalived", b"{\n", "standard input:1: `{` is the block of nothing"),
    ("keepalived", b"a\0b", "standard input: not a text"),
    ("keepalived", b"a\xff", "standard input: not text in UTF-8; `iconv -t UTF-8` makes it such"),
    ("keepalived", b"a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{", "standard input:1: blocks are more than 16 deep"),
    ("keepalived", b"$A=$B $B\n$B=$A\n$A\n", "standard input:3: definitions are more than 16 deep"),
    ("arptables", b"-A FORWARD -j DROP\n", "standard input: no rule names a VIP; first: standard input:1: -A FORWARD -j DROP: it is none of those that keep a VIP quiet; what ARP for a VIP needs is done without rules"),
];

/// Code, standard output and standard error.
fn import(kind: &str, text: &[u8], more: &[&str]) -> Result<(Option<i32>, String, String)> {
    let mut child = Command::new(tests::drover_binary())
        .args(["import", kind, "-"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Of a text that is too long the end is not read.
    let _ = child.stdin.take().context("no pipe")?.write_all(text);
    let output = child.wait_with_output()?;
    Ok((
        output.status.code(),
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

#[track_caller]
fn assert_told(what: &str, stderr: &str, told: &[&str]) {
    let lines: Vec<_> = stderr.lines().collect();
    assert_eq!(lines.len(), told.len(), "{what}: {stderr}");
    for (line, told) in lines.iter().zip(told) {
        let told = format!("standard input:{told}");
        assert!(line.starts_with(&told), "{what}: {line}");
    }
}

#[test]
fn whole_files_become_what_they_mean() -> Result<()> {
    for (conf, toml, told, code) in FILES {
        let (status, stdout, stderr) = import("keepalived", conf.as_bytes(), &[])?;
        assert_eq!(stdout, toml);
        assert_told(conf, &stderr, told);
        assert_eq!(status, Some(code));
    }
    Ok(())
}

#[test]
fn pieces_are_carried_over_or_told() -> Result<()> {
    for (kind, text, part, told) in PIECES {
        let (status, stdout, stderr) = import(kind, text.as_bytes(), &[])?;
        assert!(stdout.contains(part), "{text}{stdout}{stderr}");
        assert_told(text, &stderr, told);
        assert_eq!(status, Some(if told.is_empty() { 0 } else { 3 }), "{text}");
    }
    Ok(())
}

#[test]
fn what_is_no_such_file_is_refused() -> Result<()> {
    for (kind, text, why) in BAD {
        let (status, stdout, stderr) = import(kind, text, &[])?;
        assert_eq!(stderr, format!("drover: {why}\n"));
        assert_eq!((status, stdout.as_str()), (Some(1), ""));
    }
    let (status, _, stderr) = import("keepalived", &vec![b'a'; (1 << 20) + 1], &[])?;
    let why = "drover: standard input: more than 1048576 octets\n";
    assert_eq!((status, stderr.as_str()), (Some(1), why));
    Ok(())
}

#[test]
fn what_is_imported_is_a_file_that_a_daemon_takes() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let path = host.dir().join("imported.toml");
    let name = path.display().to_string();
    let text = "-A -t 10.2.0.100:80 -s rr\n-a -t 10.2.0.100:80 -r 10.2.0.2:80 -g -w 5\n";
    let more = ["--output", &name, "--interface", "eth0"];
    let (status, stdout, stderr) = import("ipvsadm", text.as_bytes(), &more)?;
    assert_eq!(
        (status, stdout.as_str(), stderr.as_str()),
        (Some(0), "", "")
    );
    let before = fs::read(&path)?;
    let (status, _, stderr) = import("ipvsadm", text.as_bytes(), &more)?;
    let why = format!("drover: {name} is there already; name a new file\n");
    assert_eq!((status, stderr), (Some(1), why));
    assert_eq!(fs::read(&path)?, before);
    let diff = host.drover(&["diff", &name])?.success()?;
    assert!(diff.contains("~ real 10.2.0.2 weight 2 -> 5"), "{diff}");
    Ok(())
}

#[test]
fn included_files_are_read_from_where_they_are_named() -> Result<()> {
    let lab = crate::lab()?;
    let dir = lab.dir().join("conf.d");
    fs::create_dir(&dir)?;
    let server = "virtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol TCP\nbogus\n}\n";
    fs::write(dir.join("a.conf"), server)?;
    let main = lab.dir().join("main.conf");
    let text = "include conf.d/*.conf\n";
    fs::write(&main, text)?;
    let imported = Origin::Keepalived.import(&main, text, &[])?;
    assert!(imported.text.contains("listen = \"tcp/192.0.2.1:80\""));
    let place = format!("{}:4: bogus: not known", dir.join("a.conf").display());
    assert_eq!(imported.notes.lines(), [place]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Octets by chance, and words and signs of the grammars in any order.
    #[test]
    fn nothing_makes_a_reader_fall(
        octets in proptest::collection::vec(any::<u8>(), 0..300),
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..60),
    ) {
        let octets = String::from_utf8_lossy(&octets).into_owned();
        for text in [octets, words.join(" "), words.join("\n")] {
            for origin in [Origin::Keepalived, Origin::Arptables, Origin::Ipvsadm] {
                let _ = origin.import(Path::new("f"), &text, &[]);
            }
        }
    }
}

const WORDS: &[&str] = &[
    "virtual_server 192.0.2.1 80",
    "virtual_server group g",
    "virtual_server_group g",
    "fwmark",
    "{",
    "}",
    "lb_kind DR",
    "real_server 192.0.2.2 80",
    "TCP_CHECK",
    "HTTP_GET",
    "url",
    "path /",
    "UDP_CHECK",
    "payload",
    "x",
    "1",
    "-1",
    "\"",
    "\\",
    "'",
    "$A",
    "$A=",
    "${A}",
    "#",
    "@a",
    "~SEQ",
    "regex (",
    "1e999",
    "delay_loop",
    "retry",
    "::-ffff",
    "::/0",
    "\u{e9}",
    "MISC_CHECK",
    "misc_path",
    "-A",
    "-a",
    "-t",
    "192.0.2.1:80",
    "-r",
    "-p",
    "INPUT",
    "-d",
    "-j",
    "!",
    "[",
    ":",
];

//! What an operator gets to read who types wrong things, and that nothing has changed then.

mod api;
mod bad;
mod commands;
mod config;
mod daemon;
mod events;
mod files;
mod fuzz;
mod import;
mod realserver;
mod refused;
mod terminal;
mod transactions;

use std::{fs, net::Ipv4Addr};

use anyhow::Result;
use tests::{Director, Host, Lab, Output};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 2, 0, 5);

/// With comments wherever there can be one.
const CONFIG: &str = r#"# The site.
[director]
interfaces = ["eth0"] # the LAN

# Web.
[[service]] # first
listen = "tcp/10.2.0.100:80" # http
scheduler = "rr" # in turn

# Server two.
[[service.real]] # two
address = "10.2.0.2" # rack 1
weight = 2 # big

# Server three.
[[service.real]]
address = "10.2.0.3"

# DNS.
[[service]]
listen = "udp/10.2.0.100:53"
# The end.
"#;

/// A lab of one director; its real servers are not there, and so never answer.
fn lab() -> Result<Lab> {
    Lab::new(&[("director", ADDRESS)])
}

fn site() -> Result<(Lab, Director)> {
    let lab = lab()?;
    let director = lab.host("director").director(CONFIG)?;
    Ok((lab, director))
}

/// What a command that is refused leaves as it was.
#[derive(Debug, PartialEq, Eq)]
struct State {
    list: String,
    addresses: String,
    file: Vec<u8>,
}

impl State {
    fn of(host: &Host) -> Result<Self> {
        let list = host.drover(&["list", "-o", "json"])?.success()?;
        // Since when a real server is what it is, a restart and an undoing may change.
        let list: Vec<&str> = list
            .lines()
            .filter(|it| !it.contains("\"since\""))
            .collect();
        Ok(Self {
            list: list.join("\n"),
            addresses: host
                .sh("ip -4 -oneline address; ip -details link | grep -o 'xdp.*'; true")?,
            file: fs::read(host.director_config())?,
        })
    }
}

/// Checks the exit code, and all that was said: nothing but `line`, as an error.
#[track_caller]
fn assert_refused(what: &str, output: &Output, line: &str) {
    assert_eq!(output.stderr, format!("drover: {line}\n"), "{what}");
    assert_eq!(output.stdout, "", "{what}");
    assert_eq!(output.status.code(), Some(1), "{what}");
}

/// The binary where anybody may run it, and the words before it that make one nobody.
fn as_nobody(lab: &Lab, arguments: &[&str]) -> Result<Vec<String>> {
    let binary = lab.dir().join("drover");
    if !binary.exists() {
        fs::copy(tests::drover_binary(), &binary)?;
    }
    let words = [
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
    ];
    let mut words: Vec<String> = words.map(String::from).to_vec();
    words.push(binary.display().to_string());
    let with_paths = lab.host("director").drover_words(arguments);
    words.extend(
        with_paths[1..]
            .iter()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    Ok(words)
}

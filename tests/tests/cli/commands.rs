//! What commands leave of the file, and list.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::{CONFIG, State, assert_refused, lab, site};

pub(crate) const WEB: &str = "tcp/10.2.0.100:80";

#[test]
fn a_command_changes_what_it_says_and_no_comment() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    let two = "# Server two.\n[[service.real]] # two\naddress = \"10.2.0.2\" # rack 1\nweight = 7 # big\n\n";
    let steps: [(&[&str], &str, &str); 19] = [
        (
            &["service", "edit", WEB, "-s", "wrr"],
            "\"rr\" #",
            "\"wrr\" #",
        ),
        (
            &["real", "edit", WEB, "10.2.0.2", "-w", "7"],
            "2 # big",
            "7 # big",
        ),
        (
            &["real", "edit", WEB, "10.2.0.3", "-w", "0"],
            "\"10.2.0.3\"\n",
            "\"10.2.0.3\"\nweight = 0\n",
        ),
        (
            &["real", "add", WEB, "10.2.0.4", "-w", "3"],
            "weight = 0\n\n",
            "weight = 0\n\n[[service.real]]\naddress = \"10.2.0.4\"\nweight = 3\n\n",
        ),
        (
            &["service", "add", "tcp/10.2.0.100:81", "-s", "mh"],
            ":53\"\n# The end.\n",
            ":53\"\n\n[[service]]\nlisten = \"tcp/10.2.0.100:81\"\nscheduler = \"mh\"\n# The end.\n",
        ),
        (
            &["real", "remove", WEB, "10.2.0.4"],
            "[[service.real]]\naddress = \"10.2.0.4\"\nweight = 3\n\n",
            "",
        ),
        // What is written above a table is about it, and goes with it.
        (&["real", "remove", WEB, "10.2.0.2"], two, ""),
        (
            &["service", "remove", "udp/10.2.0.100:53"],
            "# DNS.\n[[service]]\nlisten = \"udp/10.2.0.100:53\"\n\n",
            "",
        ),
        (&["service", "edit", WEB, "-s", "wrr"], "", ""),
        (
            &[
                "service",
                "edit",
                WEB,
                "-p",
                "50",
                "-M",
                "255.255.255.0",
                "--expire-nodest",
            ],
            "\"wrr\" # in turn\n",
            "\"wrr\" # in turn\npersistence = 50\npersistence_prefix = 24\nexpire_nodest = true\n",
        ),
        (
            &[
                "service",
                "edit",
                WEB,
                "-M",
                "32",
                "--expire-nodest=false",
                "--no-member",
                "drop",
            ],
            "persistence_prefix = 24\nexpire_nodest = true\n",
            "no_member = \"drop\"\n",
        ),
        (
            &["service", "edit", WEB, "-p", "0", "--no-member", "reject"],
            "persistence = 50\nno_member = \"drop\"\n",
            "",
        ),
        (
            &["real", "edit", WEB, "10.2.0.3", "-x", "8", "-y", "4"],
            "weight = 0\n",
            "weight = 0\nupper_threshold = 8\nlower_threshold = 4\n",
        ),
        (
            &["real", "edit", WEB, "10.2.0.3", "-w", "1", "-y", "0"],
            "weight = 0\nupper_threshold = 8\nlower_threshold = 4\n",
            "weight = 1\nupper_threshold = 8\n",
        ),
        (
            &[
                "service",
                "edit",
                WEB,
                "--also",
                "tcp/10.2.0.100:443",
                "--also",
                "udp/10.2.0.102:443",
            ],
            "\"tcp/10.2.0.100:80\" #",
            "[\"tcp/10.2.0.100:80\", \"tcp/10.2.0.100:443\", \"udp/10.2.0.102:443\"] #",
        ),
        (
            &["service", "edit", WEB, "--not-also", "tcp/10.2.0.100:443"],
            " \"tcp/10.2.0.100:443\",",
            "",
        ),
        // The service is found by the first of its list.
        (
            &["real", "edit", WEB, "10.2.0.3", "-w", "2"],
            "weight = 1\n",
            "weight = 2\n",
        ),
        (
            &["timeouts", "set", "--tcp", "600", "--udp", "30"],
            "# the LAN\n",
            "# the LAN\n\n[director.timeouts]\ntcp = 600\nudp = 30\n",
        ),
        (
            &["timeouts", "set", "--tcp", "900", "--udp", "300"],
            "\n[director.timeouts]\ntcp = 600\nudp = 30\n",
            "",
        ),
    ];
    let mut text = CONFIG.to_owned();
    for (words, from, to) in steps {
        assert!(text.contains(from), "{words:?}: {text}");
        text = text.replacen(from, to, 1);
        host.drover(words)?.success()?;
        assert_eq!(
            fs::read_to_string(host.director_config())?,
            text,
            "{words:?}"
        );
    }
    Ok(())
}

#[test]
fn timeouts_are_those_of_the_file() -> Result<()> {
    let (lab, director) = site()?;
    let host = lab.host("director");
    let told = || host.drover(&["timeouts"])?.success();
    assert_eq!(told()?, "Timeout (tcp tcpfin udp): 900 120 300\n");
    let timeouts = "[director.timeouts] # short\ntcpfin = 20 # seconds\n";
    let config = CONFIG.replace("# the LAN\n", &format!("# the LAN\n{timeouts}"));
    director.reload(&config)?.success()?;
    assert_eq!(told()?, "Timeout (tcp tcpfin udp): 900 20 300\n");
    host.drover(&["timeouts", "set", "--tcpfin", "21", "--tcp", "60"])?
        .success()?;
    assert_eq!(told()?, "Timeout (tcp tcpfin udp): 60 21 300\n");
    let text = fs::read_to_string(host.director_config())?;
    assert_eq!(
        text,
        config.replace("20 # seconds\n", "21 # seconds\ntcp = 60\n")
    );
    let json = host.drover(&["timeouts", "-o", "json"])?.success()?;
    let json: Value = serde_json::from_str(&json)?;
    assert_eq!(
        json,
        serde_json::json!({"tcp": 60, "tcpfin": 21, "udp": 300})
    );
    Ok(())
}

#[test]
fn flows_that_are_not_kept_by_address_are_not_listed() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let config = CONFIG.replace("# the LAN\n", "# the LAN\nflow_listing = false\n");
    let _director = host.director(&config)?;
    let line = "flows cannot be listed: the tables were made with `flow_listing = false`, without \
                addresses; take that out of the file, and reload";
    assert_refused("flows", &host.drover(&["flows"])?, line);
    let status = host.drover(&["status"])?.success()?;
    assert!(status.contains("0 of 1048576, 16 octets each"), "{status}");
    Ok(())
}

#[test]
fn a_file_written_inline_is_for_the_editor() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let inline =
        "service = [{ listen = \"tcp/10.2.0.100:80\" }]\n[director]\ninterfaces = [\"eth0\"]\n";
    let _director = host.director(inline)?;
    let before = State::of(host)?;
    let output = host.drover(&["real", "add", WEB, "10.2.0.2"])?;
    let line = "`service` is written inline; only [[service]] tables can be edited by command";
    assert_refused("inline", &output, line);
    assert_eq!(State::of(host)?, before);
    Ok(())
}

#[test]
fn the_listing_has_the_keys_that_are_documented() -> Result<()> {
    let (lab, _director) = site()?;
    let list = lab
        .host("director")
        .drover(&["list", "-o", "json"])?
        .success()?;
    let list: Value = serde_json::from_str(&list)?;
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect();
        keys.sort();
        keys
    };
    let service = [
        "expire_nodest",
        "expire_quiescent",
        "flags",
        "has_quorum",
        "listen",
        "one_packet",
        "persistence",
        "persistence_prefix",
        "quorum",
        "reals",
        "scheduler",
        "service",
        "slots",
        "slots_exceptions",
        "slots_moving",
    ];
    assert_eq!(keys(&list[0]), service);
    let real = [
        "active",
        "address",
        "agent",
        "bytes",
        "check",
        "connections",
        "inactive",
        "is_sorry",
        "lower_threshold",
        "mac",
        "packets",
        "persistent",
        "reason",
        "since",
        "slots",
        "state",
        "unanswered",
        "upper_threshold",
        "weight",
    ];
    assert_eq!(keys(&list[0]["reals"][0]), real);
    assert_eq!(
        list[0]["reals"][0]["reason"],
        "nobody answers ARP for 10.2.0.2 on eth0"
    );
    assert_eq!(
        list[1],
        serde_json::json!({
            "service": "udp/10.2.0.100:53", "listen": ["udp/10.2.0.100:53"], "reals": [],
            "scheduler": "wrr", "flags": [],
            "persistence": 0, "persistence_prefix": 0, "one_packet": false,
            "expire_quiescent": false, "expire_nodest": false,
            "quorum": 1, "has_quorum": false,
            "slots": 0, "slots_moving": 0, "slots_exceptions": 0,
        })
    );
    Ok(())
}

//! The real server that is named is the one that a client then gets, and to have asked changes nothing.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{frames::SYN, wait};

use crate::{
    captures::{Cut, explain, sent, whole},
    site::{RR, Site, server},
};

#[test]
fn a_new_connection_goes_where_it_was_said() -> Result<()> {
    let site = Site::new()?;
    for (client, vip, first, is_mh) in [
        ("172.25.138.9", "172.25.138.100:80", 40_000, true),
        ("172.25.138.9", "172.25.138.100:81", 41_000, false),
        ("[2001:db8::9]", "[2001:db8::100]:80", 42_000, false),
    ] {
        let mut said = Vec::new();
        for port in first..first + 2 {
            let asked = format!("tcp {client}:{port} {vip}");
            let told = site.explain(&asked)?;
            if port == first {
                assert_eq!(site.explain(&asked)?, told, "asked again");
            }
            let name = server(&told)?;
            let page = site.page(&format!("http://{vip}/"), port)?;
            assert_eq!(page, name, "{asked}: {told:#}");
            said.push(name);
        }
        assert!(is_mh || said[0] != said[1], "{vip}: they take turns");
    }
    Ok(())
}

#[test]
fn what_is_explained_leaves_no_trace() -> Result<()> {
    let site = Site::new()?;
    // Something to list.
    site.page("http://172.25.138.100:81/", 40_000)?;
    let before = state(&site)?;
    let asked = |port: u16| site.explain(&format!("tcp 172.25.138.9:{port} 172.25.138.100:81"));
    let said = server(&asked(50_000)?)?;
    // Among themselves they take turns: an odd number, after which the live one would be another's.
    let packets: Vec<Cut> = (1..52)
        .map(|port| whole(sent(&site, port).tcp(SYN)))
        .collect();
    let among = explain(&site, &packets)?;
    let among = among.iter().map(server).collect::<Result<Vec<_>>>()?;
    assert!(among.windows(2).all(|two| two[0] != two[1]), "{among:?}");
    assert_eq!([among[0], server(&asked(50_001)?)?], [said; 2]);
    for other in [
        // Counted, if it came: that nobody has a record of it.
        "tcp 172.25.138.9:50000 172.25.138.100:81 --icmp-error",
        // Would end the connection that there is.
        "tcp 172.25.138.9:40000 172.25.138.100:81 --flags rst",
    ] {
        site.explain(other)?;
    }
    assert_eq!(state(&site)?, before);
    assert_eq!(site.page("http://172.25.138.100:81/", 50_050)?, said);
    assert_ne!(
        site.page("http://172.25.138.100:81/", 50_049)?,
        said,
        "the next turn"
    );
    Ok(())
}

/// A connection that is there stays, also where new ones do not go any more.
#[test]
fn a_record_tells_where_a_connection_is() -> Result<()> {
    let site = Site::new()?;
    let connect = "exec 3<>/dev/tcp/172.25.138.100/81; sleep 60";
    let _held = site.lab.host("client").spawn(&["bash", "-c", connect])?;
    let mut found = None;
    wait("a real server has the connection", || {
        for name in ["server2", "server3"] {
            let ss = "ss -Htn state established sport = :81";
            let line = site.lab.host(name).sh(ss)?;
            let client = line.split_whitespace().last();
            found = found.take().or(client.map(|it| (name, it.to_owned())));
        }
        Ok(found.is_some())
    })?;
    let (home, client) = found.context("no connection")?;
    let asked = |rest: &str| site.explain(&format!("tcp {client} 172.25.138.100:81 {rest}"));
    let address = site.lab.host(home).address();
    // Until its first second is over, the record may be of the handshake.
    wait("it is established", || {
        Ok(words(&asked("--flags ack")?, "flow").contains("ESTABLISHED"))
    })?;
    let weigh = ["real", "edit", RR, &address.to_string(), "--weight", "0"];
    site.director().drover(&weigh)?.success()?;
    for (rest, state) in [
        (
            "--flags ack",
            format!("ESTABLISHED at {address}, idle for "),
        ),
        ("--flags fin,ack", "; it would be: FIN_WAIT at ".to_owned()),
        ("--icmp-error", "ESTABLISHED at ".to_owned()),
    ] {
        let told = asked(rest)?;
        assert_eq!(server(&told)?, home, "{rest}: {told:#}");
        assert!(words(&told, "flow").contains(&state), "{rest}: {told:#}");
        assert_eq!(told["slot"], "not asked, as the record tells", "{rest}");
    }
    let new = server(&site.explain("tcp 172.25.138.9:43000 172.25.138.100:81")?)?;
    assert_ne!(new, home);
    assert_eq!(site.page("http://172.25.138.100:81/", 43_000)?, new);
    Ok(())
}

fn words<'v>(told: &'v Value, step: &str) -> &'v str {
    told[step].as_str().unwrap_or_default()
}

/// All that can be seen of services, flows, and packets that were not forwarded, but for what else comes by on
/// a LAN, and how long ago something was.
fn state(site: &Site) -> Result<[Value; 3]> {
    let json = |words: &[&str]| -> Result<Value> {
        let words = [words, &["-o", "json"]].concat();
        let text = site.director().drover(&words)?.success()?;
        Ok(serde_json::from_str(&text)?)
    };
    let mut list = json(&["list", "--stats"])?;
    let mut flows = json(&["flows"])?;
    without_times(&mut list);
    without_times(&mut flows);
    let flow = flows["flows"].as_array().context("flows")?;
    ensure!(flow.len() == 1, "{flows}");
    let mut reasons = json(&["status"])?["reasons"].take();
    let counted = reasons.as_object_mut().context("reasons")?;
    counted.retain(|name, _| !["not_ip", "no_service", "other_protocol"].contains(&name.as_str()));
    Ok([list, flows, reasons])
}

/// Takes out what changes by itself.
fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !name.ends_with("seconds_ago") && name != "expires" && !name.ends_with("per_second")
            });
            fields.values_mut().for_each(without_times);
        }
        Value::Array(values) => values.iter_mut().for_each(without_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

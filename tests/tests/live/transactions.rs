//! What is told of a change before it is made: slots that move, connections that are cut.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::site::{SERVICE, Site, wait};

#[test]
fn slots_that_move_and_connections_that_are_cut_are_counted() -> Result<()> {
    let site = Site::new("", "mh", 3)?;
    let director = site.lab.host("director");
    let text = fs::read_to_string(director.director_config())?;
    let other = director.dir().join("other.toml");
    let diff = |text: &str| -> Result<Value> {
        fs::write(&other, text)?;
        let json = site.drover(&["diff", &other.display().to_string(), "-o", "json"])?;
        Ok(serde_json::from_str::<Value>(&json)?["services"][0].clone())
    };
    // A third of 1021 slots, and with Maglev few of the others' (section 5.3 of its paper).
    let fewer = text.replacen("\n[[service.real]]\naddress = \"172.25.138.4\"\n", "\n", 1);
    let removed = diff(&fewer)?;
    let slots = &removed["slots"];
    let moving = slots["moving"].as_u64().unwrap_or_default();
    assert_eq!(slots["of"], 1021);
    assert!((340..420).contains(&moving), "{removed}");
    assert_eq!(
        (&removed["cut"], &removed["cuts_untracked"]),
        (&0.into(), &false.into())
    );
    // One that nobody has asked for yet is taken to answer.
    let more = text.replacen(
        "[[service.real]]",
        "[[service.real]]\naddress = \"172.25.138.77\"\n\n[[service.real]]",
        1,
    );
    let moving = diff(&more)?["slots"]["moving"].as_u64().unwrap_or_default();
    assert!((255..340).contains(&moving), "a quarter: {moving}");
    // Of a hash, connections have no records.
    let none = diff(&text.replace(&format!("\"{SERVICE}\""), "\"tcp/172.25.138.101:80\""))?;
    assert_eq!(none["change"], "added", "{none}");

    let rr = text.replace("\"mh\"", "\"rr\"");
    fs::write(director.director_config(), &rr)?;
    site.drover(&["reload"])?;
    let connect = "exec 3<>/dev/tcp/172.25.138.100/80; sleep 30";
    let _held = site.lab.host("client").spawn(&["bash", "-c", connect])?;
    wait("the connection is there", || {
        let flows = site.drover(&["flows", "--state", "established"])?;
        Ok(flows.lines().count() == 2)
    })?;
    let (_, rest) = rr.split_once("[[service]]").expect("a service");
    let (first, second) = rest.split_once("[[service]]").expect("another");
    let without = rr.replace(&format!("[[service]]{first}"), "");
    let cut = |text: &str| -> Result<String> {
        fs::write(&other, text)?;
        let table = site.drover(&["diff", &other.display().to_string()])?;
        Ok(table.lines().last().unwrap_or_default().trim().to_owned())
    };
    assert_eq!(cut(&without)?, "1 connection is cut");
    assert!(second.contains("2001:db8::100"));
    let expels = rr.replace(
        "scheduler = \"rr\"",
        "scheduler = \"rr\"\nexpire_nodest = true",
    );
    assert_eq!(cut(&expels)?, "no connection is cut");
    let mut expelled = expels;
    for real in ["172.25.138.2", "172.25.138.3", "172.25.138.4"] {
        expelled = expelled.replacen(
            &format!("\n[[service.real]]\naddress = \"{real}\"\n"),
            "\n",
            1,
        );
    }
    let table = {
        fs::write(&other, &expelled)?;
        site.drover(&["diff", &other.display().to_string()])?
    };
    assert!(table.contains("    1 connection is cut\n"), "{table}");
    Ok(())
}

//! Real servers that clients' connections tell of, and no check.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::site::{SERVICE, SERVICE6, Site, URLS};

#[test]
fn one_that_leaves_clients_without_an_answer_is_taken_out_and_tried_again() -> Result<()> {
    let site = Site::new("", "rr", 3)?;
    site.drover(&["service", "edit", SERVICE6, "--scheduler", "mh"])?;
    let config = site.lab.host("director").director_config();
    let text = fs::read_to_string(&config)?;
    let passive = "[service.passive]\nattempts = 5\nwindow = 30\nhold = 5\n\n[[service.real]]";
    fs::write(&config, text.replacen("[[service.real]]", passive, 1))?;
    site.drover(&["reload"])?;
    // As a firewall does, or a kernel whose queue is full: it answers ARP, and no SYN.
    let server = site.lab.host("server2");
    server.sh("nft add table ip t
         nft add chain ip t c '{ type filter hook input priority 0; }'
         nft add rule ip t c tcp dport 80 drop")?;
    let client = site.lab.host("client");
    let connect = "for _ in $(seq 30); do curl -s -o /dev/null --max-time 1 http://172.25.138.100/ & done; wait";
    client.sh(connect)?;
    let took = site.wait_for(SERVICE, |reals| reals[0]["state"] == "down")?;
    println!("down {took:?} after the last client gave up");
    let list: Value = serde_json::from_str(&site.drover(&["list", "-o", "json"])?)?;
    let reals = &list[0]["reals"];
    let reason = reals[0]["reason"].as_str().unwrap_or_default();
    assert!(
        reason.ends_with(" connections unanswered in 30 s"),
        "{reals}"
    );
    // Its turns, each of two SYNs or more; fewer if it was out before all clients had come.
    let unanswered = reals[0]["unanswered"].as_u64().unwrap_or_default();
    assert!((5..=10).contains(&unanswered), "{reals}");
    for other in [&reals[1], &reals[2]] {
        assert_eq!(other["state"], "active", "{reals}");
        assert_eq!(other["unanswered"], 0, "{reals}");
    }
    // Without records nobody knows.
    assert_eq!(list[1]["reals"][0]["unanswered"], Value::Null, "{list}");
    for _ in 0..4 {
        assert_ne!(site.page(URLS[0])?, "server2\n");
    }
    server.sh("nft delete table ip t")?;
    let took = site.wait_for(SERVICE, |reals| reals[0]["state"] == "active")?;
    println!("tried again after {took:?}");
    let pages: Vec<String> = (0..3).map(|_| site.page(URLS[0])).collect::<Result<_>>()?;
    assert!(pages.iter().any(|page| page == "server2\n"), "{pages:?}");
    Ok(())
}

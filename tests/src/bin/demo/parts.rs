//! The experiment, part by part. Each says what it shows, and fails if it is not seen.

use std::{thread::sleep, time::Duration};

use anyhow::{Context, Result, ensure};
use tests::Nginx;

use crate::site::{SERVERS, Site, VIP};

pub(crate) fn round_robin(site: &mut Site) -> Result<()> {
    site.show.part("(a) Round robin");
    attach(site)?;
    site.start_director()?;
    site.browse_in_turns(10)?;
    site.show.found("server2 and server3 take turns");
    Ok(())
}

pub(crate) fn counts(site: &Site) -> Result<()> {
    site.show.part("(d) What the director has counted");
    let list = site.types("director", "drover list")?;
    site.show.saw(&list);
    for real in site.reals()? {
        let address = real["address"]
            .as_str()
            .context("a real server without an address")?;
        let host = site
            .lab
            .hosts()
            .iter()
            .find(|host| host.address().to_string() == address);
        let host = host.with_context(|| format!("{address} is no host here"))?;
        let (counted, seen) = (
            real["connections"].as_u64(),
            site.served.get(host.name()).copied(),
        );
        ensure!(
            counted == seen,
            "{host} has served {seen:?} connections, and the director has counted {counted:?}"
        );
    }
    let seen: Vec<String> = site
        .served
        .iter()
        .map(|(server, pages)| format!("{pages} from {server}"))
        .collect();
    site.show.found(&format!(
        "as many connections as pages came: {}",
        seen.join(", ")
    ));
    Ok(())
}

pub(crate) fn restart(site: &mut Site) -> Result<()> {
    site.show.part("(e) kill -9 and restart during a download");
    let url = format!("http://{VIP}/slow");
    let client = site.lab.host("client");
    site.show
        .typed(client, &format!("curl -o /dev/null {url} &"));
    let mut download = client.spawn(&[
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        "--max-time",
        "30",
        &url,
    ])?;
    sleep(Duration::from_secs(1));
    let director = site.director.as_mut().context("there is no director")?;
    site.show
        .typed("director", &format!("kill -9 {}", director.process().id()));
    director.kill9();
    site.browse_in_turns(4)?;
    site.show.found("without its daemon, the director goes on");
    ensure!(
        download.is_running(),
        "the download ended before the restart: {}",
        download.log()
    );
    site.start_director()?;
    ensure!(
        download.is_running(),
        "the download ended before it could notice the restart: {}",
        download.log()
    );
    let status = download.wait(Duration::from_secs(30))?;
    let size = download.log();
    ensure!(
        status.success() && size == Nginx::SLOW.to_string(),
        "the download ends with {status}, after {size} bytes"
    );
    site.show
        .found(&format!("the download completes: {size} bytes"));
    site.browse_in_turns(10)?;
    site.show.found("the servers take turns");
    Ok(())
}

pub(crate) fn attach(site: &Site) -> Result<()> {
    let attach = format!("drover realserver attach --interface eth0 --vip {VIP}");
    SERVERS
        .iter()
        .try_for_each(|server| site.types(server, &attach).map(drop))
}

//! A service's totals do not fall when a member goes, which Prometheus would take for a restart that counted all of it
//! anew.

use anyhow::{Result, ensure};
use tests::drover_binary;

use crate::site::{REAL, Site, WEB};

#[test]
fn what_a_member_was_counted_stays_in_its_service_s_totals() -> Result<()> {
    let mut site = Site::new()?;
    let total = format!("drover_service_packets_total{{service=\"{WEB}\"}}");
    let member = format!("drover_member_packets_total{{service=\"{WEB}\",real=\"{REAL}\"}}");
    let before = site.series()?.get(&total)?;
    ensure!(before > 0.0);
    site.drover(&["real", "remove", WEB, REAL])?;
    // Its connections have ended by FIN; it stays until their records have: two minutes by default.
    site.drover(&["timeouts", "set", "--tcpfin", "1"])?;
    site.wait_for("it is gone", |series| series.get(&member).is_err())?;
    ensure!(site.series()?.get(&total)? >= before);

    site.director.stop()?;
    site.director.start()?;
    ensure!(site.series()?.get(&total)? >= before, "after a restart");

    // To nothing, as a counter may: less would be a restart that had counted it all again.
    let director = site.lab.host("director");
    let socket = director.dir().join("director.sock");
    director.sh(&format!(
        "DROVER_SOCKET={} {} ipvsadm -Z",
        socket.display(),
        drover_binary().display()
    ))?;
    site.wait_for("it begins at 0", |series| {
        series.get(&total).ok() == Some(0.0)
    })?;
    Ok(())
}

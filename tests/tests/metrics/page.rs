//! The status page, as a browser has it that can reach nothing but the director.

use anyhow::{Context as _, Result, ensure};
use tests::wait;

use crate::site::{CONFIG, NOBODY, REAL, Site, URL, VIP, WEB, get};

/// What a browser makes of the page, without its script, after some seconds of its own clock, which does not wait between
/// answers. What its console tells is an error: of scripts, of the policy, of what could not be loaded.
fn browse(site: &Site) -> Result<String> {
    let client = site.lab.host("client");
    let profile = format!("--user-data-dir={}", client.dir().join("browser").display());
    let url = format!("{URL}/");
    let words = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        // Of the page alone: `CONSOLE` lines are its own.
        "--enable-logging=stderr",
        "--virtual-time-budget=9000",
        "--dump-dom",
        &profile,
        &url,
    ];
    let output = client.run(&words)?;
    ensure!(!output.stderr.contains("CONSOLE"), "{}", output.stderr);
    let dom = output.success()?;
    let (dom, _) = dom.split_once("<script>").context("no script")?;
    Ok(dom.to_owned())
}

/// The text of the row that begins with a header.
fn row(dom: &str, head: &str) -> Result<String> {
    let rows = dom.split("<tr").skip(1);
    let mut rows = rows.filter_map(|row| row.split_once("</tr>").map(|it| it.0));
    let head = format!(">{head}</th>");
    let row = rows.find(|row| row.contains(&head));
    let row = row.with_context(|| format!("no row of {head} in {dom}"))?;
    let texts = row.split('<').filter_map(|part| part.split_once('>'));
    let texts = texts.map(|(_, text)| text.trim());
    let texts: Vec<&str> = texts.filter(|it| !it.is_empty()).collect();
    Ok(texts.join(" "))
}

#[test]
fn a_browser_shows_what_is_wrong() -> Result<()> {
    let mut site = Site::new()?;
    let dom = browse(&site)?;
    ensure!(row(&dom, REAL)?.contains("● active"), "{dom}");
    let nobody = row(&dom, NOBODY)?;
    ensure!(nobody.contains("? unresolved"), "{nobody}");
    let lost =
        "<strong>Quorum lost</strong>: tcp/10.2.0.100:81: it needs a weight of 2; 1 of 2 active";
    ensure!(dom.contains(lost), "{dom}");
    ensure!(
        dom.contains(">live<") && !dom.contains("<strong>VIP leak"),
        "{dom}"
    );

    let asking = CONFIG.replace("http = ", "leak_check = 1\nhttp = ");
    site.director.reload(&asking)?.success()?;
    site.web.process().kill9();
    let server = site.lab.host("server2");
    server.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=0")?;
    wait("it is down, and heard to leak", || {
        let status = get(site.lab.host("client"), &[&format!("{URL}/status.json")])?;
        Ok(status.contains(r#""state":"down""#) && status.contains(&format!(r#"{{"vip":"{VIP}""#)))
    })?;
    let dom = browse(&site)?;
    let real = row(&dom, REAL)?;
    ensure!(
        real.contains("✖ down") && real.contains("refused"),
        "{real}"
    );
    let alarm = format!(
        "<strong>VIP leak</strong>: {VIP} is also at {} on eth0: real server {REAL}.",
        server.mac()
    );
    ensure!(dom.contains(&alarm), "{dom}");
    let event = format!("{REAL} of {WEB}: active → down");
    ensure!(dom.contains(&event), "{dom}");
    Ok(())
}

/// The policy lets in what the page has, and nothing else; there is nothing to keep, and nothing to follow.
#[test]
fn the_page_needs_nothing_from_elsewhere() -> Result<()> {
    let site = Site::new()?;
    let client = site.lab.host("client");
    let got = get(client, &["-i", &format!("{URL}/")])?;
    let (head, page) = got.split_once("\r\n\r\n").context("no header")?;
    let head = head.to_lowercase();
    for line in [
        "content-type: text/html; charset=utf-8",
        "content-security-policy: default-src 'none'; style-src 'sha256-",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        ensure!(head.contains(line), "{line}: {head}");
    }
    ensure!(
        !head.contains("set-cookie") && !head.contains("unsafe"),
        "{head}"
    );
    // A namespace's name, of SVG, and the icon, which is in its address.
    let addresses = page.replace("http://www.w3.org/2000/svg", "");
    ensure!(!addresses.contains("http:") && !addresses.contains("https:"));
    for word in ["innerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        ensure!(!page.contains(word), "{word}");
    }
    ensure!(
        page.contains("<code>drover list</code>"),
        "without JavaScript"
    );
    Ok(())
}

//! The site of the experiment, and what an operator does there.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tests::{Director, Host, Lab, Mac, Nginx};

use crate::show::Show;

pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(172, 25, 138, 100);
pub(crate) const SERVERS: [&str; 2] = ["server2", "server3"];

const HOSTS: [(&str, Ipv4Addr); 4] = [
    ("client", Ipv4Addr::new(172, 25, 138, 9)),
    ("director", Ipv4Addr::new(172, 25, 138, 5)),
    ("server2", Ipv4Addr::new(172, 25, 138, 2)),
    ("server3", Ipv4Addr::new(172, 25, 138, 3)),
];

const CONFIG: &str = r#"[director]
interfaces = ["eth0"]

[[service]]
listen = "tcp/172.25.138.100:80"
scheduler = "rr"

[[service.real]]
address = "172.25.138.2"

[[service.real]]
address = "172.25.138.3"
"#;

/// The fields are dropped in this order: the lab last.
pub(crate) struct Site {
    pub(crate) director: Option<Director>,
    webs: Vec<Nginx>,
    pub(crate) show: Show,
    /// Pages that came by way of the director, by server.
    pub(crate) served: BTreeMap<String, u64>,
    pub(crate) lab: Lab,
}

impl Site {
    pub(crate) fn new(show: Show) -> Result<Self> {
        show.part("LVS direct routing on XDP: one VIP, one director, two real servers, one LAN");
        let lab = Lab::new(&HOSTS)?;
        for host in lab.hosts() {
            show.plain(&format!(
                "{:>8}  {:<14} {}",
                host.name(),
                host.address().to_string(),
                host.mac()
            ));
        }
        show.plain(&format!("{:>8}  {VIP}", "VIP"));
        let webs = SERVERS.map(|name| lab.host(name).nginx(&format!("{name}\n")));
        let webs = webs.into_iter().collect::<Result<_>>()?;
        show.plain("nginx on each real server says which one it is.");
        Ok(Self {
            director: None,
            webs,
            show,
            served: BTreeMap::new(),
            lab,
        })
    }

    pub(crate) fn keep(self) -> Result<Vec<String>> {
        // Their guards would end them.
        std::mem::forget((self.director, self.webs));
        self.lab.keep()
    }

    /// Types a line on a host, and returns its output.
    pub(crate) fn types(&self, host: &str, line: &str) -> Result<String> {
        let host = self.lab.host(host);
        self.show.typed(host, line);
        self.runs(host, line)
    }

    fn runs(&self, host: &Host, line: &str) -> Result<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let output = match words.as_slice() {
            ["drover", arguments @ ..] => host.drover(arguments)?,
            words => host.run(words)?,
        };
        output.success().with_context(|| format!("on {host}"))
    }

    /// Starts the daemon, and waits until it knows where the real servers are.
    pub(crate) fn start_director(&mut self) -> Result<()> {
        self.show
            .typed("director", "drover director --config director.toml &");
        match &mut self.director {
            Some(director) => director.start()?,
            None => self.director = Some(self.lab.host("director").director(CONFIG)?),
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let reals = self.reals()?;
            if reals.len() == SERVERS.len() && reals.iter().all(|real| real["mac"].is_string()) {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the director does not find its real servers: {reals:?}"
            );
            sleep(Duration::from_millis(100));
        }
    }

    /// Fetches the page `count` times, and returns which server each came from.
    pub(crate) fn browse(&self, count: usize) -> Result<Vec<String>> {
        let line = format!("curl -sS --max-time 5 http://{VIP}/");
        let client = self.lab.host("client");
        self.show.typed(
            client,
            &format!("for i in $(seq {count}); do curl http://{VIP}/; done"),
        );
        let pages = (0..count).map(|_| Ok(self.runs(client, &line)?.trim().to_owned()));
        let pages = pages.collect::<Result<Vec<_>>>()?;
        self.show.saw(&pages.join(" "));
        Ok(pages)
    }

    /// Like [`Site::browse`], by way of the director: the servers must take turns.
    pub(crate) fn browse_in_turns(&mut self, count: usize) -> Result<()> {
        let pages = self.browse(count)?;
        self.take_turns(&pages)
    }

    pub(crate) fn take_turns(&mut self, pages: &[String]) -> Result<()> {
        for page in pages {
            ensure!(
                SERVERS.contains(&page.as_str()),
                "{page:?} is not a page of the real servers"
            );
            *self.served.entry(page.clone()).or_default() += 1;
        }
        ensure!(
            pages.windows(2).all(|two| two[0] != two[1]),
            "the real servers do not take turns: {}",
            pages.join(" ")
        );
        Ok(())
    }

    /// As `drover list -o json` gives them.
    pub(crate) fn reals(&self) -> Result<Vec<Value>> {
        let list = self.runs(self.lab.host("director"), "drover list -o json")?;
        let list: Value = serde_json::from_str(&list).context("reading `drover list -o json`")?;
        let reals = list[0]["reals"].as_array();
        reals
            .cloned()
            .with_context(|| format!("no real servers in {list}"))
    }

    pub(crate) fn host_of(&self, mac: Mac) -> Result<&Host> {
        match self.lab.hosts().iter().find(|host| host.mac() == mac) {
            Some(host) => Ok(host),
            None => bail!("no host has the MAC {mac}"),
        }
    }
}

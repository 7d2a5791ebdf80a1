//! What an operator does, and what happens to him.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::site::{REALS, SERVICES, Site};
use crate::{Chance, wait_within};

/// Those that refuse nobody while a real server can serve: not sh, dh and ovf.
const SCHEDULERS: [&str; 11] = [
    "rr", "wrr", "lc", "wlc", "sed", "nq", "mh", "lblc", "lblcr", "fo", "twos",
];
/// From a web server's end to its return.
const DOWN: Duration = Duration::from_millis(1500);

pub(super) struct Acts {
    chance: Chance,
    pub(super) crashes: Vec<Instant>,
}

impl Acts {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            crashes: Vec::new(),
        }
    }

    pub(super) fn pause(&mut self) -> Duration {
        Duration::from_millis(100 + self.chance.below(500) as u64)
    }

    /// Does something, and says what.
    pub(super) fn act(&mut self, site: &mut Site) -> Result<String> {
        let which = self.chance.below(SERVICES.len());
        let service = SERVICES[which];
        let one = 1 + self.chance.below(2);
        let real = REALS[which][one];
        match self.chance.below(12) {
            0 | 1 => {
                let any = REALS[which][self.chance.below(3)];
                let least = usize::from(any == REALS[which][0]);
                let weight = (least + self.chance.below(5)).to_string();
                site.drover(&["real", "edit", service, any, "-w", &weight])?;
                Ok(format!("weight {weight}: {service} {any}"))
            }
            2 => {
                site.drover(&["real", "remove", service, real])?;
                sleep(self.pause());
                site.drover(&["real", "add", service, real])?;
                Ok(format!("removed and added: {service} {real}"))
            }
            3 | 4 => {
                let scheduler = SCHEDULERS[self.chance.below(SCHEDULERS.len())];
                site.drover(&["service", "edit", service, "-s", scheduler])?;
                Ok(format!("{scheduler}: {service}"))
            }
            5 => {
                site.director.kill9();
                sleep(self.pause());
                site.director.start()?;
                Ok("daemon killed and started".to_owned())
            }
            6 => {
                site.director.stop()?;
                sleep(self.pause());
                site.director.start()?;
                Ok("daemon stopped and started".to_owned())
            }
            7 => self.file_with_an_error(site),
            8 => self.unconfirmed(site),
            9 => {
                let mac = format!("02:00:00:00:0{one}:{:02x}", self.chance.below(256));
                site.server(one)
                    .sh(&format!("ip link set eth0 address {mac}"))?;
                Ok(format!("MAC {mac}: {}", site.server(one)))
            }
            10 => self.other_tables(site),
            _ => self.crash(site, one),
        }
    }

    fn file_with_an_error(&mut self, site: &Site) -> Result<String> {
        let host = site.lab.host("director");
        let text = fs::read_to_string(host.director_config())?;
        let bad = host.dir().join("bad.toml");
        fs::write(&bad, text.replacen("scheduler", "schedular", 1))?;
        let refused = host.drover(&["apply", &bad.display().to_string()])?;
        ensure!(
            refused.stderr.contains("unknown key `schedular`"),
            "{}",
            refused.stderr
        );
        ensure!(
            fs::read_to_string(host.director_config())? == text,
            "it is written"
        );
        Ok("a file with an error, refused".to_owned())
    }

    /// A real server of each service taken out, by a change that nobody confirms; perhaps the daemon is
    /// killed meanwhile.
    fn unconfirmed(&mut self, site: &mut Site) -> Result<String> {
        let host = site.lab.host("director").clone();
        let text = fs::read_to_string(host.director_config())?;
        let other = host.dir().join("other.toml");
        let mut fewer = text.clone();
        for reals in REALS {
            let real = format!("\n[[service.real]]\naddress = \"{}\"\n", reals[2]);
            if let Some((before, rest)) = fewer.split_once(&real) {
                let next = rest.find("\n[[").unwrap_or(rest.len());
                fewer = [before, &rest[next..]].concat();
            }
        }
        fs::write(&other, fewer)?;
        let other = other.display().to_string();
        site.drover(&["apply", &other, "--confirm-within", "1s"])?;
        let is_killed = self.chance.below(2) == 0;
        if is_killed {
            site.director.kill9();
            sleep(self.pause());
            site.director.start()?;
        }
        wait_within(Duration::from_secs(5), "it is taken back", || {
            Ok(fs::read_to_string(host.director_config())? == text)
        })?;
        let how = if is_killed {
            ", and the daemon killed"
        } else {
            ""
        };
        Ok(format!("a change that nobody confirms{how}, taken back"))
    }

    fn other_tables(&mut self, site: &Site) -> Result<String> {
        let host = site.lab.host("director");
        let memory = ["16MiB", "32MiB", "64MiB"][self.chance.below(3)];
        let listing = self.chance.below(2) == 0;
        let text = fs::read_to_string(host.director_config())?;
        let services = text.find("\n[[service]]").unwrap_or(text.len());
        let head = format!(
            "[director]\ninterfaces = [\"eth0\"]\nflow_memory = \"{memory}\"\nflow_listing = {listing}\n"
        );
        fs::write(host.director_config(), head + &text[services..])?;
        site.drover(&["reload"])?;
        Ok(format!("tables of {memory}, listing {listing}"))
    }

    fn crash(&mut self, site: &mut Site, one: usize) -> Result<String> {
        self.crashes.push(Instant::now());
        if let Some(mut web) = site.webs[one].take() {
            web.process().kill9();
        }
        sleep(DOWN);
        let host = site.server(one).clone();
        site.webs[one] = Some(host.nginx(&format!("{host}\n"))?);
        Ok(format!("web server of {host} killed and started"))
    }

    /// Brings all real servers back, and sees that they are well.
    pub(super) fn settle(&mut self, site: &mut Site) -> Result<()> {
        for (service, reals) in SERVICES.iter().zip(REALS) {
            for real in reals {
                site.drover(&["real", "edit", service, real, "-w", "1"])?;
            }
        }
        site.wait_for(|real| real["state"] == "active")
    }
}

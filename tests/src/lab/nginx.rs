//! A real web server on a host.
//!
//! `/` is a page that says which server this is, `/big` is 64 MiB, `/slow` is 16 MiB at 2 MiB a second: a connection that
//! lasts eight seconds.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{Host, Process};

/// A running nginx; dropped, it stops.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
}

impl Nginx {
    /// The size of `/big`.
    pub const BIG: u64 = 64 << 20;
    /// The size of `/slow`.
    pub const SLOW: u64 = 16 << 20;

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Host {
    /// Serves `body` as `/` on all the host's addresses, port 80, and returns once it does.
    pub fn nginx(&self, body: &str) -> Result<Nginx> {
        self.nginx_on(80, body)
    }

    pub fn nginx_on(&self, port: u16, body: &str) -> Result<Nginx> {
        let dir = self.dir().join(format!("nginx-{port}"));
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("index"), body)?;
        // With holes instead of bytes.
        File::create(dir.join("big"))?.set_len(Nginx::BIG)?;
        File::create(dir.join("slow"))?.set_len(Nginx::SLOW)?;
        let (configuration, errors) = (dir.join("nginx.conf"), dir.join("error.log"));
        fs::write(&configuration, self::configuration(port))?;
        let (dir, configuration, errors) = (
            dir.as_os_str(),
            configuration.as_os_str(),
            errors.as_os_str(),
        );
        let words = [
            "nginx".as_ref(),
            "-p".as_ref(),
            dir,
            "-c".as_ref(),
            configuration,
            "-e".as_ref(),
            errors,
        ];
        let mut process = self.spawn(&words)?;

        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.enter(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())? {
            let waits = process.is_running() && Instant::now() < deadline;
            let why = || {
                format!(
                    "{}{}",
                    process.log(),
                    fs::read_to_string(errors).unwrap_or_default()
                )
            };
            ensure!(waits, "nginx does not serve on {self}: {}", why().trim());
            sleep(Duration::from_millis(10));
        }
        Ok(Nginx { process })
    }
}

/// Paths are relative to the prefix: nothing of the machine's own nginx is read or written.
fn configuration(port: u16) -> String {
    let ipv6 = match Path::new("/proc/net/if_inet6").exists() {
        true => format!("        listen [::]:{port} backlog=4096;\n"),
        false => String::new(),
    };
    format!(
        "daemon off;
user root;
worker_processes 1;
pid pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type text/plain;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    server {{
        listen 0.0.0.0:{port} backlog=4096;
{ipv6}        root .;
        index index;
        location = /slow {{ limit_rate 2m; }}
    }}
}}
"
    )
}

//! The servers that are checked: nginx, dnsmasq, openssl, and what there is no small program for.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use h2::server;
use hyper::{HeaderMap, Response};
use tests::{Host, Process};

use crate::certificates;

const NGINX: &str = r#"
daemon off;
user root;
worker_processes 1;
pid pid;
error_log error.log info;
events { worker_connections 1024; }
http {
    access_log access.log;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    server_tokens off;
    server {
        listen 80;
        listen [::]:80;
        listen 443 ssl;
        ssl_certificate good.pem;
        ssl_certificate_key good.key;
        location = / { return 200 "welcome to server2\n"; }
        location = /host { return 200 "$request_method $host $http_user_agent $ssl_server_name"; }
        location = /old { return 301 /; }
        location = /broken { return 503; }
        location = /nothing { return 204; }
        location = /large { root .; }
    }
    server {
        listen 8443 ssl;
        ssl_certificate soon.pem;
        ssl_certificate_key soon.key;
        location / { return 200; }
    }
}
"#;

/// Dropped, they stop; threads end with the test.
pub(crate) struct Servers {
    _processes: Vec<Process>,
}

/// Starts all of them on a host.
pub(crate) fn start(host: &Host) -> Result<Servers> {
    let dir = host.dir();
    let soon = "3 days 1 hour";
    certificates::make(
        host,
        dir,
        &[
            ("good", "web.example", "60 days 1 hour"),
            ("soon", "soon.example", soon),
            ("past", "past.example", "2 days ago"),
        ],
    )?;
    fs::write(dir.join("nginx.conf"), NGINX)?;
    fs::write(dir.join("large"), vec![b'x'; (1 << 20) + 1])?;
    let at = dir.display();
    let mut processes = Vec::new();
    for line in [
        format!("nginx -p {at} -c {at}/nginx.conf -e {at}/error.log"),
        format!(
            "openssl s_server -accept 4433 -cert {at}/past.pem -key {at}/past.key -quiet -no_tls1_3"
        ),
        format!("openssl s_server -accept 4434 -cert {at}/soon.pem -key {at}/soon.key -quiet"),
        "dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
         --local=/example/ --host-record=web.example,192.0.2.1"
            .to_owned(),
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        processes.push(host.spawn(&words)?);
    }
    host.enter(|| -> Result<()> {
        speaks(
            25,
            &[
                "220-mail.example\r\n220 ESMTP\r\n",
                "250 hello\r\n",
                "221 bye\r\n",
            ],
        )?;
        speaks(26, &["554 no service\r\n"])?;
        hears(39, "554 no service\r\n")?;
        speaks(27, &["220 mail.example\r\n", "550 who are you?\r\n"])?;
        speaks(28, &["220 mail.exa"])?;
        silent(29)?;
        halts(30)?;
        answers(7007, &[(b"ping", b"pong"), (b"\x01\x02", b"\xff\x00")])?;
        grpc(50051)?;
        for port in [80, 443, 8443, 4433, 4434, 53] {
            let deadline = Instant::now() + Duration::from_secs(10);
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                ensure!(Instant::now() < deadline, "nobody serves port {port}");
                thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    })??;
    Ok(Servers {
        _processes: processes,
    })
}

/// Says the first line, and another to each that it is told; then closes.
fn speaks(port: u16, lines: &'static [&str]) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    let serve = move |mut stream: TcpStream| -> std::io::Result<()> {
        for line in lines {
            stream.write_all(line.as_bytes())?;
            let _ = stream.read(&mut [0; 512])?;
        }
        Ok(())
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    Ok(())
}

/// Says something once it is asked, whatever that is.
fn hears(port: u16, line: &'static str) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(line.as_bytes());
        }
    });
    Ok(())
}

/// Takes connections and says nothing.
fn silent(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    thread::spawn(move || {
        let taken: Vec<_> = listener.incoming().collect();
        drop(taken);
    });
    Ok(())
}

/// Answers a request in HTTP, but for the body's end.
fn halts(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    thread::spawn(move || {
        let mut halted = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
            halted.push(stream);
        }
    });
    Ok(())
}

/// Answers datagrams that it knows.
fn answers(port: u16, known: &'static [(&[u8], &[u8])]) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let is_it = |(asked, _): &&(&[u8], &[u8])| *asked == &buffer[..len];
            if let Some((_, answer)) = known.iter().find(is_it) {
                let _ = socket.send_to(answer, from);
            }
        }
    });
    Ok(())
}

/// grpc.health.v1 as health.proto and the gRPC protocol have it: of the server as a whole, `up`, `down`, and no other.
fn grpc(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("of this runtime");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(call(stream));
            }
        });
    });
    Ok(())
}

async fn call(stream: tokio::net::TcpStream) -> Option<()> {
    let mut connection = server::handshake(stream).await.ok()?;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        tokio::spawn(async move {
            let mut body = request.into_body();
            let mut asked = Vec::new();
            while let Some(Ok(data)) = body.data().await {
                asked.extend_from_slice(&data);
            }
            let (message, status): (&[u8], _) = match asked.get(7..).unwrap_or_default() {
                b"" | b"up" => (&[8, 1], "0"),
                b"down" => (&[8, 2], "0"),
                _ => (&[], "5"),
            };
            let response = Response::builder().header("content-type", "application/grpc");
            let response = response.body(()).ok()?;
            let mut stream = respond.send_response(response, false).ok()?;
            if status == "0" {
                let frame = [&[0, 0, 0, 0, message.len() as u8], message].concat();
                stream.send_data(Bytes::from(frame), false).ok()?;
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", status.parse().ok()?);
            stream.send_trailers(trailers).ok()
        });
    }
    Some(())
}

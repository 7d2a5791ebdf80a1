//! What is made around a check first: a file, a program, an address that nobody has.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::{
    ADDRESS, check,
    kinds::{TCP, once, said},
    lab, on, servers,
};

#[test]
fn cas_that_come_later_are_read() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let _servers = servers::start(host)?;
    let dir = host.dir();
    let ca = dir.join("later.pem");
    let at = ca.display();
    let lines =
        format!("kind = 'tls'\nport = 443\nsni = 'web.example'\nverify = true\nca = '{at}'");
    let check = check(TCP, &lines)?;
    let missing = format!("{at}: No such file or directory (os error 2)");
    assert_eq!(
        on(host, said(TCP, &check, [127, 0, 0, 1].into()))??,
        Err(missing)
    );
    fs::copy(dir.join("ca.pem"), &ca)?;
    let ends = "certificate of CN web.example ends in 60 days".to_owned();
    assert_eq!(
        on(host, said(TCP, &check, [127, 0, 0, 1].into()))??,
        Ok(ends)
    );
    Ok(())
}

#[test]
fn who_does_not_answer_is_told_from_who_cannot_be_reached() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    host.sh("ip neigh replace 10.3.0.9 lladdr 02:00:00:00:00:09 nud permanent dev eth0")?;
    for (probe, kind, want) in [
        ([10, 3, 0, 9], "tcp", "no answer within 0.2 s"),
        ([10, 3, 0, 9], "ping", "no reply within 0.2 s"),
        ([10, 9, 0, 1], "tcp", "network unreachable"),
        ([10, 9, 0, 1], "ping", "network unreachable"),
    ] {
        let lines = format!("kind = '{kind}'\ntimeout = 0.2");
        let is = on(host, once(TCP, &lines, probe.into()))??;
        assert_eq!(is, Err(want.to_owned()), "{kind} {probe:?}");
    }
    Ok(())
}

#[test]
fn a_script_that_hangs_is_killed_with_all_it_has_started() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let mark = host.dir().join("mark").display().to_string();
    let script = format!("(sleep 1; touch {mark}) & echo waiting; sleep 60");
    let lines = format!("kind = 'script'\ncommand = ['/bin/sh', '-c', '{script}']\ntimeout = 0.3");
    let begun = Instant::now();
    let is = on(host, once(TCP, &lines, ADDRESS.into()))??;
    assert_eq!(is, Err("no exit within 0.3 s".to_owned()));
    assert!(begun.elapsed() < Duration::from_millis(900));
    std::thread::sleep(Duration::from_millis(1200));
    assert!(!fs::exists(&mark)?);
    Ok(())
}

#[test]
fn a_file_that_says_0_or_is_not_there_is_down() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("server");
    let path = host.dir().join("health");
    let at = path.display();
    let lines = format!("kind = 'file'\npath = '{at}'");
    let there = || Ok("the file is there".to_owned());
    for (text, want) in [
        (None, Err(format!("there is no {at}"))),
        (Some(""), there()),
        (Some("ready\n"), there()),
        (Some("1\n"), Ok("the file says 1".to_owned())),
        (Some("0\n"), Err(format!("{at} says 0"))),
        (Some("-3"), Err(format!("{at} says -3"))),
    ] {
        if let Some(text) = text {
            fs::write(&path, text)?;
        }
        assert_eq!(
            on(host, once(TCP, &lines, ADDRESS.into()))??,
            want,
            "{text:?}"
        );
    }
    fs::remove_file(&path)?;
    host.sh(&format!("mkfifo {at}"))?;
    let want = Err(format!("cannot read {at}: not a file"));
    assert_eq!(on(host, once(TCP, &lines, ADDRESS.into()))??, want);
    Ok(())
}

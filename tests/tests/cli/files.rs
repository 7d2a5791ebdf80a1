//! The file that commands write: whole or not at all, and where it was.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    thread::sleep,
    time::Duration,
};

use anyhow::Result;

use crate::{CONFIG, State, assert_refused, lab, site};

const ADD: [&str; 4] = ["real", "add", "tcp/10.2.0.100:80", "10.2.0.4"];
/// Weights are applied before they are written.
const WEIGH: [&str; 6] = [
    "real",
    "edit",
    "tcp/10.2.0.100:80",
    "10.2.0.2",
    "--weight",
    "7",
];

#[test]
fn a_link_stays_one_and_the_mode_too() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let real = host.dir().join("real.toml");
    fs::write(&real, CONFIG)?;
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640))?;
    symlink("real.toml", host.director_config())?;
    let _director = host.director(CONFIG)?;
    host.drover(&ADD)?.success()?;
    assert!(fs::symlink_metadata(host.director_config())?.is_symlink());
    assert!(fs::read_to_string(&real)?.contains("10.2.0.4"));
    assert_eq!(fs::metadata(&real)?.mode() & 0o7777, 0o640);
    Ok(())
}

/// The config is on a file system of its own, which cannot be written to.
#[test]
fn where_nothing_can_be_written_nothing_changes() -> Result<()> {
    let lab = lab()?;
    let host = lab.host("director");
    let dir = host.dir().join("etc");
    fs::create_dir(&dir)?;
    // Here, not in the mount namespace of a command: the daemon is to see it.
    let mount = rustix::mount::mount(
        "tmpfs",
        &dir,
        "tmpfs",
        rustix::mount::MountFlags::empty(),
        Some(c"size=64k"),
    );
    mount?;
    let _unmount = Unmount(dir.clone());
    let real = dir.join("director.toml");
    symlink(&real, host.director_config())?;
    let _director = host.director(CONFIG)?;
    let before = State::of(host)?;
    let path = host.director_config();

    let full = dir.join("full");
    let filler = fs::write(&full, vec![b'x'; 1 << 20]);
    assert!(filler.is_err(), "the disk is not full");
    let line = format!(
        "cannot write {}: No space left on device (os error 28)",
        path.display()
    );
    for words in [&ADD[..], &WEIGH] {
        assert_refused("full", &host.drover(words)?, &line);
        assert_eq!(State::of(host)?, before);
    }
    assert_eq!(names(&dir)?, ["director.toml", "full"]);
    fs::remove_file(full)?;

    let read_only = rustix::mount::MountFlags::RDONLY;
    rustix::mount::mount_remount(&dir, read_only, c"")?;
    let line = format!(
        "cannot write {}: Read-only file system (os error 30)",
        path.display()
    );
    for words in [&ADD[..], &WEIGH] {
        assert_refused("read-only", &host.drover(words)?, &line);
        assert_eq!(State::of(host)?, before);
    }
    rustix::mount::mount_remount(&dir, rustix::mount::MountFlags::empty(), c"")?;

    host.drover(&ADD)?.success()?;
    assert!(fs::read_to_string(real)?.contains("10.2.0.4"));
    Ok(())
}

#[test]
fn what_was_written_by_hand_comes_with_the_next_weight() -> Result<()> {
    let (lab, _director) = site()?;
    let host = lab.host("director");
    host.drover(&WEIGH)?.success()?;
    let text = fs::read_to_string(host.director_config())?;
    assert_eq!(text, CONFIG.replace("weight = 2 ", "weight = 7 "));
    let by_hand = text
        .replace("\"rr\"", "\"wrr\"")
        .replace("weight = 7", "weight = 8");
    fs::write(host.director_config(), &by_hand)?;
    host.drover(&WEIGH)?.success()?;
    let text = fs::read_to_string(host.director_config())?;
    assert_eq!(text, by_hand.replace("weight = 8", "weight = 7"));
    let list = host.drover(&["list", "-o", "json"])?.success()?;
    let list: serde_json::Value = serde_json::from_str(&list)?;
    assert_eq!(list[0]["scheduler"], "wrr");
    assert_eq!(list[0]["reals"][0]["weight"], 7);
    Ok(())
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        // The lab goes in any case.
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

fn names(dir: &std::path::Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(dir)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

#[test]
fn a_daemon_killed_while_it_writes_leaves_the_old_file_or_the_new_one() -> Result<()> {
    let (lab, mut director) = site()?;
    let host = lab.host("director");
    let weights = |weight: u32| CONFIG.replace("weight = 2 ", &format!("weight = {weight} "));
    let (old, new) = (weights(2), weights(60_000));
    for round in 0..6 {
        let edits = "for w in 60000 2 60000 2 60000 2 60000 2; do \"$0\" real edit tcp/10.2.0.100:80 10.2.0.2 -w $w \"$@\"; done";
        let paths = host.drover_words::<&str>(&[]);
        let mut words = vec!["sh".into(), "-c".into(), edits.into()];
        words.extend(paths);
        let mut busy = host.spawn(&words)?;
        sleep(Duration::from_millis(20 + 17 * round));
        director.kill9();
        busy.wait(Duration::from_secs(10))?;
        let text = fs::read_to_string(host.director_config())?;
        assert!(text == old || text == new, "{text}");
        director.start()?;
        let list = host.drover(&["list", "-o", "json"])?.success()?;
        let list: serde_json::Value = serde_json::from_str(&list)?;
        let weight = if text == old { 2 } else { 60_000 };
        assert_eq!(list[0]["reals"][0]["weight"], weight);
    }
    Ok(())
}

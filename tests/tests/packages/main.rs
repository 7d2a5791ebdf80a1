//! The Debian packages, as `cargo xtask dist` makes them: by lintian, and in a clean Debian.

mod debian;
mod document;
mod first_hour;
mod machine;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use crate::debian::Debian;

/// Where `cargo xtask dist` puts them.
fn dist() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(target).join("dist")
}

fn packages() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dist()).context("no packages; run `cargo xtask dist` first")?;
    let mut packages: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    packages.retain(|path| path.extension().is_some_and(|it| it == "deb"));
    packages.sort();
    Ok(packages)
}

#[test]
fn lintian_has_nothing_to_say() -> Result<()> {
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]);
    let output = lintian.args(packages()?).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() && said.is_empty(), "{said}");
    Ok(())
}

#[test]
fn the_binary_is_static() -> Result<()> {
    let binary = dist().join("drover-x86_64");
    let headers = Command::new("readelf").arg("-lW").arg(&binary).output()?;
    let headers = String::from_utf8_lossy(&headers.stdout).into_owned();
    ensure!(
        headers.contains("LOAD") && !headers.contains("INTERP"),
        "{headers}"
    );
    Ok(())
}

/// What an administrator does with packages, and what is then there.
#[test]
fn they_come_are_replaced_and_go_without_a_trace() -> Result<()> {
    let debian = Debian::new(&packages()?)?;
    let before = debian.files()?;
    debian.sh("dpkg -i /mnt/*.deb")?;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        debian.sh("drover --version")?,
        format!("drover {version}\n")
    );
    debian.sh("getent group drover && dpkg --verify drover drover-director drover-realserver")?;
    // Whatever files they have are what they should be, and where shells and `man` look.
    for (path, has) in [
        (
            "/usr/lib/systemd/system/drover-director.service",
            "ExecStart=/usr/bin/drover director",
        ),
        (
            "/usr/lib/systemd/system/drover-realserver.service",
            "ExecStart=/usr/bin/drover realserver attach",
        ),
        (
            "/usr/share/bash-completion/completions/drover",
            "complete -F _drover",
        ),
        (
            "/usr/share/zsh/vendor-completions/_drover",
            "#compdef drover",
        ),
        (
            "/usr/share/fish/vendor_completions.d/drover.fish",
            "complete -c drover",
        ),
        ("/etc/drover/realserver.toml", "[realserver]"),
    ] {
        let text = debian.sh(&format!("cat {path}"))?;
        ensure!(text.contains(has), "{path}: {text}");
    }
    debian.sh("zcat /usr/share/man/man8/drover-list.8.gz | grep -q '^.TH drover-list 8'")?;
    // Nothing is started: the file that is there is still an example.
    assert_eq!(
        debian.sh("ls /etc/systemd/system/multi-user.target.wants | grep -c drover || true")?,
        "0\n"
    );

    debian.sh("echo '# mine' >> /etc/drover/director.toml")?;
    debian.sh("dpkg -i /mnt/next/*.deb")?;
    let kept = debian
        .sh("tail -n 1 /etc/drover/director.toml; dpkg -s drover-director | grep ^Version")?;
    assert_eq!(kept, "# mine\nVersion: 99\n");
    debian.sh("dpkg -r drover-director drover-realserver drover")?;
    debian.sh("tail -n 1 /etc/drover/director.toml | grep -qx '# mine'")?;
    debian.sh("dpkg -P drover-director drover-realserver drover")?;
    assert_eq!(debian.files()?, before);
    Ok(())
}

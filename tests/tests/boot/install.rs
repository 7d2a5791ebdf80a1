//! `drover install --root`: the tree it makes.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Result, ensure};
use tests::drover_binary;

use crate::packaged;

const DIRECTOR: [&str; 4] = [
    "644 etc/drover/director.toml",
    "755 usr/bin/drover",
    "644 usr/lib/systemd/system/drover-director.service",
    "644 usr/lib/sysusers.d/drover.conf",
];
const REALSERVER: [&str; 3] = [
    "644 etc/drover/realserver.toml",
    "755 usr/bin/drover",
    "644 usr/lib/systemd/system/drover-realserver.service",
];

#[test]
fn each_role_has_its_files() -> Result<()> {
    for (role, tree) in [("director", &DIRECTOR[..]), ("realserver", &REALSERVER)] {
        let root = Root::new(role)?;
        let said = success(&root.install(role, &[])?)?;
        assert_eq!(root.tree()?, sorted(tree));
        assert_eq!(said.matches("installed").count(), tree.len(), "{said}");
        let next = format!("systemctl enable --now drover-{role}");
        assert!(said.trim_end().ends_with(&next), "{said}");

        let unit = format!("drover-{role}.service");
        assert_eq!(
            fs::read(root.path().join("usr/lib/systemd/system").join(&unit))?,
            fs::read(packaged("systemd").join(&unit))?
        );
        assert_eq!(
            fs::read(root.path().join("usr/bin/drover"))?,
            fs::read(drover_binary())?
        );
    }
    Ok(())
}

#[test]
fn again_it_keeps_the_configuration_and_mends_the_rest() -> Result<()> {
    let root = Root::new("again")?;
    let (config, unit) = (
        root.path().join("etc/drover/director.toml"),
        root.path()
            .join("usr/lib/systemd/system/drover-director.service"),
    );
    success(&root.install("director", &[])?)?;
    fs::write(&config, "mine")?;
    fs::write(&unit, "broken")?;
    let said = success(&root.install("director", &[])?)?;
    assert_eq!(fs::read_to_string(&config)?, "mine");
    assert_eq!(
        fs::read(&unit)?,
        fs::read(packaged("systemd/drover-director.service"))?
    );
    let count = |what| said.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!(
        [count("installed"), count("is the same"), count("kept")],
        [1, 2, 1],
        "{said}"
    );
    assert!(
        said.ends_with("systemctl restart drover-director\n"),
        "{said}"
    );
    assert_eq!(root.tree()?, sorted(&DIRECTOR));
    Ok(())
}

#[test]
fn the_unit_names_the_program_below_the_prefix() -> Result<()> {
    let root = Root::new("prefix")?;
    success(&root.install("realserver", &["--prefix", "/opt/drover"])?)?;
    let unit = "opt/drover/lib/systemd/system/drover-realserver.service";
    let unit = fs::read_to_string(root.path().join(unit))?;
    assert_eq!(
        unit.matches("=/opt/drover/bin/drover realserver").count(),
        3
    );
    assert!(!unit.contains("/usr/bin/drover"), "{unit}");
    Ok(())
}

#[test]
fn a_dry_run_changes_nothing() -> Result<()> {
    let root = Root::new("dry")?;
    let said = success(&root.install("director", &["--dry-run"])?)?;
    assert_eq!(said.matches("would install").count(), DIRECTOR.len());
    assert_eq!(root.tree()?, Vec::<String>::new());
    Ok(())
}

#[test]
fn what_cannot_be_installed_is_said_in_a_line() -> Result<()> {
    let root = Root::new("bad")?;
    fs::write(root.path().join("etc"), "a file")?;
    for (arguments, said) in [
        (&["--prefix", "usr"][..], "bad prefix \"usr\""),
        (&["--prefix", "/a b"], "bad prefix \"/a b\""),
        (&[], "etc/drover/director.toml: Not a directory"),
    ] {
        let output = root.install("director", arguments)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains(said) && stderr.lines().count() == 1,
            "{stderr}"
        );
    }
    Ok(())
}

/// A directory to install below; it goes when it is dropped.
pub(crate) struct Root(PathBuf);

impl Root {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let name = format!("boot-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn install(&self, role: &str, more: &[&str]) -> Result<Output> {
        let mut command = Command::new(drover_binary());
        command.args(["install", "--role", role, "--root"]);
        Ok(command.arg(&self.0).args(more).output()?)
    }

    /// The files, each with its mode.
    fn tree(&self) -> Result<Vec<String>> {
        let (mut files, mut dirs) = (Vec::new(), vec![self.0.clone()]);
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir)? {
                let path = entry?.path();
                if path.is_dir() {
                    dirs.push(path);
                    continue;
                }
                let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
                let path = path.strip_prefix(&self.0)?;
                files.push(format!("{mode:o} {}", path.display()));
            }
        }
        files.sort();
        Ok(files)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // What is left lies in the target directory.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn success(output: &Output) -> Result<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {stderr}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn sorted(tree: &[&str]) -> Vec<String> {
    let mut tree: Vec<_> = tree.iter().map(|&file| file.to_owned()).collect();
    tree.sort();
    tree
}

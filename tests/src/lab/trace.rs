//! What a lab has on the machine, and whether any of it is left.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::Lab;

/// Outlives its lab.
#[derive(Debug)]
pub struct Trace {
    id: String,
    dir: PathBuf,
    /// The inodes of its namespaces: processes stay in one after its name is gone.
    inodes: BTreeSet<u64>,
}

impl Trace {
    pub(super) fn of(lab: &Lab) -> Result<Self> {
        let inode = |namespace: &str| {
            let path = Path::new("/run/netns").join(namespace);
            fs::metadata(&path)
                .map(|it| it.ino())
                .with_context(|| format!("looking at {}", path.display()))
        };
        let inodes = lab
            .hosts()
            .iter()
            .map(|host| inode(host.namespace()))
            .collect::<Result<_>>()?;
        Ok(Self {
            id: lab.id().into(),
            dir: lab.dir().into(),
            inodes,
        })
    }

    pub fn namespaces(&self) -> Result<Vec<String>> {
        let Ok(names) = fs::read_dir("/run/netns") else {
            return Ok(Vec::new());
        };
        let names = names.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let names = names.collect::<Result<Vec<_>>>()?;
        let start = format!("{}-", self.id);
        Ok(names
            .into_iter()
            .filter(|name| name.starts_with(&start))
            .collect())
    }

    pub fn mounts(&self) -> Result<Vec<String>> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        Ok(points
            .filter(|point| Path::new(point).starts_with(&self.dir))
            .map(String::from)
            .collect())
    }

    /// Their names and numbers.
    pub fn processes(&self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let process = entry?.path();
            // Most entries are not processes, and processes end while they are looked at.
            let Ok(namespace) = fs::metadata(process.join("ns/net")) else {
                continue;
            };
            if self.inodes.contains(&namespace.ino()) {
                let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
                left.push(format!(
                    "{} {}",
                    process.file_name().unwrap_or_default().display(),
                    name.trim()
                ));
            }
        }
        Ok(left)
    }

    pub fn files(&self) -> Vec<String> {
        self.dir
            .exists()
            .then(|| self.dir.display().to_string())
            .into_iter()
            .collect()
    }

    /// All of it, in words.
    pub fn left(&self) -> Result<Vec<String>> {
        let what = [
            ("namespace", self.namespaces()?),
            ("mount", self.mounts()?),
            ("process", self.processes()?),
            ("files", self.files()),
        ];
        Ok(what
            .into_iter()
            .flat_map(|(kind, names)| names.into_iter().map(move |name| format!("{kind} {name}")))
            .collect())
    }
}

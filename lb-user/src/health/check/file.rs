//! A file that somebody else keeps: a monitor, a deployment, an operator with `touch`.

use std::{io, path::PathBuf};

use tokio::io::AsyncReadExt as _;

use super::{Bad, Good, Probe, told};

/// Octets of a number.
const NUMBER_MAX: u64 = 64;

/// Up while the file is there, unless it has a number that is not above 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub path: PathBuf,
}

impl File {
    pub(super) async fn check(&self, probe: &Probe) -> Result<Good, Bad> {
        let text = match probe.by("content", self.read()).await? {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!("there is no {}", self.path.display()).into());
            }
            Err(error) => {
                let Bad(why) = told(&error);
                return Err(format!("cannot read {}: {why}", self.path.display()).into());
            }
        };
        match String::from_utf8_lossy(&text).trim().parse::<f64>() {
            Err(_none) => Ok("the file is there".into()),
            Ok(number) if number > 0.0 => Ok(format!("the file says {number}").into()),
            Ok(number) => Err(format!("{} says {number}", self.path.display()).into()),
        }
    }

    async fn read(&self) -> io::Result<Vec<u8>> {
        // Others may not end, or wait for somebody to write.
        if !tokio::fs::metadata(&self.path).await?.is_file() {
            return Err(io::Error::other("not a file"));
        }
        let mut text = Vec::new();
        let file = tokio::fs::File::open(&self.path).await?;
        file.take(NUMBER_MAX).read_to_end(&mut text).await?;
        Ok(text)
    }
}

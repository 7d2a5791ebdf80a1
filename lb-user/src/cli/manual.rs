//! Manual pages and completions, made of the command line's own definition.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use roff::{Roff, roman};

use super::{Cli, examples, output};

#[derive(Args, Debug)]
pub(super) struct Completions {
    shell: Shell,
}

#[derive(Args, Debug)]
pub(super) struct Manual {
    /// Where the pages go; made if it is not there
    dir: PathBuf,
}

impl Completions {
    /// Prints what the shell is to read.
    pub(super) fn run(&self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "drover", &mut script);
        output::write(&String::from_utf8(script)?)
    }
}

impl Manual {
    /// Writes a page for each command, of section 8: what a system's administrator types.
    pub(super) fn run(&self) -> Result<()> {
        let dir = &self.dir;
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let mut command = Cli::command().disable_help_subcommand(true);
        // Gives the commands below it their full names.
        command.build();
        pages(&command, dir)
    }
}

fn pages(command: &Command, dir: &Path) -> Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let version = format!("drover {}", command.get_version().unwrap_or_default());
    let page = Man::new(command.clone())
        .title(name)
        .section("8")
        .source(version)
        .manual("System administration");
    let mut text = Vec::new();
    page.render(&mut text)?;
    let mut examples = Roff::new();
    // Not filled: a line is a command.
    examples.control("SH", ["EXAMPLES"]).control("nf", []);
    let whole = command.get_bin_name().unwrap_or(command.get_name());
    for line in examples::of(whole) {
        examples.text([roman(line)]);
    }
    examples.control("fi", []).to_writer(&mut text)?;
    let path = dir.join(format!("{name}.8"));
    fs::File::create(&path)
        .and_then(|mut file| file.write_all(&text))
        .with_context(|| format!("cannot write {}", path.display()))?;
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .try_for_each(|command| pages(command, dir))
}

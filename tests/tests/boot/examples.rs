//! The example configurations are read by what they configure, and the defaults they show are the defaults.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use lb_user::{
    api::{Change, RealChange, ServiceChange},
    config::{
        Source,
        director::Config,
        edit::edited,
        places::Places,
        realserver::{Hook, RealServer},
    },
};

use crate::packaged;

#[test]
fn the_director_s_example_is_a_configuration() -> Result<()> {
    let text = example("etc/director.toml")?;
    let uncommented = uncommented(&text)?;
    let least = "[director]\ninterfaces = [\"eth0\"]\n";
    let least = said(least)?;
    assert_eq!(said(&text)?, least);

    let mut config = said(&uncommented)?;
    let service = config.services.remove(0);
    assert_eq!(config, least);

    let least = "[director]\ninterfaces = [\"eth0\"]\n[[service]]\nlisten = \"tcp/192.0.2.100:80\"\n\
                 [[service.real]]\naddress = \"192.0.2.2\"\n";
    assert_eq!(service, said(least)?.services[0]);
    Ok(())
}

/// What a text says, wherever in it.
fn said(text: &str) -> Result<Config> {
    let mut config = Config::parse(Path::new("director.toml"), text)?;
    config.places = Places::default();
    Ok(config)
}

/// What a command adds must not come between a section and the keys of it that are still comments.
#[test]
fn the_director_s_example_can_be_edited_by_command_and_then_by_hand() -> Result<()> {
    let text = example("etc/director.toml")?;
    let service = "tcp/192.0.2.101:80".parse()?;
    let address = "192.0.2.2".parse()?;
    let changes = [
        Change::AddService(ServiceChange::new(service)),
        Change::AddReal(RealChange::new(service, address)),
    ];
    let (text, _) = edited(&text, &changes)?;
    let config = Config::parse(Path::new("edited"), &uncommented(&text)?)?;
    let reals = config.services.iter().map(|service| service.reals.len());
    assert_eq!(reals.collect::<Vec<_>>(), [1, 1], "{text}");
    Ok(())
}

#[test]
fn the_real_server_s_example_is_a_configuration() -> Result<()> {
    let text = example("etc/realserver.toml")?;
    for text in [uncommented(&text)?, text] {
        let config = RealServer::parse(&Source::new("realserver.toml", text))?;
        assert_eq!(config.interfaces, ["eth0"]);
        assert_eq!(config.hook, Hook::default());
    }
    Ok(())
}

fn example(path: &str) -> Result<String> {
    Ok(fs::read_to_string(packaged(path))?)
}

/// With the keys that are shown as comments.
fn uncommented(text: &str) -> Result<String> {
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key,
        _ => line,
    });
    let uncommented = lines.collect::<Vec<_>>().join("\n");
    ensure!(text != uncommented, "no key is shown");
    Ok(uncommented)
}

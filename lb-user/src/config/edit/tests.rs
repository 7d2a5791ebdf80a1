use std::net::Ipv4Addr;

use super::*;
use crate::scheduler::{Flag, Scheduler};

/// A change reads the part of the text that is its service's: the rest stays as it would otherwise.
#[test]
fn a_service_is_changed_as_the_whole_file_would_be() {
    let text = "\
# of the site
[director]
interfaces = [\"eth0\"]

# the first
[[service]] # here
listen = \"tcp/192.0.2.1:79\"

# the second
[[service]]
listen = \"tcp/192.0.2.1:80\"
  [[service.real]]
  address = \"192.0.2.2\" # by the door
  weight = 2 # for now

# the third
[[service]]
listen = \"tcp/192.0.2.1:81\"

[[service.real]]
address = \"192.0.2.2\"

# the fourth
[[service]]
listen = [\"tcp/192.0.2.1:82\", # one
  \"tcp/192.0.2.1:83\"]

[[service.real]]
address = \"192.0.2.2\"
# the end
";
    for (port, is_part) in [(79, false), (80, true), (81, true), (82, true)] {
        let service = format!("tcp/192.0.2.1:{port}").parse().unwrap();
        let address = Ipv4Addr::new(192, 0, 2, 2).into();
        let weight = Some(7);
        for change in [
            Change::EditService(ServiceChange {
                scheduler: Some(Scheduler::Mh),
                flags: vec![Flag::MhPort],
                ..ServiceChange::new(service)
            }),
            Change::AddReal(RealChange {
                weight,
                ..RealChange::new(service, Ipv4Addr::new(192, 0, 2, 3).into())
            }),
            Change::EditReal(RealChange {
                weight,
                ..RealChange::new(service, address)
            }),
            Change::RemoveReal { service, address },
        ] {
            assert_eq!(part(text, &change).is_some(), is_part, "{change}");
            let edited = edited_once(text, &change).map_err(|error| error.to_string());
            let whole = edited_within(text, 0..text.len(), slice::from_ref(&change));
            assert_eq!(edited, whole.map_err(|error| error.to_string()), "{change}");
        }
    }
    // What is another service's is not seen in the part.
    let also = Change::EditService(ServiceChange {
        also: vec!["tcp/192.0.2.1:83".parse().unwrap()],
        ..ServiceChange::new("tcp/192.0.2.1:80".parse().unwrap())
    });
    let refused = edited(text, &[also]).unwrap_err().to_string();
    let line = "tcp/192.0.2.1:83 is part of service tcp/192.0.2.1:82 already";
    assert_eq!(refused, line);
}

#[test]
fn a_scheduler_is_changed_with_its_flags() {
    let service = "tcp/192.0.2.1:80".parse().unwrap();
    let mut text = "[director]\ninterfaces = [\"eth0\"]\n".to_owned();
    let mut change = |change| {
        let (edited, config) = edited(&text, &[change])?;
        text = edited;
        let service = &config.services[0];
        anyhow::Ok((service.scheduler, service.flags.clone()))
    };
    let edit = |scheduler, flags: &[Flag]| {
        Change::EditService(ServiceChange {
            scheduler,
            flags: flags.to_vec(),
            ..ServiceChange::new(service)
        })
    };
    let add = Change::AddService(ServiceChange {
        scheduler: Some(Scheduler::Sh),
        flags: vec![Flag::ShPort, Flag::ShFallback],
        ..ServiceChange::new(service)
    });
    let both = vec![Flag::ShFallback, Flag::ShPort];
    assert_eq!(change(add).unwrap(), (Scheduler::Sh, both.clone()));
    // What is not about the scheduler leaves it its flags.
    let persistent = Change::EditService(ServiceChange {
        persistence: Some(50),
        ..ServiceChange::new(service)
    });
    assert_eq!(change(persistent).unwrap(), (Scheduler::Sh, both));
    let edited = change(edit(None, &[Flag::ShPort])).unwrap();
    assert_eq!(edited, (Scheduler::Sh, vec![Flag::ShPort]));
    let edited = change(edit(Some(Scheduler::Wlc), &[])).unwrap();
    assert_eq!(edited, (Scheduler::Wlc, vec![]));
    let refused = change(edit(None, &[Flag::MhPort])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "incompatible scheduler flag `mh-port`; it is for mh, and the scheduler is wlc"
    );
}

/// What stands behind a destination goes with it, and all else stays.
#[test]
fn a_list_of_destinations_is_edited_as_by_hand() {
    let lines =
        "[ # all\n  \"tcp/192.0.2.1:80\", # web\n  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n]";
    let open = "[\n  \"tcp/192.0.2.1:80\", # web\n  \"tcp/192.0.2.1:443\" # tls\n]";
    for (listen, also, not_also, expected) in [
        (
            "\"tcp/192.0.2.1:80\"",
            "81",
            "",
            "[\"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:81\"]",
        ),
        (
            "[\"tcp/192.0.2.1:80\"]",
            "81",
            "",
            "[\"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:81\"]",
        ),
        (
            "[ \"tcp/192.0.2.1:80\" ]",
            "81",
            "",
            "[ \"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:81\" ]",
        ),
        (
            "[\"tcp/192.0.2.1:80\", \"tcp/192.0.2.1:443\"]",
            "",
            "443",
            "[\"tcp/192.0.2.1:80\"]",
        ),
        (
            lines,
            "81",
            "",
            "[ # all\n  \"tcp/192.0.2.1:80\", # web\n  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n  \"tcp/192.0.2.1:81\",\n]",
        ),
        (
            lines,
            "",
            "443",
            "[ # all\n  \"tcp/192.0.2.1:80\", # web\n]",
        ),
        (
            lines,
            "81",
            "443",
            "[ # all\n  \"tcp/192.0.2.1:80\", # web\n  \"tcp/192.0.2.1:81\",\n]",
        ),
        (
            open,
            "81",
            "",
            "[\n  \"tcp/192.0.2.1:80\", # web\n  \"tcp/192.0.2.1:443\", # tls\n  \"tcp/192.0.2.1:81\"\n]",
        ),
        (open, "", "443", "[\n  \"tcp/192.0.2.1:80\" # web\n]"),
    ] {
        let names = |port: &str| -> Vec<_> {
            let name = (!port.is_empty()).then(|| format!("tcp/192.0.2.1:{port}"));
            name.iter().map(|name| name.parse().unwrap()).collect()
        };
        let change = Change::EditService(ServiceChange {
            also: names(also),
            not_also: names(not_also),
            ..ServiceChange::new("tcp/192.0.2.1:80".parse().unwrap())
        });
        let text = |listen| {
            format!(
                "[director]\ninterfaces = [\"eth0\"]\n\n[[service]]\nlisten = {listen} # here\n"
            )
        };
        let (edited, config) = edited(&text(listen), &[change]).unwrap();
        assert_eq!(edited, text(expected), "{listen} + {also} - {not_also}");
        let more = usize::from(listen.contains("443")) + usize::from(!also.is_empty());
        assert_eq!(
            config.services[0].also.len(),
            more - usize::from(!not_also.is_empty())
        );
    }
    let middle = "[\n  \"tcp/192.0.2.1:80\", # web\n  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n  # the rest\n  \"tcp/192.0.2.1:81\", # other\n]";
    let text = format!("[director]\ninterfaces = [\"eth0\"]\n[[service]]\nlisten = {middle}\n");
    let change = Change::EditService(ServiceChange {
        not_also: vec!["tcp/192.0.2.1:443".parse().unwrap()],
        ..ServiceChange::new("tcp/192.0.2.1:80".parse().unwrap())
    });
    let (edited, _) = edited(&text, &[change]).unwrap();
    let gone = "  # with TLS\n  \"tcp/192.0.2.1:443\", # tls\n";
    assert_eq!(edited, text.replace(gone, ""));
}

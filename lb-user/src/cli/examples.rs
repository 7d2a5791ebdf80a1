//! What may be typed, of each command: for `--help` and the manual's pages.

use clap::{Command, CommandFactory as _};

use super::Cli;

/// A command's whole name, and lines for a shell.
const EXAMPLES: [(&str, &[&str]); 36] = [
    (
        "drover",
        &[
            "drover doctor --role director",
            "drover service add tcp/192.0.2.100:80 -s wlc",
            "drover real add tcp/192.0.2.100:80 192.0.2.10 -w 2",
            "drover list",
        ],
    ),
    (
        "drover director",
        &[
            "drover director",
            "drover director --interface eth0 --config ./director.toml",
        ],
    ),
    ("drover director detach", &["drover director detach"]),
    (
        "drover service add",
        &[
            "drover service add tcp/192.0.2.100:80 -s wlc",
            "drover service add tcp/192.0.2.100:443 --also udp/192.0.2.100:443 -s mh -p 300",
        ],
    ),
    (
        "drover service edit",
        &[
            "drover service edit tcp/192.0.2.100:80 -s mh -b mh-fallback,mh-port",
            "drover service edit tcp/192.0.2.100:80 --sorry-server 192.0.2.20 --quorum 2",
        ],
    ),
    (
        "drover service remove",
        &["drover service remove 'tcp/[2001:db8::100]:80'"],
    ),
    (
        "drover real add",
        &["drover real add tcp/192.0.2.100:80 192.0.2.10 -w 2 -x 10000"],
    ),
    (
        "drover real edit",
        &["drover real edit tcp/192.0.2.100:80 192.0.2.10 -w 0"],
    ),
    (
        "drover real remove",
        &["drover real remove tcp/192.0.2.100:80 192.0.2.10"],
    ),
    (
        "drover realserver attach",
        &[
            "drover realserver attach",
            "drover realserver attach --interface eth0 --vip 192.0.2.100 --vip 2001:db8::100",
        ],
    ),
    (
        "drover realserver status",
        &[
            "drover realserver status",
            "drover realserver status -o json",
        ],
    ),
    (
        "drover realserver watch",
        &["drover realserver watch --interface eth0"],
    ),
    (
        "drover realserver detach",
        &[
            "drover realserver detach",
            "drover realserver detach --interface eth1",
        ],
    ),
    (
        "drover list",
        &[
            "drover list -a",
            "drover list --stats",
            "drover list -o json",
        ],
    ),
    (
        "drover stats",
        &[
            "drover stats tcp/192.0.2.100:80",
            "drover stats --rate --interval 5 --count 12",
        ],
    ),
    ("drover top", &["drover top -d 1", "drover top -b -n 1"]),
    (
        "drover flows",
        &[
            "drover flows --client 203.0.113.0/24 --state established",
            "drover flows --service tcp/192.0.2.100:80 --real 192.0.2.10 --limit 100",
        ],
    ),
    (
        "drover explain",
        &[
            "drover explain tcp 203.0.113.7:40000 192.0.2.100:80",
            "drover explain tcp 203.0.113.7:40000 192.0.2.100:80 --flags ack",
            "drover explain udp '[2001:db8::7]:5000' '[2001:db8::100]:53' --icmp-error",
            "tcpdump -i eth0 -c 20 -w - dst host 192.0.2.100 | drover explain --pcap -",
        ],
    ),
    (
        "drover events",
        &["drover events", "drover events -f -o json"],
    ),
    ("drover timeouts", &["drover timeouts"]),
    (
        "drover timeouts set",
        &["drover timeouts set --tcp 900 --tcpfin 120 --udp 300"],
    ),
    ("drover status", &["drover status", "drover status -o json"]),
    (
        "drover doctor",
        &["drover doctor", "drover doctor --role realserver --all"],
    ),
    (
        "drover apply",
        &["drover apply director.toml --confirm-within 5m"],
    ),
    (
        "drover diff",
        &["drover diff", "drover diff director.toml --exit-code"],
    ),
    ("drover undo", &["drover undo"]),
    (
        "drover confirm",
        &[
            "drover apply director.toml --confirm-within 60s",
            "drover confirm",
        ],
    ),
    ("drover reload", &["drover reload"]),
    (
        "drover import keepalived",
        &["drover import keepalived /etc/keepalived/keepalived.conf --output director.toml"],
    ),
    (
        "drover import arptables",
        &["arptables-save | drover import arptables - --interface eth0"],
    ),
    (
        "drover import ipvsadm",
        &["ipvsadm -S -n | drover import ipvsadm - --interface eth0"],
    ),
    ("drover schema", &["drover schema >director.schema.json"]),
    (
        "drover completions",
        &["drover completions bash >/etc/bash_completion.d/drover"],
    ),
    (
        "drover manual",
        &["drover manual /usr/local/share/man/man8"],
    ),
    (
        "drover ipvsadm",
        &[
            "drover ipvsadm -L -n",
            "drover ipvsadm -a -t 192.0.2.100:80 -r 192.0.2.10 -g",
        ],
    ),
    (
        "drover install",
        &[
            "drover install --role director",
            "drover install --role realserver --dry-run",
        ],
    ),
];

/// The command line, with its examples.
pub(super) fn command() -> Command {
    shown(Cli::command(), "")
}

/// Of a command by its whole name; of one that only has others below it, the first of each of those.
pub(super) fn of(name: &str) -> Vec<&'static str> {
    if let Some((_, lines)) = EXAMPLES.iter().find(|it| it.0 == name) {
        return lines.to_vec();
    }
    let below = format!("{name} ");
    let rows = EXAMPLES.iter().filter(|it| it.0.starts_with(&below));
    rows.filter_map(|(_, lines)| lines.first().copied())
        .collect()
}

fn shown(command: Command, above: &str) -> Command {
    let name = format!("{above} {}", command.get_name());
    let name = name.trim_start().to_owned();
    let header = *command.get_styles().get_header();
    let text = format!("{header}Examples:{header:#}\n  {}", of(&name).join("\n  "));
    command
        .after_help(text)
        .mut_subcommands(|below| shown(below, &name))
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    fn names(command: &Command) -> Vec<String> {
        let name = command.get_bin_name().unwrap_or(command.get_name());
        let below = command.get_subcommands().flat_map(names);
        [name.to_owned()].into_iter().chain(below).collect()
    }

    #[test]
    fn every_command_has_examples() {
        let mut all = Cli::command().disable_help_subcommand(true);
        all.build();
        let all = names(&all);
        for name in &all {
            let lines = of(name);
            assert!(!lines.is_empty(), "{name}");
            assert!(lines.iter().any(|it| it.contains(name.as_str())), "{name}");
        }
        for (name, _) in EXAMPLES {
            assert!(all.iter().any(|it| it == name), "{name}");
        }
    }

    #[test]
    fn every_example_is_understood() {
        for line in EXAMPLES.iter().flat_map(|it| it.1) {
            // What a shell would give it: behind a pipe, and before a file.
            let said = line.rsplit(" | ").next().unwrap();
            let said = said.split(" >").next().unwrap();
            let words = shlex::split(said).unwrap();
            assert_eq!(words[0], "drover", "{line}");
            let matches = command().try_get_matches_from(words);
            let cli = matches.and_then(|it| Cli::from_arg_matches(&it));
            assert!(cli.is_ok(), "{line}: {}", cli.unwrap_err());
        }
    }
}

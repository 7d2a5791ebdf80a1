//! Rules of nftables, and of what speaks to it as iptables and arptables do, that drop what is about a VIP.

use std::{net::IpAddr, process::Command};

use super::{finding::Finding, seen::Seen, site::Site};
use crate::dataplane::pins::Role;

const ID: &str = "netfilter";

/// All rules with their handles; none where nobody has nft(8).
pub(super) fn rules() -> String {
    let listed = Command::new("nft").args(["-a", "list", "ruleset"]).output();
    let text = listed.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    text.unwrap_or_default()
}

pub(super) fn check(site: &Site, seen: &Seen) -> Vec<Finding> {
    let (mut table, mut chain) = ("", "");
    let mut findings = Vec::new();
    for line in seen.rules.lines().map(str::trim) {
        let (line, handle) = line.rsplit_once(" # handle ").unwrap_or((line, ""));
        if let Some(name) = line.strip_prefix("table ") {
            table = name.trim_end_matches(" {");
        } else if let Some(name) = line.strip_prefix("chain ") {
            chain = name.trim_end_matches(" {");
        } else if line.ends_with("drop") || line.contains("reject") {
            let vip = site.vips.iter().find(|vip| names(line, **vip));
            findings.extend(vip.and_then(|vip| {
                let fix = format!("nft delete rule {table} {chain} handle {handle}");
                Some(judge(site.role, *vip, (table, line))?.fix(fix))
            }));
        }
    }
    findings
}

/// `None` of what harms nobody: on a real server what the companion does, too, and on a director what
/// comes after XDP.
fn judge(role: Role, vip: IpAddr, (table, rule): (&str, &str)) -> Option<Finding> {
    let what = format!("a rule of {table} drops: {rule}");
    match (role, table.starts_with("arp ")) {
        (Role::Director, true) => Some(
            Finding::error(ID, vip, what)
                .why("This host has to answer for the VIP; the rule is a real server's."),
        ),
        (Role::RealServer, false) => Some(
            Finding::warning(ID, vip, what)
                .why("Clients' packets for the VIP come in here, and answers go out."),
        ),
        (Role::Director, false) | (Role::RealServer, true) => None,
    }
}

fn names(rule: &str, vip: IpAddr) -> bool {
    let is_of_address = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    let mut words = rule.split(|c| !is_of_address(c));
    words.any(|word| word.parse() == Ok(vip))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing;

    /// As `nft -a list ruleset` prints it, of arptables-nft and iptables-nft.
    const RULES: &str = "table arp filter { # handle 1
\tchain INPUT { # handle 1
\t\ttype filter hook input priority filter; policy accept;
\t\tarp htype 1 arp hlen 6 arp plen 4 arp daddr ip 10.0.0.100 counter packets 0 bytes 0 drop # handle 4
\t\tarp daddr ip 10.0.0.10 counter packets 0 bytes 0 drop # handle 5
\t}
}
table ip filter { # handle 2
\tchain INPUT { # handle 1
\t\tip daddr 10.0.0.100 tcp dport 22 counter packets 0 bytes 0 drop # handle 7
\t\tip daddr 10.0.0.100 counter packets 0 bytes 0 accept # handle 8
\t}
}
";

    #[test]
    fn rules_that_drop_what_is_about_a_vip_are_found() {
        let seen = Seen {
            rules: RULES.into(),
            ..Seen::default()
        };
        for (role, want) in [
            (Role::Director, "nft delete rule arp filter INPUT handle 4"),
            (Role::RealServer, "nft delete rule ip filter INPUT handle 7"),
        ] {
            let found = check(&testing::site(role), &seen);
            let fixes: Vec<&str> = found.iter().filter_map(|it| it.fix.as_deref()).collect();
            assert_eq!(fixes, [want], "{role}");
        }
    }
}

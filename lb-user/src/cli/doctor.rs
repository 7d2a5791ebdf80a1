//! `drover doctor`.

use std::process::exit;

use anyhow::Result;
use clap::Args;

use super::{Format, Places, mood::Mood, output, page::Page, progress::Progress};
use crate::{
    dataplane::pins,
    doctor::{
        examine,
        finding::{Finding, Severity},
        verdict,
    },
    setup::Role,
};

/// Columns at most, also in a file; commands are longer where they have to be, to be copied.
const WIDTH: usize = 80;

#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// What this host is, or is to be [default: what its files and pins say]
    #[arg(long)]
    role: Option<Role>,
    /// Also what is as it should be
    #[arg(long, short = 'v', visible_alias = "verbose")]
    all: bool,
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

impl Doctor {
    pub(super) fn run(self, places: &Places) -> Result<()> {
        let role = self.role.map(|role| match role {
            Role::Director => pins::Role::Director,
            Role::Realserver => pins::Role::RealServer,
        });
        let progress = Progress::of("examining this host");
        let findings = examine(role, places, &progress)?;
        drop(progress);
        output::print(self.output, &findings, |findings, page| {
            table(findings, self.all, page);
        })?;
        match verdict(&findings) {
            Severity::Ok | Severity::Note => Ok(()),
            Severity::Warning => exit(4),
            Severity::Error => exit(5),
        }
    }
}

/// The gravest first, and one line of how many there are.
fn table(findings: &[Finding], all: bool, page: &mut Page) {
    page.narrow(WIDTH);
    let mut shown: Vec<&Finding> = findings.iter().collect();
    shown.retain(|it| all || it.severity > Severity::Ok);
    shown.sort_by_key(|it| std::cmp::Reverse(it.severity));
    for finding in &shown {
        write_finding(page, finding);
    }
    if !shown.is_empty() {
        page.blank();
    }
    let fine = findings.iter().filter(|it| it.severity == Severity::Ok);
    let (all, fine) = (findings.len(), fine.count());
    page.line(0, &format!("{all} checks, {fine} fine"));
}

fn write_finding(page: &mut Page, finding: &Finding) {
    let severity = format!("{:<7}", finding.severity.name());
    let severity = match finding.severity {
        Severity::Ok => Mood::Good.paint(severity),
        Severity::Note => severity,
        Severity::Warning => Mood::Restricted.paint(severity),
        Severity::Error => Mood::Bad.paint(severity),
    };
    let Finding {
        subject, what, id, ..
    } = finding;
    page.line(8, &format!("{severity} {subject}: {what} [{id}]"));
    if let Some(why) = &finding.why {
        page.line(10, &format!("{:10}{why}", ""));
    }
    if let Some(fix) = &finding.fix {
        let on = finding.fix_on.iter().map(|host| format!(" on {host}"));
        page.whole(&format!("{:10}fix{}: {fix}", "", on.collect::<String>()));
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    #[test]
    fn findings_fit_and_the_gravest_is_first() {
        let why = "as it is said in many words that do not fit into one line of a terminal, at all";
        let findings = [
            Finding::ok("rights", "this process", "has what it needs"),
            Finding::note("queues", "eth0", "has one queue").why(why),
            Finding::error("vip-leak", "10.0.0.100", "is also at another")
                .fix("drover realserver attach")
                .on("10.0.0.2"),
        ];
        let want = "error   10.0.0.100: is also at another [vip-leak]
          fix on 10.0.0.2: drover realserver attach
note    eth0: has one queue [queues]
          as it is said in many words that do not fit into one line of a
          terminal, at all

3 checks, 1 fine
";
        let painted = |findings: &[Finding], all| {
            let mut page = Page::new(None);
            table(findings, all, &mut page);
            page.text()
        };
        let plain = |findings: &[Finding], all| strip_str(&painted(findings, all)).to_string();
        assert_eq!(plain(&findings, false), want);
        let fine = "ok      this process: has what it needs [rights]\n";
        assert!(plain(&findings, true).contains(fine));
        assert_eq!(plain(&findings[..1], false), "1 checks, 1 fine\n");
        assert!(painted(&findings, false).starts_with("\x1b[31merror  \x1b[0m 10.0.0.100"));
    }
}

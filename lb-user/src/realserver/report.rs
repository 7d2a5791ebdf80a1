//! The status as people read it.

use super::status::Status;

pub(super) fn table(status: &Status) -> String {
    if status.interfaces.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    let mut rows = vec![["INTERFACE", "INGRESS", "EGRESS", "RIP", "STATE"].map(String::from)];
    for interface in &status.interfaces {
        let rips: Vec<String> = interface.rips.iter().map(ToString::to_string).collect();
        rows.push([
            interface.interface.clone(),
            interface.ingress.clone().unwrap_or_else(|| "-".into()),
            interface.egress.clone().unwrap_or_else(|| "-".into()),
            if rips.is_empty() {
                "-".into()
            } else {
                rips.join(",")
            },
            state(&interface.problems),
        ]);
    }
    write_rows(&rows, &mut text);
    text.push('\n');
    let header = [
        "VIP",
        "INTERFACE",
        "ON LO",
        "MANGLED TO",
        "ASKED",
        "CLAIMED",
        "MANGLED",
        "STATE",
    ];
    let mut rows = vec![header.map(String::from)];
    for vip in &status.vips {
        rows.push([
            vip.vip.to_string(),
            vip.interface.clone(),
            if vip.on_lo { "yes" } else { "no" }.into(),
            vip.rip.map_or_else(|| "-".into(), |rip| rip.to_string()),
            vip.asked.to_string(),
            vip.claimed.to_string(),
            vip.mangled.to_string(),
            state(&vip.problems),
        ]);
    }
    write_rows(&rows, &mut text);
    text
}

fn state(problems: &[String]) -> String {
    if problems.is_empty() {
        "ok".into()
    } else {
        format!("{}; attach again", problems.join("; "))
    }
}

/// Each column as wide as its widest cell, and the last as wide as it is.
fn write_rows<const N: usize>(rows: &[[String; N]], text: &mut String) {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    for row in rows {
        let cells = row.iter().enumerate();
        let padded = cells.map(|(column, cell)| format!("{cell:<0$}", width(column)));
        *text += padded.collect::<Vec<_>>().join("  ").trim_end();
        *text += "\n";
    }
}

//! Numbers of flows as people say them.

const MAX: u32 = 1 << 26;

/// Reads numbers of flows, and puts them in order. One flow is always among them: other numbers are compared with it.
pub(crate) fn list(text: &str) -> Result<Vec<u32>, String> {
    let flows: Result<Vec<u32>, String> = text.split(',').map(number).collect();
    let mut flows = flows?;
    flows.push(1);
    flows.sort_unstable();
    flows.dedup();
    Ok(flows)
}

pub(crate) fn said(flows: u32) -> String {
    match flows {
        1024..0x10_0000 => format!("{} Ki", flows >> 10),
        0x10_0000.. => format!("{} Mi", flows >> 20),
        _ => flows.to_string(),
    }
}

fn number(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.split_at(text.trim_end_matches(char::is_alphabetic).len()) {
        (digits, "") => (digits, 1),
        (digits, "k" | "K" | "Ki") => (digits, 1 << 10),
        (digits, "M" | "Mi") => (digits, 1 << 20),
        _ => (text, 0),
    };
    let number = digits.parse().ok().and_then(|n: u32| n.checked_mul(unit));
    let is_usable = |n: &u32| n.is_power_of_two() && *n <= MAX;
    number
        .filter(is_usable)
        .ok_or(format!("{text}: not a power of two up to {MAX}"))
}

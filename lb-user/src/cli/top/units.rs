//! Numbers in few letters.

/// Three digits that count, and k, M, G or T for thousands; below ten thousand the whole number, and below ten
/// one digit behind the point, if it is none.
pub(super) fn scaled(number: f64) -> String {
    let is_whole = number.fract() == 0.;
    if number < 9999.5 && (is_whole || number >= 9.95) {
        return format!("{number:.0}");
    }
    if number < 9.95 {
        return format!("{number:.1}");
    }
    let mut number = number;
    let mut units = ["k", "M", "G", "T"].into_iter().peekable();
    let mut unit = "";
    while number >= 999.5
        && let Some(next) = units.next()
    {
        number /= 1000.;
        unit = next;
    }
    match number {
        ..9.995 => format!("{number:.2}{unit}"),
        ..99.95 => format!("{number:.1}{unit}"),
        _ => format!("{number:.0}{unit}"),
    }
}

/// What is not known is a `-`.
pub(super) fn scaled_or_none(number: Option<f64>) -> String {
    number.map_or_else(|| "-".into(), scaled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_letters_and_the_right_ones() {
        for (number, expected) in [
            (0., "0"),
            (3., "3"),
            (0.04, "0.0"),
            (0.5, "0.5"),
            (9.94, "9.9"),
            (9.96, "10"),
            (9999., "9999"),
            (9999.6, "10.0k"),
            (12_345., "12.3k"),
            (99_960., "100k"),
            (999_400., "999k"),
            (999_600., "1.00M"),
            (1_234_567., "1.23M"),
            (1e10, "10.0G"),
            (1.5e13, "15.0T"),
            (2e15, "2000T"),
        ] {
            assert_eq!(scaled(number), expected, "{number}");
        }
    }
}

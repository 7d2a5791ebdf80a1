//! UDP_CHECK: what is sent, and what has to be in the answer.

use super::{
    super::{keys::Keys, notes::Notes},
    check::others,
    options::left,
    tree::Statement,
};

/// A digit, or any.
type Nibble = Option<u32>;

pub(super) fn put(keys: &mut Keys, own: &[&Statement], notes: &mut Notes) -> bool {
    let said = |name: &str| own.iter().rev().find(|it| it.name() == name);
    match said("payload") {
        None => {}
        Some(line) => match sent(line) {
            Some(octets) => keys.put("send", octets),
            None => left(line, "it is of hexadecimal digits", notes),
        },
    }
    match said("require_reply") {
        None => {}
        Some(line) if line.words.len() == 1 => {
            keys.put_with("expect", "", Some("any answer".to_owned()));
        }
        Some(line) => match octets(line) {
            Some(octets) => keys.put("expect", expected(&octets)),
            None => left(line, "it is of hexadecimal digits and X", notes),
        },
    }
    others(own, &["payload", "require_reply"], notes)
}

fn sent(line: &Statement) -> Option<String> {
    let octets = octets(line)?.into_iter();
    let octets = octets.map(|[high, low]| Some(format!("{:x}{:x}", high?, low?)));
    let octets: Vec<_> = octets.collect::<Option<_>>()?;
    Some(format!("hex:{}", octets.join(" ")))
}

/// Reads digits in twos; one that is left over at the end of a word is an octet.
fn octets(line: &Statement) -> Option<Vec<[Nibble; 2]>> {
    let words = line.words[1..].iter();
    let words = words.flat_map(|word| word.split_whitespace());
    let mut octets = Vec::new();
    for word in words {
        let nibbles: Vec<Nibble> = word
            .chars()
            .map(|c| match c {
                'x' | 'X' => Some(None),
                _ => c.to_digit(16).map(Some),
            })
            .collect::<Option<_>>()?;
        octets.extend(nibbles.chunks(2).map(|nibbles| match *nibbles {
            [high, low] => [high, low],
            [low, ..] => [Some(0), low],
            [] => [None, None],
        }));
    }
    (!octets.is_empty()).then_some(octets)
}

/// An expression of octets that an answer begins with.
fn expected(octets: &[[Nibble; 2]]) -> String {
    let octets = octets.iter().map(|octet| match *octet {
        [Some(high), Some(low)] => format!(r"\x{high:x}{low:x}"),
        [Some(high), None] => format!(r"[\x{high:x}0-\x{high:x}f]"),
        [None, Some(low)] => {
            let all: String = (0..16).map(|high| format!(r"\x{high:x}{low:x}")).collect();
            format!("[{all}]")
        }
        [None, None] => ".".to_owned(),
    });
    format!("(?s-u)^{}", octets.collect::<String>())
}

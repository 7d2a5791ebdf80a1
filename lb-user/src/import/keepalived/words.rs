//! The words and braces of a line.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Open,
    Close,
}

/// Takes a line apart. Quotes, single or double, join what is between them to the word around; what is after a
/// backslash in them stands for itself, or for what it does in a shell.
pub(super) fn tokens(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    // None between words: an empty word is one in quotes.
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' => {
                let word = word.get_or_insert_default();
                while let Some(inner) = chars.next().filter(|&inner| inner != c) {
                    match inner {
                        '\\' => escaped(&mut chars, word),
                        _ => word.push(inner),
                    }
                }
            }
            // Of a variable that is defined nowhere: not a brace.
            '$' if chars.peek() == Some(&'{') => {
                let word = word.get_or_insert_default();
                word.push('$');
                for inner in chars.by_ref() {
                    word.push(inner);
                    if inner == '}' {
                        break;
                    }
                }
            }
            '{' | '}' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(if c == '{' { Token::Open } else { Token::Close });
            }
            _ if c.is_whitespace() => tokens.extend(word.take().map(Token::Word)),
            _ => word.get_or_insert_default().push(c),
        }
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

type Chars<'l> = std::iter::Peekable<std::str::Chars<'l>>;

fn escaped(chars: &mut Chars<'_>, word: &mut String) {
    let Some(c) = chars.next() else {
        return;
    };
    let number = |chars: &mut Chars<'_>, first: &str, radix: u32, most: usize| {
        let mut digits = first.to_owned();
        while digits.len() < most
            && let Some(digit) = chars.next_if(|it| it.is_digit(radix))
        {
            digits.push(digit);
        }
        u32::from_str_radix(&digits, radix)
            .ok()
            .and_then(char::from_u32)
    };
    word.extend(match c {
        'a' => Some('\x07'),
        'b' => Some('\x08'),
        'E' => Some('\x1b'),
        'f' => Some('\x0c'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0b'),
        'x' => number(chars, "", 16, 2),
        '0'..='7' => number(chars, &c.to_string(), 8, 3),
        other => Some(other),
    });
}

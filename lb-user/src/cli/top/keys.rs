//! Keys, as htop has them.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a terminal has more keys than are for something"
)]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Filter,
    Members,
    NextColumn,
    PreviousColumn,
    Invert,
    Pause,
    Help,
    Suspend,
    Quit,
}

/// What a key is for, while no filter is typed.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Action::Quit),
            KeyCode::Char('z') => Some(Action::Suspend),
            _ => None,
        };
    }
    Some(match key.code {
        KeyCode::Up => Action::Up,
        KeyCode::Down => Action::Down,
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Home => Action::Home,
        KeyCode::End => Action::End,
        KeyCode::F(1) | KeyCode::Char('h' | '?') => Action::Help,
        KeyCode::F(4) | KeyCode::Char('\\') => Action::Filter,
        KeyCode::F(5) | KeyCode::Char('t') => Action::Members,
        KeyCode::F(6) | KeyCode::Char('>') => Action::NextColumn,
        KeyCode::Char('<') => Action::PreviousColumn,
        KeyCode::Char('I') => Action::Invert,
        KeyCode::Char(' ') => Action::Pause,
        KeyCode::F(10) | KeyCode::Char('q') => Action::Quit,
        _ => return None,
    })
}

/// The keys and what they are for, as the help shows them.
pub(super) const HELP: [(&str, &str); 10] = [
    ("Up Down PgUp PgDn Home End", "move the selection"),
    ("F4 \\", "filter; Enter keeps it, Esc clears it"),
    ("F5 t", "hide or show real servers"),
    ("F6 >", "sort by the next column"),
    ("<", "sort by the column before"),
    ("I", "invert the order"),
    ("Space", "pause, and go on"),
    ("Ctrl-Z", "stop, until the shell's `fg`"),
    ("F1 h ?", "this help"),
    ("F10 q Ctrl-C", "quit"),
];

/// A key while a filter is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Letter(char),
    Back,
    Keep,
    Clear,
}

pub(super) fn typed(key: KeyEvent) -> Option<Typed> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return None;
    }
    match key.code {
        KeyCode::Char(letter) => Some(Typed::Letter(letter)),
        KeyCode::Backspace => Some(Typed::Back),
        KeyCode::Enter | KeyCode::F(4) => Some(Typed::Keep),
        KeyCode::Esc => Some(Typed::Clear),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of htop(1), "INTERACTIVE COMMANDS", but for the pause and top's `<` and `>`.
    #[test]
    fn keys_are_those_of_htop() {
        let plain = KeyModifiers::NONE;
        for (codes, expected) in [
            (&[KeyCode::Up][..], Some(Action::Up)),
            (&[KeyCode::PageDown], Some(Action::PageDown)),
            (&[KeyCode::Home], Some(Action::Home)),
            (
                &[KeyCode::F(1), KeyCode::Char('h'), KeyCode::Char('?')],
                Some(Action::Help),
            ),
            (&[KeyCode::F(4), KeyCode::Char('\\')], Some(Action::Filter)),
            (&[KeyCode::F(5), KeyCode::Char('t')], Some(Action::Members)),
            (
                &[KeyCode::F(6), KeyCode::Char('>')],
                Some(Action::NextColumn),
            ),
            (&[KeyCode::Char('I')], Some(Action::Invert)),
            (&[KeyCode::F(10), KeyCode::Char('q')], Some(Action::Quit)),
            (&[KeyCode::Char('i'), KeyCode::F(9), KeyCode::Esc], None),
        ] {
            for code in codes {
                assert_eq!(action(KeyEvent::new(*code, plain)), expected, "{code:?}");
            }
        }
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert_eq!(action(control('c')), Some(Action::Quit));
        assert_eq!(action(control('t')), None);
        assert_eq!(typed(control('c')), None);
        let q = KeyEvent::new(KeyCode::Char('q'), plain);
        assert_eq!(typed(q), Some(Typed::Letter('q')));
    }
}

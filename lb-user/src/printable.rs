//! Text that may hold anything, as it is shown.

/// Returns it in one line and without what a terminal would obey: it quotes what others have said.
pub fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

//! Colours of the terminal's own palette, and none where NO_COLOR is set (no-color.org).

use std::env;

use ratatui::style::{Color, Modifier, Style};

use crate::cli::mood::Mood;

#[derive(Clone, Copy, Debug)]
pub(super) struct Colours {
    are_wanted: bool,
}

impl Colours {
    pub(super) fn of_environment() -> Self {
        Self {
            are_wanted: env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
        }
    }

    /// Black on a colour; without colours the terminal's own two, exchanged.
    pub(super) fn bar(self, colour: Color) -> Style {
        match self.are_wanted {
            true => Style::new().fg(Color::Black).bg(colour),
            false => Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    pub(super) fn text(self, colour: Color) -> Style {
        match self.are_wanted {
            true => Style::new().fg(colour),
            false => Style::new(),
        }
    }

    pub(super) fn mood(self, mood: Mood) -> Style {
        match mood {
            Mood::Good => self.text(Color::Green),
            Mood::Restricted => self.text(Color::Yellow),
            Mood::Bad => self.text(Color::Red).add_modifier(Modifier::BOLD),
        }
    }
}

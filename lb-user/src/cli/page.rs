//! What is printed for the eye: lines and tables, as narrow as the terminal. A file gets them whole, for scripts.
//!
//! No cell is cut: words that have no room go on in the next line, and columns likewise.

mod layout;
mod table;

use std::iter::repeat_n;

use textwrap::{Options, WordSplitter, core::display_width};

pub use self::table::{Column, Line, Table};

pub struct Page {
    /// Of the terminal; none of a file.
    width: Option<usize>,
    text: String,
}

impl Page {
    pub fn new(width: Option<usize>) -> Self {
        let text = String::new();
        Self { width, text }
    }

    pub fn text(self) -> String {
        self.text
    }

    /// Makes it so wide at most, also in a file.
    pub fn narrow(&mut self, width: usize) {
        self.width = Some(self.width.map_or(width, |it| it.min(width)));
    }

    /// A line; what has no room stands below, so many columns in.
    pub fn line(&mut self, indent: usize, words: &str) {
        self.put("", indent, words);
    }

    /// A line as it is, however wide: what is to be copied.
    pub fn whole(&mut self, line: &str) {
        self.text += line;
        self.text.push('\n');
    }

    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Ends a line; the next begins further in.
    fn end(&mut self, line: &mut String, indent: usize) {
        self.text += line.trim_end();
        self.text.push('\n');
        line.clear();
        line.extend(repeat_n(' ', indent));
    }

    /// Words behind a beginning that has room.
    fn put(&mut self, beginning: &str, indent: usize, words: &str) {
        let needed = display_width(beginning) + display_width(words);
        match self.width.filter(|&width| needed > width) {
            None => {
                self.text += beginning;
                self.whole(words);
            }
            Some(width) => {
                let indent = " ".repeat(indent.min(width / 2));
                let options = Options::new(width)
                    .initial_indent(beginning)
                    .subsequent_indent(&indent)
                    // An address with hyphens is one word.
                    .word_splitter(WordSplitter::NoHyphenation);
                for line in textwrap::wrap(words, options) {
                    self.text += line.trim_end();
                    self.text.push('\n');
                }
            }
        }
    }
}

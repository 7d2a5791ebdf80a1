//! Server-sent events, as WHATWG HTML has them (section 9.2.6), their lines ended by LF or CRLF.

use anyhow::{Result, ensure};

/// Octets of the longest message: an event of the daemon has some hundred.
const MESSAGE_MAX: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Event {
        /// Of this event, or of the last before it that had one.
        id: String,
        data: String,
    },
    /// Said besides.
    Comment(String),
}

/// What has come of a stream so far.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The beginning of a line.
    line: Vec<u8>,
    id: String,
    data: String,
}

impl Stream {
    /// Takes the next octets; returns what they complete.
    pub(super) fn push(&mut self, octets: &[u8]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        let mut rest = octets;
        while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
            self.line.extend(&rest[..end]);
            rest = &rest[end + 1..];
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            messages.extend(self.line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        self.line.extend(rest);
        ensure!(
            self.line.len() + self.data.len() <= MESSAGE_MAX,
            "the daemon tells an event of more than {MESSAGE_MAX} octets"
        );
        Ok(messages)
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let data = data.strip_suffix('\n')?.to_owned();
            let id = self.id.clone();
            return Some(Message::Event { id, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if !value.is_empty() => return Some(Message::Comment(value.to_owned())),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" => value.clone_into(&mut self.id),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of section 9.2.6.
    #[test]
    fn the_examples_of_the_standard() {
        let event = |id: &str, data: &str| Message::Event {
            id: id.into(),
            data: data.into(),
        };
        let comment = |text: &str| Message::Comment(text.into());
        for (stream, expected) in [
            (
                "data: YHOO\ndata: +2\ndata: 10\n\n",
                vec![event("", "YHOO\n+2\n10")],
            ),
            (
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
                vec![
                    comment("test stream"),
                    event("1", "first event"),
                    event("", "second event"),
                ],
            ),
            (
                "data\n\ndata\ndata\n\ndata:",
                vec![event("", ""), event("", "\n")],
            ),
            (
                "data:test\n\ndata: test\n\n",
                vec![event("", "test"), event("", "test")],
            ),
            (
                "id: 7\r\ndata: a\r\n\r\n:\r\n\r\ndata: b\r\n\r\n",
                vec![event("7", "a"), event("7", "b")],
            ),
        ] {
            let whole = Stream::default().push(stream.as_bytes()).unwrap();
            assert_eq!(whole, expected, "{stream:?}");
            let mut parsed = Stream::default();
            let octets = stream.as_bytes().chunks(1);
            let single = octets.flat_map(|octet| parsed.push(octet).unwrap());
            assert_eq!(single.collect::<Vec<_>>(), expected, "{stream:?}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let mut stream = Stream::default();
        assert!(stream.push(&[b'a'; MESSAGE_MAX]).is_ok());
        assert!(stream.push(b"a").is_err());
    }
}

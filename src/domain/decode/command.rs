//! Command barcodes: the card on the operator's wrist says what a keyboard would.
//!
//! A card carries `TM-DONE`, `TM-EMPTY`, `TM-5`, ...; the prefix keeps a command from being mistaken for a product. The
//! bare capital word (`DONE`) is a command too, for cards that a site printed itself.

use crate::domain::policy::Reason;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Digit(u8),
    Point,
    /// The bin is empty: counted is zero.
    Empty,
    Short,
    Over,
    Wrong,
    Damaged,
    Reason(Reason),
    Done,
    Undo,
    /// Put the slip aside unsent.
    Clear,
    SignOff,
}

const PREFIX: &str = "TM-";
const REASON: &str = "REASON-";

impl Command {
    pub fn parse(text: &str) -> Option<Command> {
        let (prefixed, word) = match text.strip_prefix(PREFIX) {
            Some(word) => (true, word),
            None => (false, text),
        };
        Command::word(word).or_else(|| if prefixed { Command::prefixed(word) } else { None })
    }

    fn word(word: &str) -> Option<Command> {
        Some(match word {
            "EMPTY" => Command::Empty,
            "SHORT" => Command::Short,
            "OVER" => Command::Over,
            "WRONG" => Command::Wrong,
            "DAMAGED" => Command::Damaged,
            "DONE" => Command::Done,
            "UNDO" => Command::Undo,
            "CLEAR" => Command::Clear,
            "SIGNOFF" => Command::SignOff,
            _ => return None,
        })
    }

    /// Words too short or too free to be taken without the prefix.
    fn prefixed(word: &str) -> Option<Command> {
        match word.as_bytes() {
            [digit @ b'0'..=b'9'] => Some(Command::Digit(digit - b'0')),
            b"POINT" => Some(Command::Point),
            _ => Reason::parse(&word.strip_prefix(REASON)?.to_ascii_lowercase()).map(Command::Reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_work_with_and_without_the_prefix() {
        assert_eq!(Command::parse("TM-DONE"), Some(Command::Done));
        assert_eq!(Command::parse("EMPTY"), Some(Command::Empty));
    }

    #[test]
    fn digits_and_reasons_need_the_prefix() {
        assert_eq!(Command::parse("TM-7"), Some(Command::Digit(7)));
        assert_eq!(Command::parse("7"), None);
        assert_eq!(Command::parse("TM-REASON-BIN_EMPTY"), Reason::parse("bin_empty").map(Command::Reason));
        assert_eq!(Command::parse("TM-REASON-"), None);
    }

    #[test]
    fn nothing_else_is_a_command() {
        for text in ["", "TM-", "done", "TM-12", "DONE ", "TM-TM-DONE"] {
            assert_eq!(Command::parse(text), None, "{text}");
        }
    }
}

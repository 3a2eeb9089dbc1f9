//! What came from outside as a person can read it: a code or a device's name steers neither a terminal nor a page.

/// The control characters of ASCII, in their order.
const NAMES: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR", "SO", "SI", "DLE",
    "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
];

/// `text` with each control character by its name (`<GS>`), and by its number (`<U+202E>`) what breaks lines or turns the
/// reading direction of what stands around it.
pub fn visible(text: &str) -> String {
    visible_bytes(text.as_bytes())
}

/// The same of bytes; those that are no UTF-8 stand there in hexadecimal (`<ff>`).
pub fn visible_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match NAMES.get(c as usize) {
                Some(name) => out.extend(["<", name, ">"]),
                None if c == '\u{7f}' => out.push_str("<DEL>"),
                None if acts(c) => out.push_str(&format!("<U+{:04X}>", c as u32)),
                None => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("<{byte:02x}>")));
    }
    out
}

/// Controls beyond ASCII, separators of lines and paragraphs, and Unicode's marks of direction (UAX #9 §2).
fn acts(c: char) -> bool {
    let line_or_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || line_or_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_have_their_names() {
        assert_eq!(visible("]C101\u{1d}10A\r\n"), "]C101<GS>10A<CR><LF>");
        assert_eq!(visible("\u{0}\u{2}\u{3}\t\u{1b}[31m\u{1f}\u{7f}"), "<NUL><STX><ETX><TAB><ESC>[31m<US><DEL>");
    }

    #[test]
    fn what_turns_the_reading_direction_or_breaks_a_line_is_shown_and_does_nothing() {
        assert_eq!(
            visible("A\u{202e}B\u{2066}\u{200f}\u{2028}\u{9b}31m"),
            "A<U+202E>B<U+2066><U+200F><U+2028><U+009B>31m"
        );
    }

    #[test]
    fn letters_of_every_script_stay_and_bytes_that_are_none_are_numbers() {
        assert_eq!(visible("Größe 7 \u{5d0} \u{1f4e6}"), "Größe 7 \u{5d0} \u{1f4e6}");
        assert_eq!(visible_bytes(b"a\xff\xc3b\xc3\xa9"), "a<ff><c3>b\u{e9}");
    }

    proptest::proptest! {
        #[test]
        fn nothing_of_what_is_shown_acts(bytes in proptest::collection::vec(0u8.., 0..200)) {
            let shown = visible_bytes(&bytes);
            proptest::prop_assert!(!shown.chars().any(acts), "{:?}", shown);
        }

        #[test]
        fn text_without_anything_odd_is_shown_as_it_is(text in "[ -~à-ÿ一-丿]{0,60}") {
            proptest::prop_assert_eq!(visible(&text), text);
        }
    }
}

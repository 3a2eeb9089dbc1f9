//! The calibration sheet: two codes whose text is known.

use super::Look;
use super::page::{Mark, Page, Style};
use super::symbol::{Payload, Symbol, Unprintable};
use crate::domain::decode::calibrate::{ELEMENTS, TEXT};

const LEFT: f64 = 25.0;

/// The sheet's one page.
///
/// # Errors
/// None that the fixed texts could cause; the encoders' own are passed on.
pub fn calibration_sheet(look: Look) -> Result<Vec<Page>, Unprintable> {
    let words = look.language.words();
    let mut page = Page::portrait(look.paper);
    page.text(LEFT, 28.0, 8.0, Style::Bold, words.calibration);
    let mut y = 40.0;
    for (number, step) in (1..).zip(words.steps) {
        page.text(LEFT, y, 3.8, Style::Plain, format!("{number}.  {step}"));
        y += 6.5;
    }
    page.marks.push(Mark::Line { x: LEFT, y: y + 2.0, length: 100.0 });
    page.text(LEFT + 102.0, y + 3.0, 3.2, Style::Faint, words.ruler);
    // GTIN, lot and serial number, as they are written under a label.
    let element = |text: &str, from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    let [head, tail] = ELEMENTS;
    let readable = format!(
        "(01){}(10){}(21){}",
        element(head, 2, 16),
        element(head, 18, head.len()),
        element(tail, 2, tail.len())
    );
    let codes =
        [(words.first, Payload::Text(TEXT), TEXT.to_owned()), (words.second, Payload::Gs1(&ELEMENTS), readable)];
    let mut y = 92.0;
    for (title, payload, readable) in codes {
        let symbol = Symbol::new(payload, look.symbology)?;
        page.text(LEFT, y, 4.2, Style::Bold, title);
        page.symbol(LEFT - symbol.quiet, y + 5.0, &symbol, payload.readable());
        page.text(LEFT, y + symbol.height + 10.0, 3.4, Style::Plain, readable);
        // Far apart, so that a scanner in the hand sees one at a time.
        y += 75.0;
    }
    Ok(vec![page])
}

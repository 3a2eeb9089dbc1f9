//! The wearable command card: everything that can be said by scanning.

use super::page::{Mark, Page, Style};
use super::symbol::{Payload, Rect, Symbol, Unprintable};
use super::words::Words;
use super::{Look, Symbology};
use crate::domain::policy::{Kind, Policies, Reason};

/// One card in mm. Four go on a page, on A4 and on Letter.
const CARD: (f64, f64) = (134.0, 100.0);
const COLUMNS: usize = 2;
const CARDS_A_PAGE: usize = 4;
/// Inside a card's outline.
const MARGIN: f64 = 2.0;
const TITLE: f64 = 4.0;
const CAPTION: f64 = 3.2;
const CODE: f64 = 2.2;
/// Between two rows of symbols.
const ROW_GAP: f64 = 2.2;
/// Between two symbols of a row, quiet zones come on top. QR codes are small, so more white keeps the neighbour out of view.
const COLUMN_GAP: f64 = 1.5;
const TALL_COLUMN_GAP: f64 = 6.0;
/// Symbols in a row at most: digits stand as on a telephone.
const ROW: usize = 3;
const TALL_ROW: usize = 5;

const DIGITS: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "POINT", "UNDO", "DONE"];
const FOUND: &[&str] = &["EMPTY", "SHORT", "OVER", "WRONG", "DAMAGED", "DONE", "UNDO", "CLEAR", "SIGNOFF"];

/// A symbol with its words.
struct Item {
    symbol: Symbol,
    caption: String,
    code: String,
}

/// Every reason that some flow of the site asks for, once, in their order.
pub fn reasons(policies: &Policies) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = vec![];
    for rule in Kind::ALL.iter().filter_map(|kind| policies.of(*kind)).flat_map(|policy| &policy.reasons) {
        if !reasons.contains(&rule.reason) {
            reasons.push(rule.reason.clone());
        }
    }
    reasons
}

/// The card with all commands and the reasons that the site asks for.
///
/// # Errors
/// When a reason is too long for its barcode.
pub fn command_card(reasons: &[Reason], look: Look) -> Result<Vec<Page>, Unprintable> {
    let words = look.language.words();
    let command = |word: &&str| Item::new(&format!("TM-{word}"), words.command(word), look.symbology);
    let reason = |reason: &Reason| {
        let code = format!("TM-REASON-{}", reason.as_str().to_ascii_uppercase());
        Item::new(&code, words.reason(reason.as_str()), look.symbology)
    };
    let groups = [
        (words.numbers, DIGITS.iter().map(command).collect::<Result<Vec<_>, _>>()?),
        (words.found, FOUND.iter().map(command).collect::<Result<Vec<_>, _>>()?),
        (words.why, reasons.iter().map(reason).collect::<Result<Vec<_>, _>>()?),
    ];
    let mut print = Print { look, words, pages: vec![], cards: 0 };
    for (title, items) in &groups {
        print.group(title, items);
    }
    Ok(print.pages)
}

impl Item {
    fn new(code: &str, caption: String, symbology: Symbology) -> Result<Item, Unprintable> {
        let symbol = Symbol::new(Payload::Text(code), symbology)?;
        if symbol.width > CARD.0 - 2.0 * MARGIN {
            return Err(Unprintable { text: code.to_owned(), why: "it is too long for a card; take --symbology qr" });
        }
        Ok(Item { symbol, caption, code: code.to_owned() })
    }

    /// A tall symbol has its code on a line of its own.
    fn is_tall(&self) -> bool {
        self.symbol.height > 14.0
    }

    fn width(&self) -> f64 {
        let words = text_width(&self.caption, CAPTION).max(text_width(&self.code, CODE));
        if self.is_tall() { self.symbol.width.max(self.symbol.quiet + words) } else { self.symbol.width }
    }

    fn gap(&self) -> f64 {
        if self.is_tall() { TALL_COLUMN_GAP } else { COLUMN_GAP }
    }

    fn height(&self) -> f64 {
        self.symbol.height + CAPTION + if self.is_tall() { CODE + 0.4 } else { 0.0 }
    }
}

/// An upper bound: no letter of Helvetica is wider on average.
fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if c.is_uppercase() { 0.72 } else { 0.58 }).sum::<f64>() * size
}

/// The pages as far as they are filled.
struct Print {
    look: Look,
    words: &'static Words,
    pages: Vec<Page>,
    cards: usize,
}

impl Print {
    /// One card, or as many as the items need.
    fn group(&mut self, title: &str, items: &[Item]) {
        let mut rest = items;
        while !rest.is_empty() {
            let (left, top) = self.new_card(title);
            rest = self.fill(rest, left, top);
        }
    }

    /// Begins a card; gives the upper left corner of what can be filled.
    fn new_card(&mut self, title: &str) -> (f64, f64) {
        let place = self.cards % CARDS_A_PAGE;
        self.cards += 1;
        if place == 0 {
            let mut page = Page::landscape(self.look.paper);
            page.text(page.width / 2.0 - CARD.0, 3.5, 2.4, Style::Faint, self.words.print_at_full_size);
            self.pages.push(page);
        }
        let Some(page) = self.pages.last_mut() else { return (0.0, 0.0) };
        let (column, row) = (place % COLUMNS, place / COLUMNS);
        let x = page.width / 2.0 - if column == 0 { CARD.0 } else { 0.0 };
        let y = page.height / 2.0 - if row == 0 { CARD.1 } else { 0.0 };
        page.marks.push(Mark::Cut(Rect { x, y, width: CARD.0, height: CARD.1 }));
        page.text(x + MARGIN + 3.4, y + MARGIN + TITLE, TITLE, Style::Bold, title);
        (x + MARGIN, y + MARGIN + TITLE + ROW_GAP)
    }

    /// Sets items in rows until the card is full; gives those that are left. At least one always fits.
    fn fill<'a>(&mut self, items: &'a [Item], left: f64, top: f64) -> &'a [Item] {
        let (right, bottom) = (left + CARD.0 - 2.0 * MARGIN, top + CARD.1 - 2.0 * MARGIN - TITLE - ROW_GAP);
        let (mut rest, mut y, mut first) = (items, top, true);
        while !rest.is_empty() {
            let row = row_of(rest, right - left);
            let height = row.iter().map(Item::height).fold(0.0, f64::max);
            if !first && y + height > bottom {
                return rest;
            }
            let mut x = left;
            for item in row {
                self.set(item, x, y);
                x += item.width() + item.gap();
            }
            y += height + ROW_GAP;
            (rest, first) = (&rest[row.len()..], false);
        }
        rest
    }

    fn set(&mut self, item: &Item, x: f64, y: f64) {
        let Some(page) = self.pages.last_mut() else { return };
        page.symbol(x, y, &item.symbol, item.code.clone());
        let (text_x, caption_y) = (x + item.symbol.quiet, y + item.symbol.height + CAPTION);
        page.text(text_x, caption_y, CAPTION, Style::Bold, item.caption.clone());
        if item.is_tall() {
            page.text(text_x, caption_y + CODE + 0.4, CODE, Style::Faint, item.code.clone());
        } else {
            let behind = text_x + text_width(&item.caption, CAPTION) + 1.5;
            page.text(behind, caption_y, CODE, Style::Faint, item.code.clone());
        }
    }
}

/// The items that fit beside each other; at least one.
fn row_of(items: &[Item], width: f64) -> &[Item] {
    let mut used = 0.0;
    let fits = items.iter().take_while(|item| {
        used += item.width() + item.gap();
        used - item.gap() <= width
    });
    let most = if items.iter().any(Item::is_tall) { TALL_ROW } else { ROW };
    let count = fits.take(most).count().max(1);
    items.split_at_checked(count).map_or(items, |(row, _)| row)
}

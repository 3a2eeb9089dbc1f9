//! What a scan is: catalog and GS1 first, the site's prefixes next, and last the slot that the page asks for.

use super::super::catalog::{Catalog, Direction, Operator};
use super::super::decode::gtin::Gtin;
use super::super::decode::{ItemCode, Meaning, Scan};
use super::super::event::Item;
use super::session::Question;
use super::slip::{MAX_CODE, OpenDocument};
use super::{TypedSlot, filling_of};

/// The slot that a scan or a typed text fills, with what goes into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filling {
    Operator(Operator),
    Document(OpenDocument),
    Bin(String),
    Item(Item),
    Unknown { read: String, help: &'static str },
}

pub(super) fn role(catalog: &Catalog, question: Question, scan: &Scan) -> Filling {
    if let Meaning::Item(code) = &scan.meaning {
        return Filling::Item(item(code, &scan.text));
    }
    let text: String = scan.text.chars().take(MAX_CODE).collect();
    if let Some(known) = catalog.know(&text) {
        return filling_of(known);
    }
    unknown(question, text)
}

/// A typed text goes where the person put it, in the catalog's spelling where the catalog knows it.
pub(super) fn typed(catalog: &Catalog, slot: TypedSlot, text: String) -> Filling {
    match slot {
        TypedSlot::Operator => Filling::Operator(catalog.operator(&text)),
        TypedSlot::Document => match catalog.know(&text).map(filling_of) {
            Some(document @ Filling::Document(_)) => document,
            // A number typed from paper: only a receipt has paper without a barcode.
            Some(Filling::Operator(_) | Filling::Bin(_) | Filling::Item(_) | Filling::Unknown { .. }) | None => {
                Filling::Document(OpenDocument { code: text, direction: Direction::Receipt })
            }
        },
        TypedSlot::Bin => Filling::Bin(text),
        TypedSlot::Item | TypedSlot::Note => Filling::Item(item_of(&text)),
    }
}

/// An item known by its code alone.
pub(super) fn item_of(code: &str) -> Item {
    Item { code: code.to_owned(), gtin: Gtin::parse(code), ..Item::default() }
}

fn item(code: &ItemCode, text: &str) -> Item {
    let read = code.gtin.map_or_else(|| text.chars().take(MAX_CODE).collect(), |gtin| gtin.to_string());
    Item { code: read, gtin: code.gtin, lot: code.lot.clone(), serial: code.serial.clone(), expiry: code.expiry }
}

/// A code that nobody knows is kept where it was asked for, and otherwise not guessed at.
fn unknown(question: Question, text: String) -> Filling {
    let help = match question {
        _ if text.is_empty() => "Nothing readable came: scan again.",
        Question::BinOrItem | Question::Item => return Filling::Item(item_of(&text)),
        Question::Context => return Filling::Bin(text),
        Question::Operator => "No badge is known under this code. Scan a badge, or type its number.",
        Question::Count => "Not known here. Count the item, or type the code into its field.",
        Question::Reason => "Not known here. Choose the reason.",
        Question::Photo | Question::Done | Question::Matches => {
            "Not known here. Finish this report first, or CLEAR it."
        }
    };
    Filling::Unknown { read: text, help }
}

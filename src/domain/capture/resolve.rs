//! What a scan is: catalog and GS1 first, the site's prefixes next, and last the slot that the page asks for.

use super::super::catalog::{Catalog, Direction, Line, Operator};
use super::super::decode::gtin;
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
    /// Lot, serial number or expiry from a barcode of their own: they belong to the item that is on the slip.
    Details(Item),
    Unknown {
        read: String,
        help: &'static str,
    },
}

pub(super) fn role(catalog: &Catalog, question: Question, scan: &Scan) -> Filling {
    match &scan.meaning {
        Meaning::Item(code) => return coded(catalog, code, scan),
        Meaning::OdooCommand => {
            let help = "That drives Odoo's own barcode screen. Here, use Tallyman's command card.";
            return Filling::Unknown { read: scan.text.clone(), help };
        }
        Meaning::Command(_) | Meaning::Text => {}
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
            Some(
                Filling::Operator(_)
                | Filling::Bin(_)
                | Filling::Item(_)
                | Filling::Details(_)
                | Filling::Unknown { .. },
            )
            | None => Filling::Document(OpenDocument { code: text, direction: Direction::Receipt }),
        },
        TypedSlot::Bin => Filling::Bin(text),
        TypedSlot::Item | TypedSlot::Note => Filling::Item(item_of(&text)),
    }
}

/// An item known by its code alone.
pub(super) fn item_of(code: &str) -> Item {
    Item { code: code.to_owned(), gtin: gtin::likeliest(code), ..Item::default() }
}

/// The item of a line, as a scan of it would read.
pub(super) fn item_on(line: &Line) -> Item {
    let item = item_of(&line.product);
    match item.gtin {
        Some(gtin) => Item { code: gtin.to_string(), ..item },
        None => item,
    }
}

/// A code with GS1's identifiers: a trade item, something else that the catalog knows by its number, or details of the
/// item that another barcode of the same label named.
fn coded(catalog: &Catalog, code: &ItemCode<'_>, scan: &Scan) -> Filling {
    let item = Item {
        code: code.gtin.map_or_else(|| scan.text.chars().take(MAX_CODE).collect(), |gtin| gtin.to_string()),
        gtin: code.gtin,
        lot: code.lot().map(ToOwned::to_owned),
        serial: code.serial().map(ToOwned::to_owned),
        expiry: code.expiry(scan.at.wall),
    };
    if item.gtin.is_some() {
        return Filling::Item(item);
    }
    // A bin is a GLN with its extension, a logistic unit an SSCC; a site may print any number that it knows.
    let bin = code.data("414").zip(code.data("254")).map(|(gln, extension)| format!("{gln}{extension}"));
    let numbers = bin.as_deref().into_iter().chain(code.elements.iter().map(|element| element.value.as_ref()));
    if let Some(known) = numbers.chain([scan.text.as_str()]).find_map(|number| catalog.know(number)) {
        return filling_of(known);
    }
    if item.lot.is_some() || item.serial.is_some() || item.expiry.is_some() {
        return Filling::Details(item);
    }
    Filling::Item(item)
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

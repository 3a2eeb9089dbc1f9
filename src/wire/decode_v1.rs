//! What `tallyman decode --json` prints: one object a code.

use serde::{Deserialize, Serialize};

use crate::domain::decode::rewrite::Rewrite;
use crate::domain::decode::{Flaw, Reading, gs1, read};
use crate::domain::time::Wall;

#[derive(Debug, Serialize)]
pub struct DecodedV1 {
    /// False when GS1's rules refuse the data; what was understood is given all the same.
    pub ok: bool,
    /// The AIM symbology identifier, when the scanner sent one.
    pub aim: Option<String>,
    pub kind: &'static str,
    pub gtin14: Option<String>,
    pub elements: Vec<ElementV1>,
    pub flaws: Vec<String>,
    /// What dates, weights and counts say, by their identifier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueV1>,
    /// What GS1 wants on the same item and this label doesn't have: another label may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ElementV1 {
    pub ai: String,
    /// GS1's data title.
    pub title: String,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub struct ValueV1 {
    pub ai: String,
    pub value: String,
}

impl DecodedV1 {
    /// Decodes one code as a device with these rules would; `wall` gives the century of two-digit years.
    pub fn of(bytes: &[u8], rules: &Rewrite, wall: Wall) -> DecodedV1 {
        let mut flaws = Vec::new();
        let Reading { identifier, text: _, meaning } = read(bytes, rules, &mut flaws);
        let item = meaning.item();
        let elements = item.map_or(&[][..], |item| &item.elements);
        let value = |element: &gs1::Element<'_>| {
            element.read(wall).map(|value| ValueV1 { ai: element.ai.to_string(), value: value.to_string() })
        };
        let note = |(ai, choices): (gs1::Ai, &str)| {
            let choices = choices.replace(',', ", or ").replace('+', " with ");
            format!("AI ({ai}): needs {choices} on the same item; it may be on another barcode")
        };
        DecodedV1 {
            ok: !flaws.iter().any(Flaw::refuses),
            aim: identifier.map(|identifier| identifier.to_string()),
            kind: meaning.name(),
            gtin14: item.and_then(|item| item.gtin).map(|gtin| gtin.to_string()),
            elements: elements.iter().map(ElementV1::from).collect(),
            values: elements.iter().filter_map(value).collect(),
            notes: gs1::missing(elements).into_iter().map(note).collect(),
            flaws: flaws.iter().map(ToString::to_string).collect(),
        }
    }

    /// The answer to a line that is no code at all: the lines behind it are still answered.
    pub fn unreadable(why: &str) -> DecodedV1 {
        DecodedV1 {
            ok: false,
            aim: None,
            kind: "unreadable",
            gtin14: None,
            elements: Vec::new(),
            flaws: vec![why.to_owned()],
            values: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl From<&gs1::Element<'_>> for ElementV1 {
    fn from(element: &gs1::Element<'_>) -> ElementV1 {
        ElementV1 {
            ai: element.ai.to_string(),
            title: element.ai.spec.title.to_owned(),
            value: element.value.clone().into_owned(),
        }
    }
}

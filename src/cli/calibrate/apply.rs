//! A calibration in the text of a configuration: only the scanner's own keys change; comments and order stay.

use std::time::Duration;

use toml_edit::{DocumentMut, Item, RawString, TableLike, Value};

use crate::domain::decode::calibrate::Calibration;
use crate::domain::decode::frame::Terminator;

/// How long a code may rest before it is cut off, where the configuration says nothing: on a keyboard chosen by `any`.
const REST_OF_ANY: Duration = Duration::from_millis(100);
/// On every other scanner, at the least.
const REST: Duration = Duration::from_secs(1);

/// Why a calibration has no place in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    #[error("it is no TOML: {0}")]
    Syntax(String),
    #[error("it has no scanner named {name:?}; {}", named(known))]
    NoScanner { name: String, known: Vec<String> },
    #[error("{name:?} is of the kind {kind:?}, but what was recorded came from a scanner that sends {sends}")]
    OtherKind { name: String, kind: String, sends: &'static str },
    #[error("{key} is {bytes:02X?}, which is no text: set the scanner to send plain characters there")]
    NoText { key: &'static str, bytes: Vec<u8> },
}

fn named(known: &[String]) -> String {
    if known.is_empty() {
        "add a [[scanner]] block with name, kind and path first".to_owned()
    } else {
        format!("there is {}", known.join(", "))
    }
}

/// The configuration `text` with what was found in the block of `scanner`.
///
/// What the scanner is not set to send is taken out (`prefix`, `suffix`, `gs`); a comment above such a line stays.
///
/// # Errors
/// When there is no such block, or it is another kind of scanner.
pub fn apply(text: &str, scanner: &str, found: &Calibration) -> Result<String, NotApplied> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| NotApplied::Syntax(error.message().to_owned()))?;
    let block = block(&mut document, scanner)?;
    let kind = block.get("kind").and_then(Item::as_str).unwrap_or_default();
    if (kind == "evdev") != found.layout.is_some() {
        let (name, kind) = (scanner.to_owned(), kind.to_owned());
        let sends = if found.layout.is_some() { "keys (evdev)" } else { "bytes (serial, hidraw or stdin)" };
        return Err(NotApplied::OtherKind { name, kind, sends });
    }
    if let Some(layout) = found.layout {
        set(block, "layout", layout.name().into());
    }
    set(block, "terminator", found.terminator.name().into());
    if let Some(gap_ms) = gap_ms(block, found) {
        set(block, "gap_ms", gap_ms.into());
    }
    let separator = found.group_separator().unwrap_or_default();
    for (key, bytes) in [("prefix", &found.prefix[..]), ("suffix", &found.suffix), ("gs", separator)] {
        match std::str::from_utf8(bytes) {
            Ok("") => remove(block, key),
            Ok(text) => set(block, key, text.into()),
            Err(_) => return Err(NotApplied::NoText { key, bytes: bytes.to_vec() }),
        }
    }
    Ok(document.to_string())
}

/// The scanner's table, as `[[scanner]]` or inside `scanner = [...]`.
fn block<'a>(document: &'a mut DocumentMut, scanner: &str) -> Result<&'a mut dyn TableLike, NotApplied> {
    let mut known = vec![];
    let blocks: Vec<&mut dyn TableLike> = match document.get_mut("scanner") {
        Some(Item::ArrayOfTables(tables)) => tables.iter_mut().map(|table| table as &mut dyn TableLike).collect(),
        Some(Item::Value(Value::Array(array))) => {
            let tables = array.iter_mut().filter_map(Value::as_inline_table_mut);
            tables.map(|table| table as &mut dyn TableLike).collect()
        }
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => vec![],
    };
    for block in blocks {
        match block.get("name").and_then(Item::as_str) {
            Some(name) if name == scanner => return Ok(block),
            Some(name) => known.push(name.to_owned()),
            None => {}
        }
    }
    Err(NotApplied::NoScanner { name: scanner.to_owned(), known })
}

/// The silence that has to be written: where it ends codes, or where the one in force would cut this scanner's codes.
fn gap_ms(block: &dyn TableLike, found: &Calibration) -> Option<i64> {
    let needed = i64::try_from(found.gap_ms).unwrap_or(i64::MAX);
    let any = block.get("any").and_then(Item::as_bool).unwrap_or_default();
    let usual = if any { REST_OF_ANY } else { REST };
    let in_force = block.get("gap_ms").and_then(Item::as_integer);
    let in_force = in_force.unwrap_or_else(|| i64::try_from(usual.as_millis()).unwrap_or(i64::MAX));
    (found.terminator == Terminator::Gap || in_force < needed).then_some(needed)
}

/// Sets a value, with the comment that stands behind the old one. What is right already keeps its spelling.
fn set(block: &mut dyn TableLike, key: &str, new: Value) {
    let Some(old) = block.get_mut(key).and_then(Item::as_value_mut) else {
        block.insert(key, Item::Value(new));
        return;
    };
    if old.as_str() != new.as_str() || old.as_integer() != new.as_integer() {
        let decor = old.decor().clone();
        *old = new;
        *old.decor_mut() = decor;
    }
}

/// Takes a key out; the comment lines above it stay, behind the line before or above the next.
fn remove(block: &mut dyn TableLike, key: &str) {
    let comment = block.key(key).and_then(|key| key.leaf_decor().prefix()).and_then(|prefix| prefix.as_str());
    let comment = comment.map(str::trim_end).filter(|comment| comment.contains('#')).map(str::to_owned);
    let before = block.iter().map(|(name, _)| name.to_owned()).take_while(|name| name != key).last();
    let next = block.iter().map(|(name, _)| name.to_owned()).skip_while(|name| name != key).nth(1);
    if block.remove(key).is_none() {
        return;
    }
    let Some(comment) = comment else { return };
    let as_text = |raw: Option<&RawString>| raw.and_then(RawString::as_str).unwrap_or_default().to_owned();
    if let Some(value) = before.and_then(|before| block.get_mut(&before)).and_then(Item::as_value_mut) {
        let behind = as_text(value.decor().suffix());
        value.decor_mut().set_suffix(format!("{behind}\n{comment}"));
    } else if let Some(mut key) = next.and_then(|next| block.key_mut(&next)) {
        let above = as_text(key.leaf_decor().prefix());
        key.leaf_decor_mut().set_prefix(format!("{comment}\n{above}"));
    }
}

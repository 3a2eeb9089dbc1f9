//! The demo's little warehouse, and the labels that can be fired.

use crate::wire::catalog_v1::{BinV1, CatalogV1, DirectionV1, DocumentV1, LineV1, OperatorV1, ProductV1};

/// A label on the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub group: &'static str,
    pub code: String,
    pub caption: String,
}

const COMMANDS: &[(&str, &str)] = &[
    ("TM-EMPTY", "the bin is empty"),
    ("TM-SHORT", "fewer than expected"),
    ("TM-OVER", "more than expected"),
    ("TM-DAMAGED", "damaged"),
    ("TM-UNDO", "take the last input back"),
    ("TM-CLEAR", "put the slip aside"),
    ("TM-DONE", "done: save the report"),
];
const DIGITS: &[&str] = &["TM-0", "TM-1", "TM-2", "TM-3", "TM-4", "TM-5", "TM-6", "TM-7", "TM-8", "TM-9"];

/// A warehouse with two operators, three bins, three products, a pick and a receipt.
pub fn catalog() -> CatalogV1 {
    let product =
        |code: &str, name: &str| ProductV1 { code: code.into(), name: name.into(), unit: Some("Units".into()) };
    let bin = |code: &str| BinV1 { code: code.into(), name: None };
    let operator = |badge: &str, name: &str| OperatorV1 { badge: badge.into(), name: Some(name.into()) };
    let line = |product: &str, bin: Option<&str>, expected: &str| LineV1 {
        product: product.into(),
        bin: bin.map(Into::into),
        expected: expected.into(),
        unit: Some("Units".into()),
    };
    CatalogV1 {
        operators: vec![operator("EMP-7", "Ada (picker)"), operator("EMP-8", "Ben (receiver)")],
        bins: vec![bin("A-03-02"), bin("A-03-03"), bin("B-01-01")],
        products: vec![
            product("7032069804988", "Green tea, 20 bags"),
            product("4006381333931", "Highlighter, yellow"),
            product("5901234123457", "Storage box, 40 l"),
        ],
        documents: vec![
            DocumentV1 {
                code: "WH/OUT/00012".into(),
                direction: DirectionV1::Pick,
                lines: vec![line("7032069804988", Some("A-03-02"), "8"), line("4006381333931", Some("B-01-01"), "24")],
            },
            DocumentV1 {
                code: "WH/IN/00004".into(),
                direction: DirectionV1::Receipt,
                lines: vec![line("5901234123457", None, "12"), line("7032069804988", None, "40")],
            },
        ],
    }
}

/// The labels of a catalog: everything on it that can be scanned, and the command card.
pub fn of(catalog: &CatalogV1) -> Vec<Label> {
    let label = |group, code: &str, caption: &str| Label { group, code: code.to_owned(), caption: caption.to_owned() };
    let mut labels = Vec::new();
    for operator in catalog.operators.iter().take(4) {
        labels.push(label("Badges", &operator.badge, operator.name.as_deref().unwrap_or("")));
    }
    let documents = open_documents(catalog);
    let wanted = |code: &str| documents.iter().flat_map(|document| &document.lines).any(|line| line.product == code);
    let stops = |code: &str| {
        documents.iter().flat_map(|document| &document.lines).any(|line| line.bin.as_deref() == Some(code))
    };
    for document in &documents {
        let caption = match document.direction {
            DirectionV1::Pick => "pick",
            DirectionV1::Receipt => "receipt",
        };
        labels.push(label("Documents", &document.code, caption));
    }
    for bin in first_those_that(&catalog.bins, |bin| stops(&bin.code)).take(6) {
        labels.push(label("Bins", &bin.code, bin.name.as_deref().unwrap_or("")));
    }
    let products: Vec<_> = first_those_that(&catalog.products, |product| wanted(&product.code)).take(6).collect();
    for product in &products {
        labels.push(label("Items", &product.code, &product.name));
    }
    if let Some(product) = products.iter().find(|product| product.code.len() == 13) {
        let code = format!("]C1010{}10L42\u{1d}17270131", product.code);
        labels.push(label("Items", &code, "as GS1-128, with lot and expiry"));
    }
    labels.extend(COMMANDS.iter().map(|(code, caption)| label("Command card", code, caption)));
    labels.extend(DIGITS.iter().map(|code| label("Digits", code, "")));
    labels
}

/// The latest documents that expect something: a site's old ones would fill the console.
fn open_documents(catalog: &CatalogV1) -> Vec<&DocumentV1> {
    let open = catalog.documents.iter().filter(|document| !document.lines.is_empty());
    let mut latest: Vec<_> = open.rev().take(6).collect();
    latest.reverse();
    latest
}

/// What the documents are about stands in front.
fn first_those_that<T>(list: &[T], preferred: impl Fn(&T) -> bool) -> impl Iterator<Item = &T> {
    let (first, rest): (Vec<_>, Vec<_>) = list.iter().partition(|item| preferred(item));
    first.into_iter().chain(rest)
}

//! What the device knows without a network: who, where, what, and how many are expected.
//!
//! Everything here helps and nothing here is needed: a code that the catalog doesn't know is reported as it was read.

use std::collections::HashMap;

use super::decode::gtin::Gtin;
use super::quantity::Quantity;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub badge: String,
    pub name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Goods come in: lines are counted against the order.
    Receipt,
    /// Goods are taken out of a bin: outgoing and internal transfers.
    Pick,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub code: String,
    pub direction: Direction,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The product's key, see [`product_key`].
    pub product: String,
    pub bin: Option<String>,
    pub expected: Quantity,
    pub unit: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    pub code: String,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub code: String,
    pub name: String,
    pub unit: Option<String>,
}

/// What a text is, when the catalog or the site's conventions know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Operator(Operator),
    Document { code: String, direction: Direction },
    Bin(Bin),
    Product(Product),
}

/// How a site's labels begin, for codes that the catalog doesn't hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conventions {
    pub badge: Vec<String>,
    pub receipt: Vec<String>,
    pub pick: Vec<String>,
    pub bin: Vec<String>,
}

impl Default for Conventions {
    fn default() -> Conventions {
        let own = |list: &[&str]| list.iter().map(|&prefix| prefix.to_owned()).collect();
        Conventions {
            badge: own(&["EMP-"]),
            receipt: own(&["WH/IN/"]),
            pick: own(&["WH/OUT/", "WH/PICK/", "WH/INT/", "WH/PACK/"]),
            bin: own(&["LOC-"]),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    operators: HashMap<String, Operator>,
    documents: HashMap<String, Document>,
    bins: HashMap<String, Bin>,
    products: HashMap<String, Product>,
    conventions: Conventions,
}

/// One spelling a product: the canonical GTIN where the code is one, else the code itself.
pub fn product_key(code: &str) -> String {
    Gtin::parse(code).map_or_else(|| code.to_owned(), |gtin| gtin.to_string())
}

impl Catalog {
    pub fn new(conventions: Conventions) -> Catalog {
        Catalog { conventions, ..Catalog::default() }
    }

    pub fn add_operator(&mut self, operator: Operator) {
        self.operators.insert(operator.badge.clone(), operator);
    }

    pub fn add_document(&mut self, document: Document) {
        self.documents.insert(document.code.clone(), document);
    }

    pub fn add_bin(&mut self, bin: Bin) {
        self.bins.insert(bin.code.clone(), bin);
    }

    pub fn add_product(&mut self, product: Product) {
        self.products.insert(product_key(&product.code), product);
    }

    /// What `text` is: an exact match of the catalog first, then the site's prefixes.
    pub fn know(&self, text: &str) -> Option<Known> {
        if let Some(product) = self.product(text) {
            return Some(Known::Product(product.clone()));
        }
        if let Some(bin) = self.bins.get(text) {
            return Some(Known::Bin(bin.clone()));
        }
        if let Some(document) = self.documents.get(text) {
            return Some(Known::Document { code: document.code.clone(), direction: document.direction });
        }
        if let Some(operator) = self.operators.get(text) {
            return Some(Known::Operator(operator.clone()));
        }
        self.by_prefix(text)
    }

    pub fn product(&self, code: &str) -> Option<&Product> {
        self.products.get(&product_key(code))
    }

    pub fn operator(&self, badge: &str) -> Operator {
        self.operators.get(badge).cloned().unwrap_or_else(|| Operator { badge: badge.to_owned(), name: None })
    }

    /// The line of `document` for a product, in `bin` when several lines share the product.
    pub fn line(&self, document: &str, product: &str, bin: Option<&str>) -> Option<&Line> {
        let key = product_key(product);
        let lines = || self.documents.get(document).into_iter().flat_map(|d| &d.lines).filter(|l| l.product == key);
        let in_bin = lines().find(|line| bin.is_some() && line.bin.as_deref() == bin);
        in_bin.or_else(|| one(lines().filter(|line| bin.is_none() || line.bin.is_none())))
    }

    /// The only line to be picked from `bin`, of one document or of all: an empty bin then needs no item to be scanned.
    pub fn only_line_in_bin(&self, bin: &str, document: Option<&str>) -> Option<(&Document, &Line)> {
        let open = self.documents.values().filter(|d| d.direction == Direction::Pick);
        let open = open.filter(|d| document.is_none_or(|code| d.code == code));
        one(open.flat_map(|d| d.lines.iter().map(move |l| (d, l))).filter(|(_, l)| l.bin.as_deref() == Some(bin)))
    }

    fn by_prefix(&self, text: &str) -> Option<Known> {
        let begins =
            |prefixes: &[String]| prefixes.iter().any(|p| text.len() > p.len() && text.starts_with(p.as_str()));
        let document = |direction| Known::Document { code: text.to_owned(), direction };
        let conventions = &self.conventions;
        if begins(&conventions.badge) {
            Some(Known::Operator(Operator { badge: text.to_owned(), name: None }))
        } else if begins(&conventions.receipt) {
            Some(document(Direction::Receipt))
        } else if begins(&conventions.pick) {
            Some(document(Direction::Pick))
        } else if begins(&conventions.bin) {
            Some(Known::Bin(Bin { code: text.to_owned(), name: None }))
        } else {
            None
        }
    }
}

fn one<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    items.next().filter(|_| items.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let mut catalog = Catalog::new(Conventions::default());
        let line = |bin: &str, expected| Line {
            product: product_key("7032069804988"),
            bin: Some(bin.into()),
            expected: Quantity::from_count(expected),
            unit: None,
        };
        catalog.add_product(Product { code: "7032069804988".into(), name: "Tea".into(), unit: None });
        catalog.add_document(Document {
            code: "WH/OUT/00012".into(),
            direction: Direction::Pick,
            lines: vec![line("A-1", 8), line("A-2", 3)],
        });
        catalog
    }

    #[test]
    fn a_product_is_found_under_every_spelling_of_its_gtin() {
        assert!(catalog().product("07032069804988").is_some());
    }

    #[test]
    fn the_bin_chooses_between_two_lines_of_one_product() {
        let catalog = catalog();
        let expected = |bin| catalog.line("WH/OUT/00012", "7032069804988", bin).map(|l| l.expected.to_string());
        assert_eq!(expected(Some("A-2")).as_deref(), Some("3"));
        assert_eq!(expected(None), None);
    }

    #[test]
    fn a_bin_with_one_open_line_names_its_item() {
        let catalog = catalog();
        assert!(catalog.only_line_in_bin("A-1", None).is_some_and(|(d, _)| d.code == "WH/OUT/00012"));
        assert!(catalog.only_line_in_bin("A-9", None).is_none());
        assert!(catalog.only_line_in_bin("A-1", Some("WH/OUT/00013")).is_none());
    }

    #[test]
    fn an_unknown_document_is_known_by_its_prefix() {
        let document = Known::Document { code: "WH/IN/9".into(), direction: Direction::Receipt };
        assert_eq!(catalog().know("WH/IN/9"), Some(document));
        assert_eq!(catalog().know("WH/IN/"), None);
        assert_eq!(catalog().know("ACME-1"), None);
    }
}

//! What the device knows without a network: who, where, what, and how many are expected.
//!
//! Everything here helps and nothing here is needed: a code that the catalog doesn't know is reported as it was read.

use std::collections::HashMap;
use std::iter;

use super::decode::gtin::{Gtin, in_full};
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
    /// The product's code, in any spelling.
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
    /// By what their codes say as they stand, see [`exact`].
    products: HashMap<String, Product>,
    /// Where in `products` a UPC-A is that was written down in its short form.
    short: HashMap<String, String>,
    conventions: Conventions,
}

/// One spelling a product: the canonical GTIN where the code is one, else the code itself.
fn exact(code: &str) -> String {
    Gtin::parse(code).map_or_else(|| code.to_owned(), |gtin| gtin.to_string())
}

/// What a code that somebody wrote down may say: eight digits may be a number of their own and the short form of another.
fn readings(code: &str) -> impl Iterator<Item = String> {
    iter::once(exact(code)).chain(in_full(code).map(|gtin| gtin.to_string()))
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
        let key = exact(&product.code);
        if let Some(full) = in_full(&product.code) {
            self.short.insert(full.to_string(), key.clone());
        }
        self.products.insert(key, product);
    }

    /// What `text` is: an exact match of the catalog first, then the site's prefixes.
    pub fn know(&self, text: &str) -> Option<Known> {
        if let Some(product) = self.products.get(&exact(text)) {
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

    /// The product that a code means. One that is written down as this very number goes before one whose short form
    /// stands for it.
    pub fn product(&self, code: &str) -> Option<&Product> {
        readings(code).find_map(|key| self.products.get(&key).or_else(|| self.products.get(self.short.get(&key)?)))
    }

    pub fn operator(&self, badge: &str) -> Operator {
        self.operators.get(badge).cloned().unwrap_or_else(|| Operator { badge: badge.to_owned(), name: None })
    }

    /// The line of `document` for a product, in `bin` when several lines share the product.
    pub fn line(&self, document: &str, product: &str, bin: Option<&str>) -> Option<&Line> {
        let known = self.product(product);
        let of_product = |line: &&Line| match self.product(&line.product).zip(known) {
            Some((one, other)) => std::ptr::eq(one, other),
            None => readings(&line.product).any(|key| readings(product).any(|other| other == key)),
        };
        let lines = || self.documents.get(document).into_iter().flat_map(|d| &d.lines).filter(of_product);
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
    use std::time::Duration;

    use super::super::decode::{RawScan, decode};
    use super::super::time::{Now, Wall};
    use super::*;

    fn catalog() -> Catalog {
        let mut catalog = Catalog::new(Conventions::default());
        let line = |bin: &str, expected| Line {
            product: "7032069804988".into(),
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

    /// What a slip gets for the item when a scanner sends `code`.
    fn scanned(code: &str) -> String {
        let at = Now { boot: Duration::ZERO, wall: Wall(1_795_414_353_123) };
        let scan = decode(RawScan::new("gun", code.as_bytes(), at));
        scan.meaning.item().and_then(|item| item.gtin).map_or(scan.text, |gtin| gtin.to_string())
    }

    fn stored(codes: &[&str]) -> Catalog {
        let mut catalog = Catalog::new(Conventions::default());
        for &code in codes {
            catalog.add_product(Product { code: code.into(), name: format!("stored as {code}"), unit: None });
        }
        catalog
    }

    fn found(catalog: &Catalog, code: &str) -> Option<String> {
        catalog.product(&scanned(code)).map(|product| product.code.clone())
    }

    #[test]
    fn a_product_that_is_stored_under_eight_digits_is_found_by_what_scanners_make_of_its_barcode() {
        for (eight, scans) in [
            ("01234565", &["01234565", "]E001234565", "]E00012345000065", "]E0012345000065", "]E401234565"][..]),
            ("04252614", &["04252614", "]E004252614", "]E00042100005264", "]E0042100005264"]),
            ("96385074", &["96385074", "]E496385074"]),
        ] {
            let catalog = stored(&[eight]);
            for scan in scans {
                assert_eq!(found(&catalog, scan).as_deref(), Some(eight), "{scan}");
            }
        }
    }

    #[test]
    fn a_product_that_is_stored_in_full_is_found_by_its_short_form_but_not_by_another_s_ean_8() {
        let catalog = stored(&["012345000065"]);
        assert!(found(&catalog, "01234565").is_some() && found(&catalog, "]E001234565").is_some());
        assert_eq!(found(&catalog, "]E401234565"), None);
    }

    #[test]
    fn of_two_products_with_one_reading_the_one_that_is_written_so_is_meant() {
        for codes in [["012345000065", "01234565"], ["01234565", "012345000065"]] {
            let catalog = stored(&codes);
            assert_eq!(found(&catalog, "]E0012345000065").as_deref(), Some("012345000065"));
            assert_eq!(found(&catalog, "]E401234565").as_deref(), Some("01234565"));
            assert!(catalog.product("01234565").is_some_and(|product| product.code == "01234565"));
        }
    }

    #[test]
    fn eight_digits_that_are_a_bin_s_code_are_no_product_s_short_form() {
        let mut catalog = stored(&["042100005264"]);
        catalog.add_bin(Bin { code: "04252614".into(), name: None });
        assert!(matches!(catalog.know("04252614"), Some(Known::Bin(_))));
    }

    #[test]
    fn a_line_is_found_by_either_spelling_of_its_product_whether_the_product_is_known_or_not() {
        for products in [&[][..], &["01234565"]] {
            for (line, scan) in [
                ("01234565", "01234565"),
                ("01234565", "]E0012345000065"),
                ("01234565", "]E401234565"),
                ("012345000065", "01234565"),
            ] {
                assert!(line_of(products, line, scan), "{products:?}: {line} by {scan}");
            }
        }
        assert!(line_of(&["01234565"], "012345000065", "]E401234565"), "one product under two spellings");
        assert!(!line_of(&["01234565", "012345000065"], "012345000065", "]E401234565"), "two products");
        assert!(!line_of(&[], "01234565", "]E096385074"));
    }

    fn line_of(products: &[&str], line: &str, scan: &str) -> bool {
        let mut catalog = stored(products);
        let line = Line { product: line.into(), bin: None, expected: Quantity::from_count(8), unit: None };
        catalog.add_document(Document { code: "WH/IN/4".into(), direction: Direction::Receipt, lines: vec![line] });
        catalog.line("WH/IN/4", &scanned(scan), None).is_some()
    }
}

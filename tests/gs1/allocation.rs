//! A plain EAN costs no allocation: it is what a warehouse scans all day.

use allocation_counter::measure;

use tallyman::domain::decode::rewrite::Rewrite;
use tallyman::domain::decode::{Meaning, aim, read, understand};

const PLAIN: [&str; 6] =
    ["]E07032069804988", "7032069804988", "]E496385074", "96385074", "]I107032069804988", "]E001234565"];

fn allocations(code: &str) -> u64 {
    let understood = || {
        let (identifier, data) = aim::split(code.as_bytes());
        let mut flaws = Vec::new();
        let meaning = understand(identifier, std::str::from_utf8(data).unwrap(), &mut flaws);
        assert!(matches!(meaning, Meaning::Item(item) if item.gtin.is_some()) && flaws.is_empty(), "{code}");
    };
    measure(understood).count_total
}

#[test]
fn a_plain_ean_is_understood_without_an_allocation() {
    for code in PLAIN {
        assert_eq!(allocations(code), 0, "{code}");
    }
}

#[test]
fn nor_do_its_bytes_cost_one_on_their_way_to_a_text() {
    for code in PLAIN {
        let rules = Rewrite::default();
        let bytes_read = || {
            let mut flaws = Vec::new();
            let meaning = read(code.as_bytes(), &rules, &mut flaws).meaning;
            assert!(matches!(meaning, Meaning::Item(item) if item.gtin.is_some()) && flaws.is_empty(), "{code}");
        };
        assert_eq!(measure(bytes_read).count_total, 0, "{code}");
    }
}

#[test]
fn an_element_string_costs_one_allocation_for_its_elements() {
    assert_eq!(allocations("]C101070320698049881727013110L42"), 1);
}

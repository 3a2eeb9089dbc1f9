//! Element strings as labels carry them. Every single identifier has its cases in `tests/gs1`.

use super::*;

fn read(text: &str) -> (String, Vec<String>) {
    let mut flaws = vec![];
    let elements = parse(text, &mut flaws);
    (shown(&elements), flaws.iter().map(ToString::to_string).collect())
}

fn shown(elements: &[Element<'_>]) -> String {
    elements.iter().map(|element| format!("({}){}", element.ai, element.value)).collect()
}

fn good(text: &str) -> String {
    let (elements, flaws) = read(text);
    assert_eq!(flaws, Vec::<String>::new(), "{text:?}");
    elements
}

#[test]
fn predefined_lengths_need_no_separator_and_tolerate_one() {
    for text in
        ["010703206980498817270131", "0107032069804988\u{1d}17270131\u{1d}", "\u{1d}\u{1d}010703206980498817270131"]
    {
        assert_eq!(good(text), "(01)07032069804988(17)270131", "{text:?}");
    }
}

#[test]
fn variable_lengths_end_at_the_separator_or_with_the_label() {
    assert_eq!(good("010703206980498810L42\u{1d}21SN-7"), "(01)07032069804988(10)L42(21)SN-7");
    assert_eq!(good("10\u{21}\u{22}%&'()*+,-./_"), "(10)!\"%&'()*+,-./_");
}

#[test]
fn an_unknown_identifier_hurts_no_other() {
    let (elements, flaws) = read("01070320698049888999x\u{1d}10L42");
    assert_eq!(elements, "(01)07032069804988(10)L42");
    assert_eq!(flaws, ["AI (8999...) at position 16: GS1 has no such application identifier"]);
    assert_eq!(read("0412345678901234561727013110A").0, "(17)270131(10)A");
    assert_eq!(read("é10L42\u{1d}10L42").0, "(10)L42");
}

#[test]
fn a_bad_element_is_named_and_the_rest_still_read() {
    let (elements, flaws) = read("0107032069804989\u{1d}10L42");
    assert_eq!(elements, "(01)07032069804989(10)L42");
    assert_eq!(flaws, ["AI (01): wrong check digit"]);
}

#[test]
fn a_missing_separator_is_found_where_the_length_tells() {
    let (elements, flaws) = read("42227610L42");
    assert_eq!(elements, "(422)276(10)L42");
    assert_eq!(flaws, ["AI (422): no separator behind it; read by its length"]);
    let (_, flaws) = read("10ABCDEFGHIJ1234567890X");
    assert_eq!(flaws, ["AI (10): too long: a separator may be missing"]);
}

#[test]
fn a_cut_off_label_keeps_what_is_there() {
    assert_eq!(read("010703206980").0, "(01)0703206980");
    assert_eq!(read("01").1, ["AI (01): no data"]);
    assert_eq!(read("0").0, "");
}

#[test]
fn what_no_item_may_carry_together_is_refused_once() {
    assert_eq!(read("01070320698049883712").1, ["AI (01): must not be on one item with (37)"]);
    assert_eq!(read("31000012503103001250").1, ["AI (3100): must not be on one item with (3103)"]);
    assert_eq!(read("10A\u{1d}10B").1, ["AI (10): stands twice, with different data"]);
    assert_eq!(good("10A\u{1d}10A"), "(10)A(10)A");
}

#[test]
fn what_is_needed_beside_an_element_is_told_and_is_no_flaw() {
    let mut flaws = vec![];
    let elements = parse("10L42", &mut flaws);
    assert_eq!((flaws, missing(&elements).len()), (vec![], 1));
    assert_eq!(missing(&parse("010703206980498810L42", &mut vec![])), []);
    assert_eq!(missing(&parse("8006070320698049880102\u{1d}21A\u{1d}250B", &mut vec![])), []);
}

#[test]
fn the_form_that_people_read_is_understood() {
    let mut flaws = vec![];
    let elements = parse_bracketed("(01)07032069804988(10)A(1)B(17)270131", &mut flaws);
    assert_eq!(elements.as_deref().map(shown).as_deref(), Some("(01)07032069804988(10)A(1)B(17)270131"));
    assert_eq!(flaws, []);
    for text in ["(shelf) 4", "(", "()", "(99", "01(10)A", "(8999)x"] {
        assert_eq!(parse_bracketed(text, &mut flaws), None, "{text}");
    }
}

#[test]
fn more_elements_than_any_label_has_are_noise() {
    let (elements, flaws) = read(&"20990".repeat(200).replace('0', "20\u{1d}"));
    assert!(elements.len() < 1000 && flaws.contains(&Flaw::TooManyElements.to_string()));
}

mod values {
    use jiff::civil::date;

    use super::*;
    use crate::domain::time::Wall;

    const IN_2026: Wall = Wall(1_795_414_353_123);

    fn value(text: &str) -> Option<String> {
        let mut flaws = vec![];
        let elements = parse(text, &mut flaws);
        assert_eq!(flaws, [], "{text}");
        elements[0].read(IN_2026).map(|value| value.to_string())
    }

    #[test]
    fn two_digit_years_slide_with_the_century() {
        let year = |yy: &str| value::day(&format!("{yy}0101"), IN_2026).map(|day| day.year());
        assert_eq!([year("76"), year("77"), year("99"), year("00")], [Some(2076), Some(1977), Some(1999), Some(2000)]);
    }

    #[test]
    fn day_00_is_the_last_of_the_month() {
        assert_eq!(value::day("280200", IN_2026), Some(date(2028, 2, 29)));
        assert_eq!(value::day("28+2+1", IN_2026), None, "a sign is no digit");
    }

    #[test]
    fn dates_decimals_counts_and_money_say_what_they_mean() {
        for (text, meaning) in [
            ("17270131", "2027-01-31"),
            ("70032701311430", "2027-01-31 14:30:00"),
            ("800827013114", "2027-01-31 14:00:00"),
            ("43242701311430", "2027-01-31 14:30:00"),
            ("7011270131", "2027-01-31"),
            ("7007260901260930", "2026-09-01 to 2026-09-30"),
            ("3103001250", "1.250 kg"),
            ("3370001250", "1250 kg/m²"),
            ("3600000003", "3 qt (US)"),
            ("3012", "12 pieces"),
            ("371", "1 piece"),
            ("3902199", "1.99"),
            ("39129781999", "19.99 (currency 978)"),
            ("39411234", "123.4 %"),
            ("4331000500", "5.00 °C"),
            ("4331001850-", "-18.50 °C"),
        ] {
            assert_eq!(value(text).as_deref(), Some(meaning), "{text}");
        }
        assert_eq!(value("10L42"), None);
        assert_eq!(read("43242701319999").1, ["AI (4324): no such time of day"]);
    }
}

use std::collections::{BTreeSet, HashSet};

use rxing::{BarcodeFormat, DecodeHints, Exceptions, RXingResult, RXingResultMetadataType, RXingResultMetadataValue};

use super::*;
use crate::domain::decode::calibrate::{ELEMENTS, TEXT};
use crate::domain::decode::command::Command;
use crate::domain::policy::{Policies, Reason};

/// Dots a mm of a printer with 450 dpi: six for the narrowest bar.
const DOTS: f64 = 450.0 / 25.4;
/// White that a scanner needs beside a symbol: ten modules of 0.34 mm, for QR four of 0.51 mm.
const QUIET: [(Symbology, f64); 2] = [(Symbology::Code128, 3.38), (Symbology::Qr, 2.03)];

/// x, y, width and height in mm.
type Area = [f64; 4];

fn looks() -> Vec<Look> {
    let mut looks = vec![];
    for paper in [Paper::A4, Paper::Letter] {
        for symbology in [Symbology::Code128, Symbology::Qr] {
            looks.push(Look { paper, symbology, language: Language::En });
        }
    }
    looks
}

fn default_reasons() -> Vec<Reason> {
    reasons(&Policies::default())
}

fn card(look: Look) -> Vec<Page> {
    command_card(&default_reasons(), look).unwrap()
}

/// The symbols of an SVG, as anyone finds them in the text of the file.
fn symbols_of_svg(svg: &str) -> Vec<Vec<Area>> {
    let mut top = 0.0;
    let mut symbols = vec![];
    for line in svg.lines() {
        if let Some(shift) = line.strip_prefix("<g transform=\"translate(0 ") {
            top = shift.trim_end_matches(")\">").parse().unwrap();
        }
        if !line.contains("crispEdges") {
            continue;
        }
        let path = line.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        let bars = path.split_terminator('z').map(|bar| {
            let numbers: Vec<f64> = bar
                .split(|c: char| !c.is_ascii_digit() && c != '.')
                .filter(|number| !number.is_empty())
                .map(|number| number.parse().unwrap())
                .collect();
            [numbers[0], numbers[1] + top, numbers[2], numbers[3]]
        });
        symbols.push(bars.collect());
    }
    symbols
}

/// The symbols of a PDF: the filled rectangles of its content streams, by page.
fn symbols_of_pdf(pdf: &[u8]) -> Vec<Vec<Vec<Area>>> {
    let text = String::from_utf8_lossy(pdf);
    let streams = text.split("stream\n").skip(1).step_by(2);
    let page = |stream: &str| {
        let mut symbols = vec![];
        let (mut numbers, mut areas) = (vec![], vec![]);
        for token in stream.split_ascii_whitespace() {
            match token {
                "re" => {
                    let [.., x, y, width, height] = numbers[..] else { panic!("{numbers:?}") };
                    areas.push([x, y, width, height].map(|points: f64| points * 25.4 / 72.0));
                }
                "f" => symbols.push(std::mem::take(&mut areas)),
                "S" => areas.clear(),
                "endstream" => break,
                number => numbers.extend(number.parse::<f64>().ok()),
            }
        }
        symbols
    };
    streams.map(page).collect()
}

/// What is printed around one symbol, in dots: 255 is white.
fn printed(symbol: &[Area], all: &[Vec<Area>], quiet: f64) -> (Vec<u8>, u32, u32) {
    let edge =
        |side: fn(&Area) -> f64, pick: fn(f64, f64) -> f64, start: f64| symbol.iter().map(side).fold(start, pick);
    let left = edge(|a| a[0], f64::min, f64::MAX) - quiet;
    let top = edge(|a| a[1], f64::min, f64::MAX) - quiet;
    let right = edge(|a| a[0] + a[2], f64::max, 0.0) + quiet;
    let bottom = edge(|a| a[1] + a[3], f64::max, 0.0) + quiet;
    let dot = |mm: f64| (mm * DOTS).round().max(0.0) as usize;
    let (width, height) = (dot(right - left), dot(bottom - top));
    let mut dots = vec![255; width * height];
    for [x, y, w, h] in all.iter().flatten() {
        for row in dot(y - top).min(height)..dot(y + h - top).min(height) {
            dots[row * width..][dot(x - left).min(width)..dot(x + w - left).min(width)].fill(0);
        }
    }
    (dots, u32::try_from(width).unwrap(), u32::try_from(height).unwrap())
}

fn decoded(symbol: &[Area], all: &[Vec<Area>], symbology: Symbology) -> Result<RXingResult, Exceptions> {
    let (format, quiet) = match symbology {
        Symbology::Code128 => (BarcodeFormat::CODE_128, QUIET[0].1),
        Symbology::Qr => (BarcodeFormat::QR_CODE, QUIET[1].1),
    };
    let (dots, width, height) = printed(symbol, all, quiet);
    let mut hints = DecodeHints {
        PossibleFormats: Some(HashSet::from([format])),
        TryHarder: Some(true),
        AssumeGs1: Some(true),
        ..DecodeHints::default()
    };
    rxing::helpers::detect_in_luma_with_hints(dots, width, height, Some(format), &mut hints)
}

fn texts(symbols: &[Vec<Area>], symbology: Symbology) -> Vec<String> {
    let text = |symbol: &Vec<Area>| match decoded(symbol, symbols, symbology) {
        Ok(result) => result.getText().to_owned(),
        Err(why) => panic!("a symbol can't be read: {why}"),
    };
    symbols.iter().map(text).collect()
}

/// What the card of the default policies says.
fn expected() -> BTreeSet<String> {
    let words = ["POINT", "EMPTY", "SHORT", "OVER", "WRONG", "DAMAGED", "DONE", "UNDO", "CLEAR", "SIGNOFF"];
    let digits = (0..10).map(|digit| format!("TM-{digit}"));
    let reasons = default_reasons().into_iter().map(|r| format!("TM-REASON-{}", r.as_str().to_ascii_uppercase()));
    digits.chain(words.map(|word| format!("TM-{word}"))).chain(reasons).collect()
}

#[test]
fn every_symbol_of_the_card_is_read_by_another_library_from_svg_and_pdf() {
    for look in looks() {
        let pages = card(look);
        let read = texts(&symbols_of_svg(&svg(&pages)), look.symbology);
        assert_eq!(read.iter().cloned().collect::<BTreeSet<_>>(), expected(), "{look:?}");
        let from_pdf: Vec<_> =
            symbols_of_pdf(&pdf(&pages)).iter().flat_map(|page| texts(page, look.symbology)).collect();
        assert_eq!(from_pdf, read, "{look:?}");
    }
}

#[test]
fn the_reasons_of_both_flows_are_on_the_card_and_each_once() {
    let policies = Policies::default();
    let reasons = default_reasons();
    for rule in policies.pick_shortage.reasons.iter().chain(&policies.receiving_discrepancy.reasons) {
        assert_eq!(reasons.iter().filter(|reason| **reason == rule.reason).count(), 1, "{}", rule.reason);
    }
}

#[test]
fn every_code_of_the_card_is_a_command_and_every_kind_of_command_is_on_it() {
    let mut kinds = HashSet::new();
    for code in expected() {
        let command = Command::parse(&code).unwrap_or_else(|| panic!("{code} is no command"));
        kinds.insert(std::mem::discriminant(&command));
    }
    // A new kind of command does not compile here until it is counted.
    let count = |command| match command {
        Command::Digit(_)
        | Command::Point
        | Command::Empty
        | Command::Short
        | Command::Over
        | Command::Wrong
        | Command::Damaged
        | Command::Reason(_)
        | Command::Done
        | Command::Undo
        | Command::Clear
        | Command::SignOff => 12,
    };
    assert_eq!(kinds.len(), count(Command::Done));
}

#[test]
fn the_calibration_sheet_says_what_calibration_expects() {
    for look in looks() {
        let pages = calibration_sheet(look).unwrap();
        for symbols in [symbols_of_svg(&svg(&pages)), symbols_of_pdf(&pdf(&pages)).remove(0)] {
            let results: Vec<_> =
                symbols.iter().map(|symbol| decoded(symbol, &symbols, look.symbology).unwrap()).collect();
            assert_eq!(results[0].getText(), TEXT, "{look:?}");
            let gs1 = ELEMENTS.join("\u{1d}");
            assert_eq!(results[1].getText().trim_start_matches("]C1"), gs1, "{look:?}");
            let identifier = results[1].getRXingResultMetadata().get(&RXingResultMetadataType::SYMBOLOGY_IDENTIFIER);
            let expected = if look.symbology == Symbology::Qr { "]Q3" } else { "]C1" };
            assert_eq!(identifier, Some(&RXingResultMetadataValue::SymbologyIdentifier(expected.into())), "{look:?}");
        }
    }
}

#[test]
fn bars_are_large_and_nothing_leaves_the_paper_or_touches_another_symbol() {
    for look in looks() {
        let quiet = QUIET.iter().find(|(symbology, _)| *symbology == look.symbology).unwrap().1;
        for page in card(look).into_iter().chain(calibration_sheet(look).unwrap()) {
            let symbols = symbols_of_svg(&svg(std::slice::from_ref(&page)));
            let mut boxes: Vec<Area> = vec![];
            for symbol in &symbols {
                let narrowest = symbol.iter().map(|a| a[2]).fold(f64::MAX, f64::min);
                let tallest = symbol.iter().map(|a| a[3]).fold(0.0, f64::max);
                assert!(narrowest >= 0.33, "{look:?}: {narrowest} mm");
                assert!(look.symbology == Symbology::Qr || tallest >= 10.0, "{look:?}: {tallest} mm");
                let left = symbol.iter().map(|a| a[0]).fold(f64::MAX, f64::min) - quiet;
                let top = symbol.iter().map(|a| a[1]).fold(f64::MAX, f64::min);
                let right = symbol.iter().map(|a| a[0] + a[2]).fold(0.0, f64::max) + quiet;
                let bottom = symbol.iter().map(|a| a[1] + a[3]).fold(0.0, f64::max);
                assert!(left > 0.0 && top > 4.0 && right < page.width && bottom < page.height - 4.0, "{look:?}");
                for [l, t, r, b] in &boxes {
                    assert!(
                        right <= *l || left >= *r || bottom + 2.0 <= *t || top >= *b + 2.0,
                        "{look:?}: two overlap"
                    );
                }
                boxes.push([left, top, right, bottom]);
            }
            assert!(!boxes.is_empty());
        }
    }
}

#[test]
fn the_usual_card_fits_one_page() {
    for look in looks() {
        assert_eq!(card(look).len(), 1, "{look:?}");
    }
}

#[test]
fn more_reasons_than_fit_go_on_another_card_and_none_is_lost() {
    let reasons: Vec<_> = (0..30).filter_map(|n| Reason::parse(&format!("reason_{n}"))).collect();
    for look in looks() {
        let pages = command_card(&reasons, look).unwrap();
        let read = texts(&symbols_of_svg(&svg(&pages)), look.symbology);
        assert_eq!(read.iter().filter(|code| code.starts_with("TM-REASON-")).count(), 30);
    }
}

#[test]
fn a_reason_too_long_for_a_card_is_refused_in_code_128_and_fits_a_qr_code() {
    let long = [Reason::parse(&"a".repeat(40)).unwrap()];
    let refused = command_card(&long, Look::default()).unwrap_err();
    assert!(refused.to_string().contains("--symbology qr"), "{refused}");
    assert!(command_card(&long, Look { symbology: Symbology::Qr, ..Look::default() }).is_ok());
}

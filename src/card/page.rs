//! A page: marks at their places, in mm from the upper left corner.

use super::Paper;
use super::symbol::{Rect, Symbol};

/// One printed page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) marks: Vec<Mark>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// A barcode; `says` is for people who look into the file.
    Symbol { says: String, dark: Vec<Rect> },
    /// `y` is the baseline, `size` the font's in mm.
    Text { x: f64, y: f64, size: f64, style: Style, text: String },
    /// Where to cut: the outline of a card.
    Cut(Rect),
    /// A solid line, for measuring.
    Line { x: f64, y: f64, length: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    /// Plain and grey.
    Faint,
}

impl Page {
    pub(super) fn portrait(paper: Paper) -> Page {
        let (width, height) = paper.sides();
        Page { width, height, marks: vec![] }
    }

    pub(super) fn landscape(paper: Paper) -> Page {
        let (height, width) = paper.sides();
        Page { width, height, marks: vec![] }
    }

    pub(super) fn text(&mut self, x: f64, y: f64, size: f64, style: Style, text: impl Into<String>) {
        self.marks.push(Mark::Text { x, y, size, style, text: text.into() });
    }

    pub(super) fn symbol(&mut self, x: f64, y: f64, symbol: &Symbol, says: String) {
        let moved = symbol.dark.iter().map(|rect| Rect { x: rect.x + x, y: rect.y + y, ..*rect });
        self.marks.push(Mark::Symbol { says, dark: moved.collect() });
    }
}

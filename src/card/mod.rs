//! The wearable command card and the calibration sheet, as pages of marks in millimetres and from there as PDF or SVG.
//!
//! Pure: options in, bytes out.

mod commands;
mod page;
mod pdf;
mod sheet;
mod svg;
mod symbol;
#[cfg(test)]
mod tests;
mod words;

pub use commands::{command_card, reasons};
pub use page::Page;
pub use pdf::pdf;
pub use sheet::calibration_sheet;
pub use svg::svg;
pub use symbol::{Symbology, Unprintable};
pub use words::Language;

/// The paper that a page is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paper {
    #[default]
    A4,
    Letter,
}

impl Paper {
    /// Short and long side in mm.
    const fn sides(self) -> (f64, f64) {
        match self {
            Paper::A4 => (210.0, 297.0),
            Paper::Letter => (215.9, 279.4),
        }
    }
}

/// How a card or a sheet should look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    pub paper: Paper,
    pub symbology: Symbology,
    pub language: Language,
}

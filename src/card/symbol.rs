//! Barcodes as rectangles. The encodings are the crates'; size, quiet zone and where FNC1 stands are decided here.

use barcoders::sym::code128::Code128;
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

/// The narrowest bar in mm: four dots of a 300 dpi printer, so that no bar is rounded, and not below what every scanner
/// reads (0.33 mm).
pub(super) const MODULE: f64 = 25.4 / 75.0;
/// A QR module in mm: six dots.
const QR_MODULE: f64 = 25.4 / 50.0;
/// Quiet zone of Code 128 (ISO/IEC 15417) and of QR (ISO/IEC 18004), in modules.
const QUIET: usize = 10;
const QR_QUIET: usize = 4;
/// Height of the bars in mm: enough for a hand that is not steady.
const BAR_HEIGHT: f64 = 10.5;
/// The largest QR version used: 57 modules, far more than any command needs.
const MAX_VERSION: i16 = 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symbology {
    #[default]
    Code128,
    Qr,
}

/// What a symbol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    Text(&'a str),
    /// Element strings; an FNC1 stands in front and between them.
    Gs1(&'a [&'a str]),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Dark rectangles in mm from the upper left corner of the quiet zone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Symbol {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) quiet: f64,
    pub(super) dark: Vec<Rect>,
}

/// A text that the symbology can't hold, or that is too wide for its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} can't be printed as a barcode here: {why}")]
pub struct Unprintable {
    pub text: String,
    pub why: &'static str,
}

impl Payload<'_> {
    /// The data as people write it down.
    pub(super) fn readable(&self) -> String {
        match self {
            Payload::Text(text) => (*text).to_owned(),
            Payload::Gs1(elements) => elements.join(" FNC1 "),
        }
    }

    fn unprintable(&self, why: &'static str) -> Unprintable {
        Unprintable { text: self.readable(), why }
    }
}

impl Symbol {
    pub(super) fn new(payload: Payload<'_>, symbology: Symbology) -> Result<Symbol, Unprintable> {
        match symbology {
            Symbology::Code128 => code128(payload),
            Symbology::Qr => qr(payload),
        }
    }
}

fn code128(payload: Payload<'_>) -> Result<Symbol, Unprintable> {
    let only_ascii = || payload.unprintable("Code 128 holds ASCII characters alone");
    let code = Code128::new(spelled(payload)).map_err(|_| only_ascii())?;
    let modules: Vec<bool> = code.encode().into_iter().map(|module| module == 1).collect();
    Ok(Symbol {
        width: width(modules.len() + 2 * QUIET, MODULE),
        height: BAR_HEIGHT,
        quiet: width(QUIET, MODULE),
        dark: runs(&modules, QUIET, MODULE, 0.0, BAR_HEIGHT).collect(),
    })
}

/// The crate's spelling: Ɓ and Ć switch to the code sets B and C, Ź is FNC1. Set C takes two digits a symbol character, which
/// pays from four digits on.
fn spelled(payload: Payload<'_>) -> String {
    const FNC1: char = '\u{179}';
    let (text, mut spelled, mut in_c) = match payload {
        Payload::Text(text) => (text.to_owned(), String::new(), None),
        Payload::Gs1(elements) => {
            let separator = FNC1.to_string();
            (elements.join(&separator), format!("\u{106}{FNC1}"), Some(true))
        }
    };
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let c = if first == FNC1 { in_c == Some(true) } else { digits >= 4 || (in_c == Some(true) && digits >= 2) };
        if in_c != Some(c) {
            spelled.push(if c { '\u{106}' } else { '\u{181}' });
            in_c = Some(c);
        }
        let taken = if c && first != FNC1 { digits - digits % 2 } else { first.len_utf8() };
        let (now, later) = rest.split_at(taken);
        spelled.push_str(now);
        rest = later;
    }
    spelled
}

fn qr(payload: Payload<'_>) -> Result<Symbol, Unprintable> {
    let code = (1..=MAX_VERSION).find_map(|version| qr_of(payload, Version::Normal(version)));
    let code = code.ok_or_else(|| payload.unprintable("it is too long for a QR code of this size"))?;
    let side = code.width();
    let colors = code.to_colors();
    let rows = colors.chunks(side).enumerate();
    let dark = rows.flat_map(|(row, colors)| {
        let modules: Vec<bool> = colors.iter().map(|color| *color == Color::Dark).collect();
        runs(&modules, QR_QUIET, QR_MODULE, width(row + QR_QUIET, QR_MODULE), QR_MODULE).collect::<Vec<_>>()
    });
    let whole = width(side + 2 * QR_QUIET, QR_MODULE);
    Ok(Symbol { width: whole, height: whole, quiet: width(QR_QUIET, QR_MODULE), dark: dark.collect() })
}

fn qr_of(payload: Payload<'_>, version: Version) -> Option<QrCode> {
    let mut bits = Bits::new(version);
    match payload {
        Payload::Text(text) => bits.push_optimal_data(text.as_bytes()).ok()?,
        Payload::Gs1(elements) => {
            bits.push_fnc1_first_position().ok()?;
            // In byte mode, GS is the separator (GS1 General Specifications, 5.7).
            bits.push_byte_data(elements.join("\u{1d}").as_bytes()).ok()?;
        }
    }
    bits.push_terminator(EcLevel::M).ok()?;
    QrCode::with_bits(bits, EcLevel::M).ok()
}

/// Neighbouring dark modules as one rectangle each.
fn runs(modules: &[bool], quiet: usize, module: f64, y: f64, height: f64) -> impl Iterator<Item = Rect> {
    let mut at = quiet;
    modules.chunk_by(|a, b| a == b).filter_map(move |run| {
        let x = width(at, module);
        at += run.len();
        run.first().is_some_and(|dark| *dark).then(|| Rect { x, y, width: width(run.len(), module), height })
    })
}

#[expect(clippy::cast_precision_loss, reason = "a symbol has hundreds of modules")]
fn width(modules: usize, module: f64) -> f64 {
    modules as f64 * module
}

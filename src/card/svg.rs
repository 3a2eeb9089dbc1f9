//! Pages as SVG, in mm at their true size. SVG knows no pages, so they stand below each other.

use std::fmt::Write;

use super::page::{Mark, Page, Style};
use super::symbol::Rect;

pub fn svg(pages: &[Page]) -> String {
    let width = pages.iter().map(|page| page.width).fold(0.0, f64::max);
    let height: f64 = pages.iter().map(|page| page.height).sum();
    let (w, h) = (mm(width), mm(height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}mm\" height=\"{h}mm\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"Helvetica, Arial, sans-serif\">\n<rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n"
    );
    let mut top = 0.0;
    for page in pages {
        let _ = writeln!(out, "<g transform=\"translate(0 {})\">", mm(top));
        for mark in &page.marks {
            draw(&mut out, mark);
        }
        out.push_str("</g>\n");
        top += page.height;
    }
    out.push_str("</svg>\n");
    out
}

/// Writing to a string can't fail.
fn draw(out: &mut String, mark: &Mark) {
    let _ = match mark {
        Mark::Symbol { says, dark } => {
            let bars: String = dark.iter().map(bar).collect();
            writeln!(out, "<g shape-rendering=\"crispEdges\"><title>{}</title><path d=\"{bars}\"/></g>", escaped(says))
        }
        Mark::Text { x, y, size, style, text } => {
            let look = match style {
                Style::Plain => "",
                Style::Bold => " font-weight=\"bold\"",
                Style::Faint => " fill=\"#666\"",
            };
            let (x, y, size) = (mm(*x), mm(*y), mm(*size));
            writeln!(out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{look}>{}</text>", escaped(text))
        }
        Mark::Cut(Rect { x, y, width, height }) => writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#999\" stroke-width=\"0.2\" \
             stroke-dasharray=\"2 2\"/>",
            mm(*x),
            mm(*y),
            mm(*width),
            mm(*height)
        ),
        Mark::Line { x, y, length } => {
            writeln!(out, "<path d=\"M{} {}h{}\" stroke=\"#000\" stroke-width=\"0.3\"/>", mm(*x), mm(*y), mm(*length))
        }
    };
}

fn bar(Rect { x, y, width, height }: &Rect) -> String {
    let (x, y, w, h) = (mm(*x), mm(*y), mm(*width), mm(*height));
    format!("M{x} {y}h{w}v{h}h-{w}z")
}

/// To a ten-thousandth of a mm, without needless zeros.
fn mm(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

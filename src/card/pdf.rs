//! Pages as PDF: vector bars, and Helvetica, which every viewer and printer has.

use pdf_writer::{Content, Finish, Name, Pdf, Rect as Box, Ref, Str};

use super::page::{Mark, Page, Style};
use super::symbol::Rect;

const PLAIN: Name<'_> = Name(b"F1");
const BOLD: Name<'_> = Name(b"F2");
const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PLAIN_FONT: Ref = Ref::new(3);
const BOLD_FONT: Ref = Ref::new(4);
/// Page and content of the first page; each later one has the next two.
const FIRST: i32 = 5;

pub fn pdf(pages: &[Page]) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let numbered = || (FIRST..).step_by(2).zip(pages).map(|(id, page)| (Ref::new(id), Ref::new(id + 1), page));
    pdf.catalog(CATALOG).pages(PAGES);
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(PAGES).kids(numbered().map(|(id, _, _)| id)).count(count);
    for (font, name) in [(PLAIN_FONT, &b"Helvetica"[..]), (BOLD_FONT, b"Helvetica-Bold")] {
        pdf.type1_font(font).base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (id, content, page) in numbered() {
        let mut written = pdf.page(id);
        written.parent(PAGES).media_box(Box::new(0.0, 0.0, pt(page.width), pt(page.height))).contents(content);
        written.resources().fonts().pair(PLAIN, PLAIN_FONT).pair(BOLD, BOLD_FONT);
        written.finish();
        pdf.stream(content, &drawn(page));
    }
    pdf.finish()
}

fn drawn(page: &Page) -> Vec<u8> {
    let mut content = Content::new();
    for mark in &page.marks {
        draw(&mut content, page.height, mark);
    }
    content.finish().to_vec()
}

/// PDF counts from the lower left corner.
fn draw(content: &mut Content, page_height: f64, mark: &Mark) {
    let up = |y: f64| pt(page_height - y);
    match mark {
        Mark::Symbol { dark, .. } => {
            content.set_fill_gray(0.0);
            for Rect { x, y, width, height } in dark {
                content.rect(pt(*x), up(y + height), pt(*width), pt(*height));
            }
            content.fill_nonzero();
        }
        Mark::Text { x, y, size, style, text } => {
            let (font, grey) = match style {
                Style::Plain => (PLAIN, 0.0),
                Style::Bold => (BOLD, 0.0),
                Style::Faint => (PLAIN, 0.4),
            };
            content.set_fill_gray(grey);
            content.begin_text().set_font(font, pt(*size)).next_line(pt(*x), up(*y));
            content.show(Str(&win_ansi(text))).end_text();
        }
        Mark::Cut(Rect { x, y, width, height }) => {
            content.set_stroke_gray(0.6).set_line_width(0.6).set_dash_pattern([6.0, 6.0], 0.0);
            content.rect(pt(*x), up(y + height), pt(*width), pt(*height)).stroke();
        }
        Mark::Line { x, y, length } => {
            content.set_stroke_gray(0.0).set_line_width(0.9).set_dash_pattern([], 0.0);
            content.move_to(pt(*x), up(*y)).line_to(pt(x + length), up(*y)).stroke();
        }
    }
}

/// Windows-1252, which is Latin 1 where captions have letters; what it lacks becomes a question mark.
fn win_ansi(text: &str) -> Vec<u8> {
    let byte = |c: char| u8::try_from(c).ok().filter(|byte| byte.is_ascii() || *byte >= 0xa0).unwrap_or(b'?');
    text.chars().map(byte).collect()
}

/// From mm to points.
#[expect(clippy::cast_possible_truncation, reason = "PDF's numbers are 32 bits wide; a page is some hundred points")]
fn pt(mm: f64) -> f32 {
    (mm * 72.0 / 25.4) as f32
}

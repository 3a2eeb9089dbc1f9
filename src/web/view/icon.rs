//! Line icons on a grid of 24, drawn for this page. They stand beside words, never instead of them.

use maud::{Markup, html};

/// The strokes of one icon.
#[derive(Clone, Copy, Debug)]
pub(in crate::web) struct Icon(&'static str);

pub(in crate::web) const PERSON: Icon = Icon("M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c1-5 4-6 8-6s7 1 8 6");
pub(in crate::web) const DOCUMENT: Icon = Icon("M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6");
pub(in crate::web) const BIN: Icon = Icon("M3 4v17M21 4v17M3 9h18M3 18h18M7 18v-5h6v5");
pub(in crate::web) const ITEM: Icon = Icon("M4 6v12M7.5 6v12M10 6v12M13.5 6v12M16 6v12M20 6v12");
pub(in crate::web) const CAMERA: Icon = Icon("M3 8h4l2-3h6l2 3h4v11H3zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7");
pub(in crate::web) const NOTE: Icon = Icon("M4 20l1-5L16 4l4 4L9 19zM13.5 6.5l4 4");
pub(in crate::web) const KEYBOARD: Icon = Icon("M2 6h20v12H2zM6 10h.01M10 10h.01M14 10h.01M18 10h.01M7 14h10");
pub(in crate::web) const SCAN: Icon = Icon("M3 8V4h4M17 4h4v4M21 16v4h-4M7 20H3v-4M2 12h20");
pub(in crate::web) const CHECK: Icon = Icon("M4 13l5 5L20 6");
pub(in crate::web) const IN_ODOO: Icon = Icon("M2 13l4.5 5L15 7M11 16l2 2L22 7");
pub(in crate::web) const KEPT: Icon = Icon("M12 3v11M7.5 10L12 14.5 16.5 10M4 15v5h16v-5");
pub(in crate::web) const CLOCK: Icon = Icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 7v5.5l3.5 2");
pub(in crate::web) const SENDING: Icon = Icon("M12 20V5M6 11l6-6 6 6");
pub(in crate::web) const EQUALS: Icon = Icon("M5 9h14M5 15h14");
pub(in crate::web) const QUESTION: Icon =
    Icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M9.5 9.5c0-3.5 5-3.3 5-.2 0 2-2.5 2.2-2.5 4.2M12 16.5v.2");
pub(in crate::web) const WARNING: Icon = Icon("M12 3.5L22 20.5H2zM12 10v5M12 17.6v.2");
pub(in crate::web) const STOP: Icon = Icon("M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8zM8.5 8.5l7 7M15.5 8.5l-7 7");
pub(in crate::web) const UNDO: Icon = Icon("M8 4L3.5 8.5 8 13M3.5 8.5H15a5.5 5.5 0 0 1 0 11H8");
pub(in crate::web) const CLEAR: Icon = Icon("M5 5l14 14M19 5L5 19");
pub(in crate::web) const BACK: Icon = Icon("M11 5l-7 7 7 7M4 12h16");
pub(in crate::web) const ONLINE: Icon =
    Icon("M2.5 9.5c5.5-5 13.5-5 19 0M6 13.5c3.5-3 8.5-3 12 0M9.5 17.2c1.5-1.2 3.5-1.2 5 0M12 20v.2");
pub(in crate::web) const OFFLINE: Icon =
    Icon("M2.5 9.5c5.5-5 13.5-5 19 0M6 13.5c3.5-3 8.5-3 12 0M9.5 17.2c1.5-1.2 3.5-1.2 5 0M12 20v.2M4 3l16 18");
pub(in crate::web) const LEAVE: Icon = Icon("M14 4H5v16h9M10 12h11M17 8l4 4-4 4");
pub(in crate::web) const EMPTY_BIN: Icon = Icon("M4 9v11h16V9M4 9l3-5h10l3 5M9 14.5h6");

impl Icon {
    pub(in crate::web) fn draw(self) -> Markup {
        html! {
            svg.icon viewBox="0 0 24 24" aria-hidden="true" focusable="false" { path d=(self.0) {} }
        }
    }
}

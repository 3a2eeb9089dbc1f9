//! The document around the regions: what is there once and never replaced, so that typing and taking a photo survive
//! whatever arrives meanwhile.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{icon, slot_icon, slot_name};
use crate::domain::capture::TypedSlot;
use crate::web::text;

const SLOTS: [TypedSlot; 5] =
    [TypedSlot::Operator, TypedSlot::Document, TypedSlot::Bin, TypedSlot::Item, TypedSlot::Note];
/// What the domain keeps of a typed text.
const LONGEST: usize = 128;

/// The whole page around `main`, which is HTML already.
pub(in crate::web) fn page(main: &str, token: &str, session: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(text::LANG) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content";
                meta name="color-scheme" content="light dark";
                meta name="tallyman-token" content=(token);
                meta name="tallyman-session" content=(session);
                title { (text::TITLE) }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/page.css";
                script src="/page.js" defer {}
            }
            body data-showing="work" {
                main id="main" { (PreEscaped(main)) }
                (entry())
                (notices())
                // A file dialog answers late; outside of every region its input is still there when it does.
                input.away id="photo-input" type="file" accept="image/*" capture="environment" tabindex="-1"
                    aria-label=(text::ADD_PHOTO);
            }
        }
    }
}

fn entry() -> Markup {
    html! {
        form.entry id="entry" hidden autocomplete="off" aria-labelledby="entry-title" {
            div.entry-head {
                h2 id="entry-title" { (text::WHICH_SLOT) }
                button.choice type="button" id="entry-close" { (icon::CLEAR.draw()) span { (text::CLOSE) } }
            }
            fieldset.slots {
                legend.away { (text::WHICH_SLOT) }
                @for slot in SLOTS {
                    label.pick {
                        input.away type="radio" name="slot" value=(slot_name(slot)) data-title=(text::type_slot(slot));
                        (slot_icon(slot).draw()) span { (text::slot(slot)) }
                    }
                }
            }
            div.line-of-text {
                input id="entry-text" name="text" type="text" maxlength=(LONGEST) autocomplete="off"
                    autocapitalize="characters" autocorrect="off" spellcheck="false" enterkeyhint="done"
                    aria-labelledby="entry-title";
                button.choice.enter type="submit" id="entry-enter" { (icon::CHECK.draw()) span { (text::ENTER) } }
            }
            div.sign-off id="sign-off-part" {
                button.choice type="button" id="sign-off" data-command="TM-SIGNOFF" {
                    (icon::LEAVE.draw()) span { (text::SIGN_OFF) }
                }
                p { (text::SIGN_OFF_HELP) }
            }
        }
    }
}

/// What the script itself must say; its words are here, so that all words are in one place.
fn notices() -> Markup {
    html! {
        div.notices id="notices" {
            p.notice.lost id="lost" role="alert" hidden { (icon::OFFLINE.draw()) span { (text::LINE_LOST) } }
            p.notice.local id="local" role="alert" hidden data-not-sent=(text::NOT_SENT)
                data-photo-not-sent=(text::PHOTO_NOT_SENT) {
                (icon::WARNING.draw()) span id="local-words" {}
                button.choice type="button" id="local-close" { (text::CLOSE) }
            }
            p.notice.upload id="upload" role="status" hidden {
                (icon::CAMERA.draw()) span { (text::UPLOADING) }
                progress id="upload-progress" max="100" value="0" aria-label=(text::UPLOADING) {}
            }
            p.notice.silent id="silent" hidden { (icon::WARNING.draw()) span { (text::SILENT) } }
        }
    }
}

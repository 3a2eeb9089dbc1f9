//! What is printed beside the barcodes, a table for each language.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    En,
}

pub(super) struct Words {
    pub(super) print_at_full_size: &'static str,
    pub(super) numbers: &'static str,
    pub(super) found: &'static str,
    pub(super) why: &'static str,
    /// By command, without the prefix.
    pub(super) commands: &'static [(&'static str, &'static str)],
    /// By reason. A site's own reasons are printed as they are written.
    pub(super) reasons: &'static [(&'static str, &'static str)],
    pub(super) calibration: &'static str,
    pub(super) steps: &'static [&'static str],
    pub(super) first: &'static str,
    pub(super) second: &'static str,
    pub(super) ruler: &'static str,
}

impl Language {
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Language::En => &EN,
        }
    }
}

impl Words {
    pub(super) fn command(&self, word: &str) -> String {
        let known = self.commands.iter().find(|(command, _)| *command == word);
        known.map_or_else(|| word.to_owned(), |(_, caption)| (*caption).to_owned())
    }

    pub(super) fn reason(&self, slug: &str) -> String {
        let known = self.reasons.iter().find(|(reason, _)| *reason == slug);
        known.map_or_else(|| slug.replace('_', " "), |(_, caption)| (*caption).to_owned())
    }
}

const EN: Words = Words {
    print_at_full_size: "Print at 100 %, not fitted to the page. Cut along the dashed lines.",
    numbers: "Numbers",
    found: "What you found",
    why: "Why",
    commands: &[
        ("POINT", "Point"),
        ("EMPTY", "Bin is empty"),
        ("SHORT", "Too few"),
        ("OVER", "Too many"),
        ("WRONG", "Wrong item"),
        ("DAMAGED", "Damaged"),
        ("DONE", "Done: send"),
        ("UNDO", "Undo"),
        ("CLEAR", "Put aside"),
        ("SIGNOFF", "Sign off"),
    ],
    reasons: &[
        ("fewer_than_expected", "Fewer than expected"),
        ("bin_empty", "Bin is empty"),
        ("damaged", "Damaged"),
        ("wrong_item", "Wrong item"),
        ("not_found", "Not found"),
        ("short_delivery", "Short delivery"),
        ("over_delivery", "Over-delivery"),
    ],
    calibration: "Calibration sheet",
    steps: &[
        "Print at 100 %, not fitted to the page. The line below is then 100 mm long.",
        "On the device, start: tallyman calibrate, with the scanner's name from the configuration.",
        "Scan code 1 once, then code 2 once. Cover the other one meanwhile.",
        "What was found is shown, and the configuration as it was is kept beside the new one.",
    ],
    first: "Code 1: what differs between keyboards",
    second: "Code 2: GS1, with FNC1 between its elements",
    ruler: "100 mm",
};

//! The layouts, one table each, as Windows has them: the makers of scanners build their country settings after it, and
//! Linux agrees with it on all that a code may hold but for a few AltGr characters.
//!
//! A row of a table is a row of the keyboard, left to right, as `[plain, Shift, AltGr, Shift + AltGr]`; the place in the
//! string is the place of the key in [`ROWS`]. A blank is a key without a character; `◌` makes the accent behind it dead.

use super::Layout;

/// The key codes (input-event-codes.h) of the four rows. The last of the second and of the fourth are where a European
/// keyboard has a key more: beside Enter, and beside the left Shift (102nd key); the Brazilian has one at the right Shift.
pub(super) const ROWS: [&[u16]; 4] = [
    &[41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    &[16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
    &[30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43],
    &[86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 89],
];

/// The mark of a dead key (U+25CC, which Unicode shows accents on).
pub(super) const DEAD: char = '◌';

/// What CapsLock does beyond swapping the case of letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caps {
    Letters,
    /// It is a Shift that stays down, digits included.
    Shift,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Other words for it: other codes of the country, or countries that share the layout.
    pub(super) aliases: &'static [&'static str],
    pub(super) caps: Caps,
    /// What the keypad's Del types.
    pub(super) decimal: char,
    pub(super) rows: [[&'static str; 4]; 4],
}

impl Layout {
    pub(super) const fn table(self) -> &'static Table {
        match self {
            Layout::Us => &US,
            Layout::UsIntl => &US_INTL,
            Layout::Uk => &UK,
            Layout::De => &DE,
            Layout::Ch => &CH,
            Layout::ChFr => &CH_FR,
            Layout::Fr => &FR,
            Layout::Be => &BE,
            Layout::Es => &ES,
            Layout::It => &IT,
            Layout::Pt => &PT,
            Layout::Nl => &NL,
            Layout::Se => &SE,
            Layout::Dk => &DK,
            Layout::No => &NO,
            Layout::Pl => &PL,
            Layout::Cz => &CZ,
            Layout::Sk => &SK,
            Layout::Hu => &HU,
            Layout::Tr => &TR,
            Layout::Hr => &HR,
            Layout::Br => &BR,
            Layout::Latam => &LATAM,
        }
    }
}

const fn table(name: &'static str, aliases: &'static [&'static str], rows: [[&'static str; 4]; 4]) -> Table {
    Table { name, aliases, caps: Caps::Letters, decimal: '.', rows }
}

const fn comma(table: Table) -> Table {
    Table { decimal: ',', ..table }
}

const fn caps_is_shift(table: Table) -> Table {
    Table { caps: Caps::Shift, ..table }
}

const US: Table = table(
    "us",
    &["en-us"],
    [
        ["`1234567890-=", "~!@#$%^&*()_+", "", ""],
        ["qwertyuiop[]", "QWERTYUIOP{}", "", ""],
        [r"asdfghjkl;'\", r#"ASDFGHJKL:"|"#, "", ""],
        [r"\zxcvbnm,./", "|ZXCVBNM<>?", "", ""],
    ],
);

const US_INTL: Table = table(
    "us-intl",
    &[],
    [
        ["◌`1234567890-=", "◌~!@#$%◌^&*()_+", " ¡²³¤€¼½¾‘’¥×", " ¹  £       ÷"],
        ["qwertyuiop[]", "QWERTYUIOP{}", "äåé®þüúíóö«»", "ÄÅÉ ÞÜÚÍÓÖ"],
        [r"asdfghjkl;◌'\", r#"ASDFGHJKL:◌"|"#, "áßð     ø¶´¬", "Á§Ð     Ø°¨¦"],
        [r"\zxcvbnm,./", "|ZXCVBNM<>?", " æ ©  ñµç ¿", " Æ ¢  Ñ Ç"],
    ],
);

const UK: Table = table(
    "uk",
    &["gb", "en-gb", "ie"],
    [
        ["`1234567890-=", r#"¬!"£$%^&*()_+"#, "¦   €", ""],
        ["qwertyuiop[]", "QWERTYUIOP{}", "  é   úíó", "  É   ÚÍÓ"],
        ["asdfghjkl;'#", "ASDFGHJKL:@~", "á", "Á"],
        [r"\zxcvbnm,./", "|ZXCVBNM<>?", "", ""],
    ],
);

const DE: Table = comma(table(
    "de",
    &["at"],
    [
        ["◌^1234567890ß◌´", r#"°!"§$%&/()=?◌`"#, r"  ²³   {[]}\", ""],
        ["qwertzuiopü+", "QWERTZUIOPÜ*", "@ €        ~", ""],
        ["asdfghjklöä#", "ASDFGHJKLÖÄ'", "", ""],
        ["<yxcvbnm,.-", ">YXCVBNM;:_", "|      µ", ""],
    ],
));

const CH: Table = table(
    "ch",
    &["ch-de", "de-ch"],
    [
        ["§1234567890'◌^", r#"°+"*ç%&/()=?◌`"#, " ¦@#°§¬|¢  ◌´◌~", ""],
        ["qwertzuiopü◌¨", "QWERTZUIOPè!", "  €       []", ""],
        ["asdfghjklöä$", "ASDFGHJKLéà£", "          {}", ""],
        ["<yxcvbnm,.-", ">YXCVBNM;:_", r"\", ""],
    ],
);

const CH_FR: Table = table(
    "ch-fr",
    &["fr-ch"],
    [
        ["§1234567890'◌^", r#"°+"*ç%&/()=?◌`"#, " ¦@#°§¬|¢  ◌´◌~", ""],
        ["qwertzuiopè◌¨", "QWERTZUIOPü!", "  €       []", ""],
        ["asdfghjkléà$", "ASDFGHJKLöä£", "          {}", ""],
        ["<yxcvbnm,.-", ">YXCVBNM;:_", r"\", ""],
    ],
);

const FR: Table = caps_is_shift(table(
    "fr",
    &[],
    [
        [r#"²&é"'(-è_çà)="#, " 1234567890°+", r"  ◌~#{[|◌`\^@]}", ""],
        ["azertyuiop◌^$", "AZERTYUIOP◌¨£", "  €        ¤", ""],
        ["qsdfghjklmù*", "QSDFGHJKLM%µ", "", ""],
        ["<wxcvbn,;:!", ">WXCVBN?./§", "", ""],
    ],
));

const BE: Table = caps_is_shift(table(
    "be",
    &["fr-be", "nl-be"],
    [
        [r#"²&é"'(§è!çà)-"#, "³1234567890°_", " |@#  ^  {}", ""],
        ["azertyuiop◌^$", "AZERTYUIOP◌¨*", "  €       []", ""],
        ["qsdfghjklmùµ", "QSDFGHJKLM%£", "          ◌´◌`", ""],
        ["<wxcvbn,;:=", ">WXCVBN?./+", r"\         ◌~", ""],
    ],
));

const ES: Table = table(
    "es",
    &[],
    [
        ["º1234567890'¡", r#"ª!"·$%&/()=?¿"#, r"\|@#◌~€¬", ""],
        ["qwertyuiop◌`+", "QWERTYUIOP◌^*", "  €       []", ""],
        ["asdfghjklñ◌´ç", "ASDFGHJKLÑ◌¨Ç", "          {}", ""],
        ["<zxcvbnm,.-", ">ZXCVBNM;:_", "", ""],
    ],
);

const IT: Table = table(
    "it",
    &[],
    [
        [r"\1234567890'ì", r#"|!"£$%&/()=?^"#, "     €     `~", ""],
        ["qwertyuiopè+", "QWERTYUIOPé*", "  €       []", "          {}"],
        ["asdfghjklòàù", "ASDFGHJKLç°§", "         @#", ""],
        ["<zxcvbnm,.-", ">ZXCVBNM;:_", "", ""],
    ],
);

const PT: Table = table(
    "pt",
    &[],
    [
        [r"\1234567890'«", r##"|!"#$%&/()=?»"##, "  @£§€ {[]}", ""],
        ["qwertyuiop+◌´", "QWERTYUIOP*◌`", "  €       ◌¨", ""],
        ["asdfghjklçº◌~", "ASDFGHJKLÇª◌^", "", ""],
        ["<zxcvbnm,.-", ">ZXCVBNM;:_", "", ""],
    ],
);

const NL: Table = comma(table(
    "nl",
    &[],
    [
        ["@1234567890/°", r##"§!"#$%&_()'?◌~"##, r"¬¹²³¼½¾£{} \¸", ""],
        ["qwertyuiop◌¨*", "QWERTYUIOP◌^|", "  €¶", ""],
        ["asdfghjkl+◌´<", "ASDFGHJKL±◌`>", " ß", ""],
        ["]zxcvbnm,.-", "[ZXCVBNM;:=", "¦«»¢   µ ·", ""],
    ],
));

const SE: Table = comma(table(
    "se",
    &["fi"],
    [
        ["§1234567890+◌´", r##"½!"#¤%&/()=?◌`"##, r"  @£$€ {[]}\", ""],
        ["qwertyuiopå◌¨", "QWERTYUIOPÅ◌^", "  €        ◌~", ""],
        ["asdfghjklöä'", "ASDFGHJKLÖÄ*", "", ""],
        ["<zxcvbnm,.-", ">ZXCVBNM;:_", "|      µ", ""],
    ],
));

const DK: Table = comma(table(
    "dk",
    &["da"],
    [
        ["½1234567890+◌´", r##"§!"#¤%&/()=?◌`"##, "  @£$€ {[]} |", ""],
        ["qwertyuiopå◌¨", "QWERTYUIOPÅ◌^", "  €        ◌~", ""],
        ["asdfghjklæø'", "ASDFGHJKLÆØ*", "", ""],
        ["<zxcvbnm,.-", ">ZXCVBNM;:_", r"\      µ", ""],
    ],
));

const NO: Table = comma(table(
    "no",
    &["nb"],
    [
        [r"|1234567890+\", r##"§!"#¤%&/()=?◌`"##, "  @£$€ {[]} ◌´", ""],
        ["qwertyuiopå◌¨", "QWERTYUIOPÅ◌^", "  €        ◌~", ""],
        ["asdfghjkløæ'", "ASDFGHJKLØÆ*", "", ""],
        ["<zxcvbnm,.-", ">ZXCVBNM;:_", "       µ", ""],
    ],
));

const PL: Table = table(
    "pl",
    &[],
    [
        ["`1234567890-=", "◌~!@#$%^&*()_+", "", ""],
        ["qwertyuiop[]", "QWERTYUIOP{}", "  ę   € ó", "  Ę     Ó"],
        [r"asdfghjkl;'\", r#"ASDFGHJKL:"|"#, "ąś      ł", "ĄŚ      Ł"],
        [r"\zxcvbnm,./", "|ZXCVBNM<>?", " żźć  ń", " ŻŹĆ  Ń"],
    ],
);

const CZ: Table = comma(table(
    "cz",
    &["cs"],
    [
        [";+ěščřžýáíé=◌´", "◌°1234567890%◌ˇ", " ~◌ˇ◌^◌˘◌°◌˛◌`◌˙◌´◌˝◌¨◌¸", ""],
        ["qwertzuiopú)", "QWERTZUIOP/(", r"\|€       ÷×", ""],
        ["asdfghjklů§◌¨", r#"ASDFGHJKL"!'"#, " đĐ[]  łŁ$ß¤", ""],
        [r"\yxcvbnm,.-", "|YXCVBNM?:_", "  #&@{} <>*", ""],
    ],
));

const SK: Table = comma(table(
    "sk",
    &[],
    [
        [";+ľščťžýáíé=◌´", "◌°1234567890%◌ˇ", " ~◌ˇ◌^◌˘◌°◌˛◌`◌˙◌´◌˝◌¨◌¸", ""],
        ["qwertzuiopúä", "QWERTZUIOP/(", r"\|€      '÷×", ""],
        ["asdfghjklô§ň", r#"ASDFGHJKL"!)"#, " đĐ[]  łŁ$ß¤", ""],
        ["&yxcvbnm,.-", "*YXCVBNM?:_", "<>#&@{} <>*", ""],
    ],
));

const HU: Table = comma(table(
    "hu",
    &[],
    [
        ["0123456789öüó", r#"§'"+!%/=()ÖÜÓ"#, " ~◌ˇ◌^◌˘◌°◌˛`◌˙◌´◌˝◌¨◌¸", ""],
        ["qwertzuiopőú", "QWERTZUIOPŐÚ", r"\|Ä   €Í  ÷×", ""],
        ["asdfghjkléáű", "ASDFGHJKLÉÁŰ", "äđĐ[] íłŁ$ß¤", ""],
        ["íyxcvbnm,.-", "ÍYXCVBNM?:_", "<>#&@{} ; *", ""],
    ],
));

const TR: Table = comma(table(
    "tr",
    &["tr-q"],
    [
        [r#""1234567890*-"#, "é!'◌^+%&/()=?_", r"<>£#$½ {[]}\|", ""],
        ["qwertyuıopğü", "QWERTYUIOPĞÜ", "@ € ₺  i  ◌¨◌~", ""],
        ["asdfghjklşi,", "ASDFGHJKLŞİ;", "æß       ◌´ ◌`", "Æ"],
        ["<zxcvbnmöç.", ">ZXCVBNMÖÇ:", "|", ""],
    ],
));

const HR: Table = comma(table(
    "hr",
    &["si", "rs", "ba"],
    [
        ["◌¸1234567890'+", r##"◌¨!"#$%&/()=?*"##, " ~◌ˇ◌^◌˘◌°◌˛`◌˙◌´◌˝◌¨◌¸", ""],
        ["qwertzuiopšđ", "QWERTZUIOPŠĐ", r"\|€       ÷×", ""],
        ["asdfghjklčćž", "ASDFGHJKLČĆŽ", "   []  łŁ ß¤", ""],
        ["<yxcvbnm,.-", ">YXCVBNM;:_", "    @{}§<>", ""],
    ],
));

const BR: Table = comma(table(
    "br",
    &["abnt2"],
    [
        ["'1234567890-=", r#""!@#$%◌¨&*()_+"#, " ¹²³£¢¬     §", ""],
        ["qwertyuiop◌´[", "QWERTYUIOP◌`{", "/?°        ª", ""],
        ["asdfghjklç◌~]", "ASDFGHJKLÇ◌^}", "           º", ""],
        [r"\zxcvbnm,.;/", "|ZXCVBNM<>:?", "", ""],
    ],
));

const LATAM: Table = table(
    "latam",
    &["mx"],
    [
        ["|1234567890'¿", r##"°!"#$%&/()=?¡"##, r"¬          \", ""],
        ["qwertyuiop◌´+", "QWERTYUIOP◌¨*", "@          ~", ""],
        ["asdfghjklñ{}", "ASDFGHJKLÑ[]", "          ◌^◌`", ""],
        ["<zxcvbnm,.-", ">ZXCVBNM;:_", "", ""],
    ],
);

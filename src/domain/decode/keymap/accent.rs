//! What a dead key and the key behind it make together.

/// Accent, the letters that take it, and what they become. A straight quote is the accent of layouts without `´` or `¨`.
const COMPOSED: &[(&[char], &str, &str)] = &[
    (&['´', '\''], "aeiouyAEIOUYcnszlrCNSZLR", "áéíóúýÁÉÍÓÚÝćńśźĺŕĆŃŚŹĹŔ"),
    (&['`'], "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
    (&['^'], "aeiouAEIOU", "âêîôûÂÊÎÔÛ"),
    (&['~'], "anoANO", "ãñõÃÑÕ"),
    (&['¨', '"'], "aeiouyAEIOU", "äëïöüÿÄËÏÖÜ"),
    (&['ˇ'], "cdelnrstzCDELNRSTZ", "čďěľňřšťžČĎĚĽŇŘŠŤŽ"),
    (&['¸'], "csCS", "çşÇŞ"),
    (&['°'], "auAU", "åůÅŮ"),
    (&['˘'], "agAG", "ăğĂĞ"),
    (&['˙'], "zIZ", "żİŻ"),
    (&['˛'], "aeAE", "ąęĄĘ"),
    (&['˝'], "ouOU", "őűŐŰ"),
];

/// The one character that `accent` and `letter` make, if they make one.
pub(super) fn compose(accent: char, letter: char) -> Option<char> {
    let (_, letters, composed) = COMPOSED.iter().find(|(accents, _, _)| accents.contains(&accent))?;
    letters.chars().zip(composed.chars()).find(|(plain, _)| *plain == letter).map(|(_, composed)| composed)
}

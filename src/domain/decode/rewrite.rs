//! A site's odd labels made ordinary: rules of the configuration that change what a device's codes say.
//!
//! The raw bytes of a scan stay as they came; rules change only what is understood.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

/// More rules for one device would be a program, and nobody could say what it does.
pub const MAX_RULES: usize = 32;
/// Of a compiled pattern, in bytes. The engine's time is linear in the text, so a pattern can't hang a scanner.
const MAX_COMPILED: usize = 1 << 20;
/// No rule may blow a code up beyond what a frame can hold.
const MAX_RESULT: usize = super::frame::MAX_FRAME;

/// The rules of one device, applied one after the other to each code.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pattern: Regex,
    replacement: String,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Rule) -> bool {
        (self.pattern.as_str(), &self.replacement) == (other.pattern.as_str(), &other.replacement)
    }
}

impl Eq for Rule {}

impl PartialEq for Rewrite {
    fn eq(&self, other: &Rewrite) -> bool {
        self.rules == other.rules
    }
}

impl Eq for Rewrite {}

impl Rule {
    /// Takes `start` off codes that begin with it.
    ///
    /// # Errors
    /// In words, when the rule is too large.
    pub fn strip_prefix(start: &str) -> Result<Rule, String> {
        Rule::replace(&format!("^{}", regex::escape(start)), "")
    }

    /// Takes `end` off codes that end with it.
    ///
    /// # Errors
    /// In words, when the rule is too large.
    pub fn strip_suffix(end: &str) -> Result<Rule, String> {
        Rule::replace(&format!("{}$", regex::escape(end)), "")
    }

    /// Puts `replacement` in the place of what `pattern` matches; `$1` and `${name}` are its groups.
    ///
    /// # Errors
    /// In words, when the pattern is none, is too large, or the replacement names a group that isn't there.
    pub fn replace(pattern: &str, replacement: &str) -> Result<Rule, String> {
        let pattern = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build().map_err(in_words)?;
        if let Some(group) = unknown_group(&pattern, replacement) {
            return Err(format!("the replacement uses ${group}, and the pattern has no such group"));
        }
        Ok(Rule { pattern, replacement: replacement.to_owned() })
    }
}

/// The engine draws a picture of the pattern; its last line says what is wrong.
fn in_words(error: regex::Error) -> String {
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        return "the pattern is too large".to_owned();
    }
    let picture = error.to_string();
    picture.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// A group that the replacement names and the pattern doesn't have: the engine would put nothing in its place.
fn unknown_group(pattern: &Regex, replacement: &str) -> Option<String> {
    let mut rest = replacement.replace("$$", "");
    while let Some(at) = rest.find('$') {
        let behind = rest[at + 1..].to_owned();
        let name: String = match behind.strip_prefix('{') {
            Some(braced) => braced.split('}').next().unwrap_or_default().to_owned(),
            None => behind.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect(),
        };
        let known = match name.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => pattern.capture_names().flatten().any(|known| known == name),
        };
        if !name.is_empty() && !known {
            return Some(name);
        }
        rest = behind;
    }
    None
}

impl Rewrite {
    pub fn new(rules: Vec<Rule>) -> Rewrite {
        Rewrite { rules }
    }

    /// The text after all rules. Where none matches nothing is copied.
    pub fn apply<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        self.rules.iter().fold(text, |text, rule| rule.apply(&text).map_or(text, Cow::Owned))
    }

    /// What each rule that matches makes of `text`, for a dry run: its number, from 1, and the text behind it.
    pub fn explain(&self, text: &str) -> Vec<(usize, String)> {
        let mut steps = Vec::new();
        let mut now = text.to_owned();
        for (place, rule) in self.rules.iter().enumerate() {
            if let Some(changed) = rule.apply(&now) {
                now.clone_from(&changed);
                steps.push((place + 1, changed));
            }
        }
        steps
    }
}

impl Rule {
    fn apply(&self, text: &str) -> Option<String> {
        match self.pattern.replace_all(text, &self.replacement) {
            Cow::Owned(changed) if changed.len() <= MAX_RESULT && changed != text => Some(changed),
            Cow::Owned(_) | Cow::Borrowed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(rules: &[Rule]) -> Rewrite {
        Rewrite::new(rules.to_vec())
    }

    #[test]
    fn rules_apply_one_after_the_other_and_only_where_they_match() {
        let rules = rewrite(&[
            Rule::strip_prefix("~").unwrap(),
            Rule::strip_suffix("#").unwrap(),
            Rule::replace("^BIN ([A-Z])([0-9]{2})$", "LOC-$1-$2").unwrap(),
        ]);
        assert_eq!(rules.apply("~BIN A03#".into()), "LOC-A-03");
        assert_eq!(rules.explain("~BIN A03#").last(), Some(&(3, "LOC-A-03".to_owned())));
        assert!(matches!(rules.apply("7032069804988".into()), Cow::Borrowed("7032069804988")));
        assert_eq!(rules.explain("7032069804988"), []);
    }

    #[test]
    fn a_lost_separator_can_be_put_back() {
        let rules = rewrite(&[Rule::replace("^(01[0-9]{14}10.{5})(17)", "${1}\u{1d}$2").unwrap()]);
        assert_eq!(rules.apply("010703206980498810L420117270131".into()), "010703206980498810L4201\u{1d}17270131");
    }

    #[test]
    fn a_rule_that_can_not_be_meant_is_refused_in_words() {
        assert!(Rule::replace("(", "").unwrap_err().contains("unclosed group"));
        assert!(Rule::replace("(a)", "$2").unwrap_err().contains("$2"));
        assert!(Rule::replace("(a)", "${name}").unwrap_err().contains("$name"));
        assert!(Rule::replace("a", "costs $$5").is_ok());
        assert!(Rule::replace("(a{1000}){1000}", "").unwrap_err().contains("too large"));
    }

    #[test]
    fn a_rule_that_would_blow_a_code_up_is_not_applied() {
        let rules = rewrite(&[Rule::replace("x", &"y".repeat(100)).unwrap()]);
        let long = "x".repeat(200);
        assert_eq!(rules.apply(long.as_str().into()), long);
    }
}

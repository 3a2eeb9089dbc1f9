//! `[[scanner.rewrite]]` as written: rules that make a site's odd labels ordinary.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::Text;
use crate::config::ConfigError;
use crate::domain::decode::rewrite::{MAX_RULES, Rewrite, Rule};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    strip_prefix: Option<Spanned<String>>,
    strip_suffix: Option<Spanned<String>>,
    #[serde(rename = "match")]
    pattern: Option<Spanned<String>>,
    replace: Option<Spanned<String>>,
}

const ONE_OF: &str = "write strip_prefix, strip_suffix, or match with replace: one of them in each [[scanner.rewrite]]";

impl Text<'_> {
    pub(super) fn rewrite(&self, rules: Vec<Spanned<RawRule>>) -> Result<Arc<Rewrite>, ConfigError> {
        if let Some(extra) = rules.get(MAX_RULES) {
            return Err(self.error(extra.span(), format!("more than {MAX_RULES} rules for one scanner"), "join some"));
        }
        let rules = rules.into_iter().map(|rule| self.rule(rule));
        rules.collect::<Result<Vec<Rule>, ConfigError>>().map(|rules| Arc::new(Rewrite::new(rules)))
    }

    fn rule(&self, rule: Spanned<RawRule>) -> Result<Rule, ConfigError> {
        let span = rule.span();
        let RawRule { strip_prefix, strip_suffix, pattern, replace } = rule.into_inner();
        let (written, rule) = match (strip_prefix, strip_suffix, pattern, replace) {
            (Some(start), None, None, None) => (start.span(), Rule::strip_prefix(start.get_ref())),
            (None, Some(end), None, None) => (end.span(), Rule::strip_suffix(end.get_ref())),
            (None, None, Some(pattern), Some(with)) => {
                (pattern.span(), Rule::replace(pattern.get_ref(), with.get_ref()))
            }
            _ => return Err(self.error(span, "a rewriting rule needs one thing to do", ONE_OF)),
        };
        let help = "try it out: tallyman decode --scanner NAME CODE";
        rule.map_err(|why| self.error(written, format!("this rule can't work: {why}"), help))
    }
}

//! Retry-After (RFC 9110 §10.2.3): seconds, or a date.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// How long the server wants to be left alone. A date is read by the server's own clock, the answer's Date: this device's
/// may be wrong. A date without that says nothing.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let sent = httpdate::parse_http_date(text(headers, &DATE)?).ok()?;
    Some(until.duration_since(sent).unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        super::retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_all_three_forms_of_a_date_are_understood() {
        let date = Some("Mon, 23 Nov 2026 06:12:00 GMT");
        for (value, wait) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Mon, 23 Nov 2026 06:12:30 GMT", Some(30)),
            ("Monday, 23-Nov-26 06:13:00 GMT", Some(60)),
            ("Mon Nov 23 06:14:00 2026", Some(120)),
            ("Mon, 23 Nov 2026 05:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
        ] {
            assert_eq!(waits(value, date), wait, "{value:?}");
        }
    }

    #[test]
    fn a_date_is_measured_by_the_servers_clock_or_not_at_all() {
        let until = "Mon, 23 Nov 2026 06:12:30 GMT";
        assert_eq!(waits(until, None), None);
        assert_eq!(waits(until, Some("yesterday")), None);
        assert_eq!(waits("5", None), Some(5));
    }
}

//! Who may come in: the host that was asked for, the page that a form came from, secrets compared in constant time.

use crate::visit::{Verb, Visit};

/// Why a request is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// It asked for another host: a name that leads here from outside.
    #[error("this server does not answer to that host name")]
    Host,
    /// The form was sent by a page of another site.
    #[error("the form does not come from this site")]
    Origin,
}

/// Looks whether the request was made for one of `hosts` (`127.0.0.1:7420`), and a form by a page of the same one.
///
/// # Errors
/// [`GateError`].
///
/// Source: docs/SECURITY.md, Pages.
pub fn check(visit: &Visit, hosts: &[String]) -> Result<(), GateError> {
    let host = visit.header("host").ok_or(GateError::Host)?;
    if !hosts.iter().any(|own| own.eq_ignore_ascii_case(host)) {
        return Err(GateError::Host);
    }
    same_site(visit, host)
}

/// Looks whether a form was sent by a page of `host`.
///
/// # Errors
/// [`GateError::Origin`].
pub fn same_site(visit: &Visit, host: &str) -> Result<(), GateError> {
    if visit.verb == Verb::Get {
        return Ok(());
    }
    let site = visit.header("sec-fetch-site").unwrap_or("same-origin");
    if !matches!(site, "same-origin" | "none") {
        return Err(GateError::Origin);
    }
    let Some(origin) = visit.header("origin") else { return Ok(()) };
    let own = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    if own.is_some_and(|own| own.eq_ignore_ascii_case(host)) { Ok(()) } else { Err(GateError::Origin) }
}

/// Compares two secrets in a time that does not depend on where they differ.
#[must_use]
#[expect(deprecated, reason = "ring's comparison is the one that both programs link; it goes on working")]
pub fn same(a: &str, b: &str) -> bool {
    ring::constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(verb: Verb, headers: &[(&'static str, &str)]) -> Visit {
        let mut visit = Visit::to("/");
        visit.verb = verb;
        visit.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        visit
    }

    #[test]
    fn another_host_or_another_sites_form_is_not_heard() {
        let own = [String::from("127.0.0.1:7420"), String::from("localhost:7420")];
        let check = |verb, headers: &[(&'static str, &str)], expected: Result<(), GateError>| {
            assert_eq!(check(&visit(verb, headers), &own), expected, "{headers:?}");
        };
        let here = ("host", "127.0.0.1:7420");
        check(Verb::Get, &[here], Ok(()));
        check(Verb::Get, &[], Err(GateError::Host));
        check(Verb::Get, &[("host", "evil.example:7420")], Err(GateError::Host));
        check(Verb::Post, &[here], Ok(()));
        check(Verb::Post, &[here, ("origin", "http://127.0.0.1:7420")], Ok(()));
        check(Verb::Post, &[here, ("origin", "http://localhost:7420")], Err(GateError::Origin));
        check(Verb::Post, &[here, ("origin", "null")], Err(GateError::Origin));
        check(Verb::Post, &[here, ("sec-fetch-site", "cross-site")], Err(GateError::Origin));
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd") && !same("abc", "ab") && !same("", "a"));
    }
}

//! A request as a value: what was asked for, what a form said, what was uploaded, who it seems to be.

use std::collections::BTreeMap;

/// Fields in one form.
pub(crate) const FIELDS_MAX: usize = 2_000;

/// Fields of an address or a form, in their order; a name may stand there more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// Reads `name=value&name=value`, percent-decoded; one field beyond a form's limit is the last that is read.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().take(FIELDS_MAX + 1).collect())
    }

    /// Returns the first value of that name, without the blanks around it; `None` where it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(field, _)| field == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    /// Returns all values of that name, without the blanks around them, the empty ones left out.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.trim());
        values.filter(|value| !value.is_empty())
    }

    /// Returns the fields whose name begins with `prefix`, named by what follows it; the empty ones too.
    #[must_use]
    pub fn under(&self, prefix: &str) -> Vec<(&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value.trim()))).collect()
    }
}

/// One uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The field of the form.
    pub field: String,
    /// What the browser calls the file; only ever shown, never a path.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Looks.
    Get,
    /// Changes something.
    Post,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// What it does.
    pub verb: Verb,
    /// The path as it was asked for, beginning with `/`.
    pub path: String,
    /// Its parts, percent-decoded: `/sheets/7.3.42` is `["sheets", "7.3.42"]`, `/` is empty.
    pub parts: Vec<String>,
    /// What stands behind `?`.
    pub query: Fields,
    /// The form's fields.
    pub form: Fields,
    /// The form's files; a field without a chosen file is left out.
    pub files: Vec<Upload>,
    /// Cookies.
    pub cookies: BTreeMap<String, String>,
    /// Other headers that are looked at, by their small name: `host`, `origin`, `sec-fetch-site`, `accept-language`, `if-none-match`.
    pub headers: BTreeMap<&'static str, String>,
    /// The address the connection came from, without the port; empty where it is not known.
    pub from: String,
}

/// The headers that are kept of a request.
pub const HEADERS: [&str; 5] = ["host", "origin", "sec-fetch-site", "accept-language", "if-none-match"];

impl Visit {
    /// Returns a look at an address such as `/sheets?state=draft`.
    #[must_use]
    pub fn to(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            verb: Verb::Get,
            path: path.to_owned(),
            parts: parts(path),
            query: Fields::parse(query),
            form: Fields::default(),
            files: Vec::new(),
            cookies: BTreeMap::new(),
            headers: BTreeMap::new(),
            from: String::new(),
        }
    }

    /// Returns the same as a form that is sent.
    #[must_use]
    pub fn sending(mut self, fields: &[(&str, &str)]) -> Self {
        self.verb = Verb::Post;
        self.form = Fields(fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
        self
    }

    /// Returns the parts for a `match`.
    #[must_use]
    pub fn route(&self) -> (Verb, Vec<&str>) {
        (self.verb, self.parts.iter().map(String::as_str).collect())
    }

    /// Returns a header; `None` where it was not sent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns the uploaded files of a field.
    pub fn uploads<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a Upload> {
        self.files.iter().filter(move |upload| upload.field == field)
    }
}

fn parts(path: &str) -> Vec<String> {
    let parts = path.split('/').filter(|part| !part.is_empty());
    parts.map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

/// Returns one part of an address, percent-encoded: an id, a code, a name.
#[must_use]
pub fn part(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_and_decoded() {
        let visit = Visit::to("/sheets/%E6%9D%AD%2F1?state=draft&state=done&q=+x+");
        assert_eq!(visit.parts, ["sheets", "杭/1"]);
        assert_eq!(visit.query.get("q"), Some("x"));
        assert_eq!(visit.query.all("state").collect::<Vec<_>>(), ["draft", "done"]);
        assert_eq!(Visit::to("/").route(), (Verb::Get, vec![]));
    }

    #[test]
    fn one_part_of_an_address_goes_there_and_back() {
        for text in ["7.3061842211.42", "杭/../1?", "a b&c=%", ".."] {
            let visit = Visit::to(&format!("/x/{}", part(text)));
            assert_eq!(visit.parts, ["x", text]);
        }
    }

    #[test]
    fn fields_under_a_prefix_lose_it() {
        let fields = Fields::parse("set.customer=C1&set.site=&other=1");
        assert_eq!(fields.under("set."), [("customer", "C1"), ("site", "")]);
    }
}

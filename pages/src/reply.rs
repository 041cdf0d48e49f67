//! An answer as a value: a page, a way on, a file.

use maud::Markup;

/// What a browser gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A whole page of HTML.
    Page(String),
    /// The browser goes on to that address of the same host, with a look.
    Go(String),
    /// A file.
    File {
        /// What it is: `application/pdf`.
        kind: &'static str,
        /// Under which name it is saved; `None`: shown in the browser.
        save_as: Option<String>,
        /// What is in it.
        bytes: Vec<u8>,
        /// The content never changes under this address: it may be kept.
        keeps: bool,
    },
    /// The browser has it already.
    Unchanged,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// What it carries.
    pub body: Body,
    /// `Set-Cookie` lines.
    pub cookies: Vec<String>,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
}

impl Reply {
    /// Returns a page.
    #[must_use]
    pub fn page(page: Markup) -> Self {
        Self::with(200, Body::Page(page.into_string()))
    }

    /// Returns a page under another status: 403, 404, 422.
    #[must_use]
    pub fn page_as(status: u16, page: Markup) -> Self {
        Self::with(status, Body::Page(page.into_string()))
    }

    /// Returns the way to another page of the same host; anything but such a path leads to the first page.
    #[must_use]
    pub fn go(to: &str) -> Self {
        let inside = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\');
        // A browser leaves control characters out: what follows them would begin the address.
        let inside = inside && !to.contains(|letter: char| letter.is_control());
        Self::with(303, Body::Go(if inside { to.to_owned() } else { "/".to_owned() }))
    }

    /// Returns a file that the browser saves.
    #[must_use]
    pub fn download(kind: &'static str, name: &str, bytes: Vec<u8>) -> Self {
        Self::with(200, Body::File { kind, save_as: Some(name.to_owned()), bytes, keeps: false })
    }

    /// Returns a file that the browser shows.
    #[must_use]
    pub fn shown(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self::with(200, Body::File { kind, save_as: None, bytes, keeps: false })
    }

    /// Returns the same with a cookie.
    #[must_use]
    pub fn with_cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    fn with(status: u16, body: Body) -> Self {
        Self { status, body, cookies: Vec::new(), retry_after_s: None }
    }
}

/// Returns a cookie for the whole site that no script reads and no other site sends; `days` 0 takes it away.
#[must_use]
pub fn cookie(name: &str, value: &str, days: u32, secure: bool) -> String {
    let age_s = u64::from(days) * 86_400;
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_host() {
        let goes = |to: &str| match Reply::go(to).body {
            Body::Go(to) => to,
            _ => String::new(),
        };
        assert_eq!(goes("/sheets?x=1"), "/sheets?x=1");
        for bad in [
            "https://example.org",
            "//example.org",
            "/\\example.org",
            "/a\r\nSet-Cookie: x=1",
            "/\t/example.org",
            "",
        ] {
            assert_eq!(goes(bad), "/", "{bad}");
        }
    }
}

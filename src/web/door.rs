//! Who may come in: only whoever has the first address, which the process prints, or the cookie that it gave.

use std::sync::OnceLock;

use maud::html;
use pages::gate;
use pages::reply::{Reply, cookie};
use pages::shell::{self, Face, Shell};
use pages::visit::{Verb, Visit};
use sync_protocol::chain::sha256;

use crate::cli::lang::Lang;

/// The cookie by which a browser is known again; it stays good when the pages start anew.
const COOKIE: &str = "fieldbook";
/// The cookie with the language.
const LANGUAGE: &str = "language";
const DAYS: u32 = 365;

/// What the pages of a home ask for.
#[derive(Debug, Clone)]
pub struct Door {
    /// The port on 127.0.0.1.
    pub port: u16,
    /// What the first address carries; made anew at each start.
    pub key: String,
    /// The cookie's value: kept in the home, and drawn for this start where that is still locked.
    pub cookie: String,
    /// SHA-256 of the cookie that is kept in the home: what a locked home can know it by, once one was made.
    pub known: OnceLock<[u8; 32]>,
    /// What every form carries.
    pub token: String,
    /// The language where the browser has chosen none.
    pub lang: Lang,
}

impl Door {
    /// Returns the first address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/?key={}", self.port, self.key)
    }

    /// Returns the answer that a visit gets before any page is asked; `None` where it may come in.
    #[must_use]
    pub fn answer(&self, visit: &Visit) -> Option<Reply> {
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let lang = self.lang(visit);
        if gate::check(visit, &hosts).is_err() {
            return Some(closed(lang, "web.closed.elsewhere"));
        }
        if let Some(asset) = pages::assets::answer(visit) {
            return Some(asset);
        }
        if visit.verb == Verb::Get && visit.query.get("key").is_some_and(|key| gate::same(key, &self.key)) {
            return Some(Reply::go(&visit.path).with_cookie(cookie(COOKIE, &self.cookie, DAYS, false)));
        }
        if !visit.cookies.get(COOKIE).is_some_and(|sent| self.knows(sent)) {
            return Some(closed(lang, "web.closed.unknown"));
        }
        if visit.verb == Verb::Post
            && !visit.form.get("token").is_some_and(|sent| gate::same(sent, &self.token))
        {
            return Some(closed(lang, "web.closed.elsewhere"));
        }
        match visit.route().1.as_slice() {
            ["language", name] => {
                let lang = Lang::named(name).unwrap_or(self.lang);
                let back = visit.query.get("back").unwrap_or("/");
                Some(Reply::go(back).with_cookie(cookie(LANGUAGE, lang.id(), DAYS, false)))
            }
            _ => None,
        }
    }

    fn knows(&self, sent: &str) -> bool {
        gate::same(sent, &self.cookie) || self.known.get() == Some(&sha256(&[sent.as_bytes()]))
    }

    /// Returns the answer with the cookie that stays good when the pages start anew.
    #[must_use]
    pub fn with_lasting(&self, reply: Reply, lasting: &str) -> Reply {
        // A home has one all its life.
        self.known.get_or_init(|| sha256(&[lasting.as_bytes()]));
        reply.with_cookie(cookie(COOKIE, lasting, DAYS, false))
    }

    /// Returns the language of a visit: the one chosen in this browser, else the process's.
    #[must_use]
    pub fn lang(&self, visit: &Visit) -> Lang {
        visit.cookies.get(LANGUAGE).and_then(|name| Lang::named(name)).unwrap_or(self.lang)
    }
}

/// The page of whoever is not let in; it says nothing of what is inside.
fn closed(lang: Lang, key: &str) -> Reply {
    let shell = bare(lang, "web.closed.title");
    Reply::page_as(403, shell::page(&shell, &html! { p { (lang.say(key, &[])) } }))
}

/// Returns the frame of a page before anybody is let in: no name, no tabs, nothing of the home.
pub(crate) fn bare(lang: Lang, title: &str) -> Shell {
    let say = |key: &str| lang.say(key, &[]);
    Shell {
        face: Face::Device,
        lang: lang.id(),
        title: say(title),
        brand: say("web.brand"),
        person: String::new(),
        tabs: Vec::new(),
        back: None,
        notice: None,
        standing: html! {},
        address: "/".to_owned(),
        skip: say("web.skip"),
        tabs_label: say("web.tabs"),
        manifest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> Door {
        let text = |text: &str| text.to_owned();
        let known = sha256(&[b"kept"]).into();
        Door { port: 7420, key: text("K"), cookie: text("C"), known, token: text("T"), lang: Lang::En }
    }

    fn visit(target: &str, cookie: Option<&str>) -> Visit {
        let mut visit = Visit::to(target);
        visit.headers.insert("host", "127.0.0.1:7420".to_owned());
        visit.cookies.extend(cookie.map(|cookie| (COOKIE.to_owned(), cookie.to_owned())));
        visit
    }

    #[test]
    fn only_the_printed_address_or_its_cookie_comes_in() {
        let status = |visit: &Visit| door().answer(visit).map(|reply| reply.status);
        assert_eq!(status(&visit("/", None)), Some(403));
        assert_eq!(status(&visit("/", Some("X"))), Some(403));
        assert_eq!(status(&visit("/", Some("kept"))), None);
        assert_eq!(status(&visit("/?key=X", None)), Some(403));
        assert_eq!(status(&visit("/", Some("C"))), None);
        let first = door().answer(&visit("/?key=K", None)).unwrap();
        assert!(first.status == 303 && first.cookies[0].starts_with("fieldbook=C; "), "{first:?}");
        let mut elsewhere = visit("/", Some("C"));
        elsewhere.headers.insert("host", "evil.example:7420".to_owned());
        assert_eq!(status(&elsewhere), Some(403));
    }

    #[test]
    fn a_form_needs_its_token() {
        let status = |visit: &Visit| door().answer(visit).map(|reply| reply.status);
        assert_eq!(status(&visit("/sheets", Some("C")).sending(&[("token", "T")])), None);
        assert_eq!(status(&visit("/sheets", Some("C")).sending(&[("token", "X")])), Some(403));
        assert_eq!(status(&visit("/sheets", Some("C")).sending(&[])), Some(403));
        let mut cross = visit("/sheets", Some("C")).sending(&[("token", "T")]);
        cross.headers.insert("sec-fetch-site", "cross-site".to_owned());
        assert_eq!(status(&cross), Some(403));
    }
}

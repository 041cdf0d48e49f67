//! The page of a locked home: a field for its PIN, and nothing of what is inside.

use std::path::Path;

use maud::html;
use pages::reply::Reply;
use pages::shell;
use pages::visit::{Verb, Visit};
use pages::widgets::{self, Tone, Weight};
use sync_protocol::chain::sha256;

use crate::cli::fault::Fault;
use crate::keys::random;
use crate::keys::secret::Pin;
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::web::door;
use crate::web::serve::Shared;

/// The setting with the cookie by which a browser is known again.
const COOKIE: &str = "pages.cookie";
/// The file with its digest, by which a locked home knows the browser too.
const KNOWN: &str = "pages";

/// Returns the answer to any visit while the home waits for its PIN; `None` where it does not.
pub(crate) fn answer(visit: &Visit, shared: &Shared) -> Option<Reply> {
    if !shared.held.is_locked() {
        // A form that was sent twice: the second finds the home open.
        return (visit.path == "/unlock").then(|| Reply::go("/"));
    }
    let sent = visit.verb == Verb::Post && visit.path == "/unlock";
    let Some(typed) = visit.form.get("pin").filter(|_| sent) else {
        let lost = (visit.verb == Verb::Post).then_some("web.unlock.lost");
        let told = lost.map(|key| shared.door.lang(visit).say(key, &[]));
        return Some(page(visit, shared, told.as_deref()));
    };
    Some(match shared.held.unlock(&Pin::typed(typed)).map_err(NotebookError::from) {
        Ok(()) => {
            shared.courier.wake();
            let to = visit.form.get("to").unwrap_or("/");
            match shared.held.with(lasting_cookie) {
                Ok(lasting) => shared.door.with_lasting(Reply::go(to), &lasting),
                Err(_) => Reply::go(to),
            }
        }
        Err(error) => {
            let (fault, lang) = (Fault::from(error), shared.door.lang(visit));
            let told = format!("{} {}", fault.sentence(lang), fault.hint(lang));
            page(visit, shared, Some(&told))
        }
    })
}

fn page(visit: &Visit, shared: &Shared, told: Option<&str>) -> Reply {
    let lang = shared.door.lang(visit);
    let say = |key: &str| lang.say(key, &[]);
    // Where a page was asked for, that is where the PIN leads; a form is not sent a second time.
    let to = if visit.verb == Verb::Get { visit.path.as_str() } else { visit.form.get("to").unwrap_or("/") };
    let form = html! {
        input type="hidden" name="to" value=(to);
        label.field {
            span { (say("web.unlock.pin")) }
            input type="password" name="pin" autocomplete="current-password" autofocus required;
        }
        (widgets::button(Weight::First, &say("web.unlock.open"), None))
    };
    let content = html! {
        @if let Some(told) = told { (widgets::told(Tone::Bad, told)) }
        p { (say("web.unlock.why")) }
        (widgets::form("/unlock", &shared.door.token, &form))
        p.hint { (say("web.unlock.forgotten")) }
    };
    let shell = door::bare(lang, "web.unlock.title");
    Reply::page_as(403, shell::page(&shell, &content))
}

/// Returns the cookie that stays good when the pages start anew, and leaves its digest for the time when the home is locked.
pub(crate) fn lasting_cookie(store: &mut Store) -> Result<String, NotebookError> {
    let kept = match store.setting(COOKIE)? {
        Some(kept) => kept,
        None => {
            let made: [u8; 16] = random()?;
            store.put_setting(COOKIE, made.to_vec())?;
            made.to_vec()
        }
    };
    let cookie = records::hex::of(&kept);
    let digest = sha256(&[cookie.as_bytes()]);
    if known_cookie(store.home()) != Some(digest) {
        crate::home::write_whole(&store.home().join(KNOWN), &digest)?;
    }
    Ok(cookie)
}

/// Returns the digest of that cookie; `None` where the pages never ran.
pub(crate) fn known_cookie(home: &Path) -> Option<[u8; 32]> {
    use std::io::Read;
    let mut bytes = Vec::with_capacity(33);
    std::fs::File::open(home.join(KNOWN)).ok()?.take(33).read_to_end(&mut bytes).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use pages::reply::Body;

    use super::*;
    use crate::cli::lang::Lang;
    use crate::cli::testing::Device;
    use crate::clock::{Clock, Now};
    use crate::web::door::Door;
    use crate::web::held::Held;
    use crate::web::serve::answer as serve;

    const PIN: &str = "k7-Perlach";

    /// The pages of a device as they start.
    fn started(device: &Device) -> Shared {
        let home = device.dir.path().join("home");
        let text = |text: &str| text.to_owned();
        let known = known_cookie(&home).map(OnceLock::from).unwrap_or_default();
        let door =
            Door { port: 7420, key: text("K"), cookie: text("C"), known, token: text("T"), lang: Lang::En };
        Shared {
            held: Held::new(home, Clock::system()),
            door,
            clock: Clock::system(),
            font_folders: Vec::new(),
            lend_token: text("L"),
            courier: crate::web::courier::Courier::default(),
        }
    }

    fn locked() -> Device {
        let device = Device::new();
        device.ready();
        assert_eq!(device.run_with(&["pin", "set"], &format!("{PIN}\n")).exit, 0);
        device
    }

    fn known(mut visit: Visit, cookie: &str) -> Visit {
        visit.headers.insert("host", "127.0.0.1:7420".to_owned());
        visit.cookies.insert("fieldbook".to_owned(), cookie.to_owned());
        visit
    }

    fn page(reply: Reply) -> String {
        match reply.body {
            Body::Page(page) => page,
            body => panic!("{body:?}"),
        }
    }

    fn typed(pin: &str, cookie: &str) -> Visit {
        known(Visit::to("/unlock").sending(&[("token", "T"), ("pin", pin), ("to", "/sheets")]), cookie)
    }

    #[test]
    fn a_locked_home_shows_a_field_for_the_pin_and_nothing_else() {
        let device = locked();
        let shared = started(&device);
        for address in ["/", "/sheets", "/more", "/search?q=Acme", "/sync", "/manifest.json", "/files/00"] {
            let reply = serve(&known(Visit::to(address), "C"), &shared);
            assert_eq!(reply.status, 403, "{address}");
            let page = page(reply);
            assert!(
                page.contains("name=\"pin\"") && !page.contains("Acme") && !page.contains("李工"),
                "{address}"
            );
        }
        let lost = known(Visit::to("/vouchers").sending(&[("token", "T"), ("amount", "3")]), "C");
        assert!(page(serve(&lost, &shared)).contains("not saved"));
        assert!(page(serve(&typed("0000", "C"), &shared)).contains("wrong"));
        let opened = serve(&typed(PIN, "C"), &shared);
        assert_eq!(opened.body, Body::Go("/sheets".to_owned()));
        assert!(page(serve(&known(Visit::to("/sheets"), "C"), &shared)).contains("李工"));
        let lasting = opened.cookies[0].split(['=', ';']).nth(1).unwrap().to_owned();
        assert!(
            page(serve(&known(Visit::to("/sheets"), &lasting), &shared)).contains("李工"),
            "the first one ever"
        );
        // Started anew, the browser is known by what a locked home may know of its cookie.
        let again = started(&device);
        assert!(page(serve(&known(Visit::to("/"), &lasting), &again)).contains("name=\"pin\""));
        assert!(!page(serve(&known(Visit::to("/"), "C2"), &again)).contains("name=\"pin\""));
    }

    #[test]
    fn the_pages_lock_themselves_when_nobody_uses_them_and_when_they_are_told_to() {
        let device = locked();
        let shared = started(&device);
        assert_eq!(serve(&typed(PIN, "C"), &shared).status, 303);
        let now = shared.clock.now();
        let after = |minutes: u64| Now { monotonic_ms: now.monotonic_ms + minutes * 60_000, ..now };
        assert!(!shared.held.lock_if_idle(after(479)) && !shared.held.is_locked());
        assert!(shared.held.lock_if_idle(after(481)) && shared.held.is_locked());
        assert_eq!(serve(&known(Visit::to("/sheets"), "C"), &shared).status, 403);
        assert_eq!(serve(&typed(PIN, "C"), &shared).status, 303);
        let told = |token| serve(&Visit::to("/lock").sending(&[("token", token)]), &shared).status;
        assert_eq!((told("X"), shared.held.is_locked()), (403, false));
        assert_eq!(told("L"), 200);
        assert!(shared.held.is_locked());
    }

    #[test]
    fn a_home_without_a_pin_never_asks_for_one() {
        let device = Device::new();
        let shared = started(&device);
        assert_eq!(serve(&known(Visit::to("/"), "C"), &shared).status, 200);
        shared.held.lock();
        assert_eq!(serve(&known(Visit::to("/"), "C"), &shared).status, 200);
    }
}

//! The page of a locked home: a field for its PIN, and nothing of what is inside.

use std::path::Path;

use maud::html;
use pages::reply::Reply;
use pages::shell::{self, Face, Shell};
use pages::visit::{Verb, Visit};
use pages::widgets::{self, Tone, Weight};
use sync_protocol::chain::sha256;

use crate::bundle::hex;
use crate::cli::fault::Fault;
use crate::keys::random;
use crate::keys::secret::Pin;
use crate::notebook::refusal::NotebookError;
use crate::store::Store;
use crate::web::door::Door;
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
        return Some(page(visit, shared, lost.map(|key| shared.door.lang(visit).say(key, &[]))));
    };
    Some(match shared.held.unlock(&Pin::typed(typed)).map_err(NotebookError::from) {
        Ok(()) => {
            shared.courier.wake();
            let to = visit.form.get("to").unwrap_or("/");
            match shared.held.with(lasting_cookie) {
                Ok(lasting) => Door::with_lasting(Reply::go(to), &lasting),
                Err(_) => Reply::go(to),
            }
        }
        Err(error) => {
            let (fault, lang) = (Fault::from(error), shared.door.lang(visit));
            let told = format!("{} {}", fault.sentence(lang), fault.hint(lang));
            page(visit, shared, Some(told))
        }
    })
}

fn page(visit: &Visit, shared: &Shared, told: Option<String>) -> Reply {
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
        @if let Some(told) = &told { (widgets::told(Tone::Bad, told)) }
        p { (say("web.unlock.why")) }
        (widgets::form("/unlock", &shared.door.token, &form))
        p.hint { (say("web.unlock.forgotten")) }
    };
    let shell = Shell {
        face: Face::Device,
        lang: lang.id(),
        title: say("web.unlock.title"),
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
    };
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
    let cookie = hex(&kept);
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

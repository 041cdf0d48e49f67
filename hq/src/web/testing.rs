//! The console as a browser meets it, on a headquarters in a temporary folder.

use std::sync::Arc;

use pages::reply::{Body, Reply};
use pages::visit::{Upload, Visit};

use crate::cli::answer::Lang;
use crate::cli::testing::Office;
use crate::clock::Clock;
use crate::session;
use crate::web::console::Console;
use crate::web::desk::{Desk, Person};
use crate::web::routes;
use crate::writer::Writer;

/// Somebody who is logged in.
pub(crate) struct Browser {
    console: Arc<Console>,
    person: Person,
}

impl Browser {
    /// Returns a browser in front of which the person of that staff code sits.
    pub(crate) fn of(office: &Office, code: &str) -> Self {
        let mut desk = office.desk();
        let people = desk.people().unwrap();
        let (staff, person) = people.by_code(code).unwrap();
        let (name, roles) = (person.name.clone(), person.roles.clone());
        let now = crate::money::rows::instant(office.now_ms());
        let delegated = desk.delegated(staff, now.day(records::time::Zone::SHANGHAI)).unwrap();
        let token = "T".to_owned();
        let person = Person { staff, code: code.to_owned(), name, roles, delegated, token };
        let (signer, files) = (Arc::clone(&desk.signer), desk.files.clone());
        let writer = Writer::start(desk, |error| panic!("{error}")).unwrap();
        let (clock, porter) = (Clock::set(office.now_ms(), false), Arc::default());
        let shared = session::Office { writer, signer, clock, files, porter };
        let lang = Lang::chosen(Some("en"));
        let console = Console::new(shared, office.data(), true, false, lang, Vec::new());
        Self { console, person }
    }

    /// Answers a visit.
    pub(crate) fn answer(&self, visit: &Visit) -> Reply {
        let lang = self.console.lang;
        routes::answer(&Desk { visit, console: &self.console, lang, person: &self.person })
    }

    /// Returns a page; it must be there.
    #[track_caller]
    pub(crate) fn get(&self, address: &str) -> String {
        let reply = self.answer(&Visit::to(address));
        assert_eq!(reply.status, 200, "{address}: {:?}", reply.body);
        text(reply)
    }

    /// Returns the status of a look.
    pub(crate) fn status(&self, address: &str) -> u16 {
        self.answer(&Visit::to(address)).status
    }

    /// Sends a form and returns where it leads; it must be done.
    #[track_caller]
    pub(crate) fn send(&self, address: &str, fields: &[(&str, &str)]) -> String {
        match self.answer(&Visit::to(address).sending(fields)) {
            Reply { body: Body::Go(to), .. } => to,
            reply => panic!("{address} {fields:?}: {}", told(&text(reply))),
        }
    }

    /// Sends a form with a file.
    pub(crate) fn upload(&self, address: &str, fields: &[(&str, &str)], file: (&str, &[u8])) -> Reply {
        let mut visit = Visit::to(address).sending(fields);
        let (field, bytes) = (file.0.to_owned(), file.1.to_vec());
        visit.files = vec![Upload { name: field.clone(), field, bytes }];
        self.answer(&visit)
    }

    /// Sends a form that is refused, and returns the page that says so.
    #[track_caller]
    pub(crate) fn refused(&self, address: &str, fields: &[(&str, &str)]) -> String {
        let reply = self.answer(&Visit::to(address).sending(fields));
        assert_eq!(reply.status, 422, "{address} {fields:?}: {:?}", reply.body);
        text(reply)
    }
}

/// Returns what a page says went wrong.
fn told(page: &str) -> String {
    page.split_once("role=\"alert\"").map_or(page, |(_, rest)| rest).chars().take(600).collect()
}

/// Returns what an answer carries, as text.
pub(crate) fn text(reply: Reply) -> String {
    match reply.body {
        Body::Page(page) => page,
        Body::File { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        Body::Go(to) => to,
        Body::Unchanged => String::new(),
    }
}

//! `web`: the tablet's pages on 127.0.0.1.

use std::sync::{Arc, OnceLock};

use crate::cli::Streams;
use crate::cli::args::Web;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::keys::random;
use crate::notebook::refusal::NotebookError;
use crate::store::error::StoreError;
use crate::vault;
use crate::web::door::Door;
use crate::web::held::Held;
use crate::web::lend::{self, Place};
use crate::web::serve::{self, Shared};
use crate::web::unlock::{known_cookie, lasting_cookie};

/// Serves the pages until the process is asked to stop. The first line is the first address, flushed.
///
/// A home has one server: a second one says where the first answers.
pub(crate) fn run(args: &Web, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    if let Some(place) = lend::ask(&desk.home) {
        let address = format!("http://127.0.0.1:{}/", place.port);
        return Err(Fault::new(Exit::InUse, "error.web.served").with("address", &address));
    }
    let held = Held::new(desk.home.clone(), desk.clock);
    let begun = begin(&held, desk)?;
    let listener = serve::listen(args.port).map_err(|error| taken(args.port, &error))?;
    let port = listener.local_addr().map_err(|error| taken(args.port, &error))?.port();
    let known = known_cookie(&desk.home).map(OnceLock::from).unwrap_or_default();
    let door = Door { port, key: secret()?, cookie: begun, known, token: secret()?, lang: desk.lang };
    let lend_token = secret()?;
    let place = Place { port, token: lend_token.clone() };
    let _announced = lend::announce(&desk.home, place).map_err(NotebookError::from)?;
    let address = door.address();
    let shared = Shared {
        held,
        door,
        clock: desk.clock,
        font_folders: desk.font_folders.clone(),
        lend_token,
        courier: crate::web::courier::Courier::default(),
    };
    // A reader that has gone away can still open the address from somewhere else.
    let _ = if desk.json {
        writeln!(streams.out, "{}", serde_json::json!({"url": address, "port": port}))
    } else {
        writeln!(streams.out, "{address}")
    }
    .and_then(|()| streams.out.flush());
    serve::serve(listener, Arc::new(shared)).map_err(|error| taken(port, &error))?;
    Ok(Page::Printed(Exit::Done))
}

fn taken(port: u16, error: &std::io::Error) -> Fault {
    Fault::new(Exit::Usage, "error.web.port").with("port", &port).because(error)
}

fn secret() -> Result<String, Fault> {
    let bytes: [u8; 16] = random().map_err(NotebookError::from)?;
    Ok(records::hex::of(&bytes))
}

/// Opens the home where that can be done without a question, and returns the cookie to give: the one that is kept in it, or
/// one for this start.
fn begin(held: &Held, desk: &Desk) -> Result<String, Fault> {
    let opened = match (vault::open(&desk.home, desk.clock.now()), &desk.pin) {
        (Err(StoreError::Locked), Some(pin)) => vault::open_by_pin(&desk.home, pin, desk.clock.now()),
        (opened, _) => opened,
    };
    match opened {
        Err(StoreError::Locked) => secret(),
        opened => {
            held.begin(opened.map_err(NotebookError::from)?).map_err(NotebookError::from)?;
            Ok(held.with(lasting_cookie)?)
        }
    }
}

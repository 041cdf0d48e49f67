//! `web`: the tablet's pages on 127.0.0.1.

use std::sync::Arc;

use crate::cli::Streams;
use crate::cli::args::Web;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::keys::random;
use crate::notebook::refusal::NotebookError;
use crate::web::door::Door;
use crate::web::held::Held;
use crate::web::lend::{self, Place};
use crate::web::serve::{self, Shared};

/// The setting with the cookie by which a browser is known again.
const COOKIE: &str = "pages.cookie";

/// Serves the pages until the process is asked to stop. The first line is the first address, flushed.
///
/// A home has one server: a second one says where the first answers.
pub(crate) fn run(args: &Web, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    if let Some(place) = lend::ask(&desk.home) {
        let address = format!("http://127.0.0.1:{}/", place.port);
        return Err(Fault::new(Exit::InUse, "error.web.served").with("address", &address));
    }
    let mut store = desk.store()?;
    let cookie = cookie(&mut store)?;
    drop(store);
    let listener = serve::listen(args.port).map_err(|error| taken(args.port, &error))?;
    let port = listener.local_addr().map_err(|error| taken(args.port, &error))?.port();
    let door = Door { port, key: secret()?, cookie, token: secret()?, lang: desk.lang };
    let lend_token = secret()?;
    let place = Place { port, token: lend_token.clone() };
    let _announced = lend::announce(&desk.home, place).map_err(NotebookError::from)?;
    let address = door.address();
    let shared = Shared {
        held: Held::new(desk.home.clone(), desk.clock),
        door,
        clock: desk.clock,
        font_folders: desk.font_folders.clone(),
        lend_token,
        courier: crate::web::courier::Courier::default(),
        kept: crate::web::kept::Kept::default(),
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
    Fault::new(Exit::Usage, "error.web.port").with("port", &port).with("reason", error)
}

fn secret() -> Result<String, Fault> {
    let bytes: [u8; 16] = random().map_err(NotebookError::from)?;
    Ok(hex(&bytes))
}

fn cookie(store: &mut crate::store::Store) -> Result<String, Fault> {
    if let Some(kept) = store.setting(COOKIE).map_err(NotebookError::from)? {
        return Ok(hex(&kept));
    }
    let made: [u8; 16] = random().map_err(NotebookError::from)?;
    store.put_setting(COOKIE, made.to_vec()).map_err(NotebookError::from)?;
    Ok(hex(&made))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! `key`: another TLS key for headquarters, without enrolling any device anew.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, REFUSED};
use crate::rotation::{Rotation, RotationError, short};
use crate::tls;

/// What is done with headquarters' keys.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Says which TLS key is in use, which comes next, and which devices know it
    List,
    /// Makes the next TLS key and tells devices of it with their next sync
    RotateTls {
        /// A certificate in PEM form that `serve --tls-cert` will be given, instead of one made here
        #[arg(long, value_name = "FILE")]
        cert: Option<PathBuf>,
    },
    /// Puts the next TLS key in the place of the one in use; the next start of serve uses it
    SwitchTls {
        /// Also where devices do not know it: they have to be enrolled anew
        #[arg(long)]
        anyway: bool,
    },
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::List => {}
        Command::RotateTls { cert } => rotate(cert.as_deref(), room)?,
        Command::SwitchTls { anyway } => switch(*anyway, room)?,
    }
    let standing = room.open()?.rotation()?;
    Ok(answer(&standing, room))
}

fn rotate(cert: Option<&std::path::Path>, room: &Room) -> Result<(), Fault> {
    let mut desk = room.open()?;
    let Rotation { next, .. } = desk.rotation()?;
    if next.is_some() {
        return Err(RotationError::Prepared.into());
    }
    let pin = match cert {
        Some(cert) => tls::pin(cert)?,
        None => room.data.next_tls(&crate::data::reach(&desk.store, None)?.address)?,
    };
    let now_ms = room.clock.now_ms();
    Ok(desk.transact(|desk| desk.prepare(pin, now_ms))?)
}

fn switch(anyway: bool, room: &Room) -> Result<(), Fault> {
    let mut desk = room.open()?;
    let Rotation { next, unknown, .. } = desk.rotation()?;
    let next = next.ok_or(RotationError::NotPrepared)?;
    if !room.data.tls_next().0.exists() {
        // Somebody else's certificate: it is named where `serve` is started.
        return Err(Fault::new(REFUSED, "hq.key.elsewhere"));
    }
    if !unknown.is_empty() && !anyway {
        return Err(RotationError::Unknown(unknown).into());
    }
    let now_ms = room.clock.now_ms();
    desk.transact(|desk| desk.store.audit(0, now_ms, "tls key switched", &short(next)))?;
    Ok(room.data.switch_tls()?)
}

fn answer(standing: &Rotation, room: &Room) -> Answer {
    let ids = |all: &[records::id::Replica]| all.iter().map(|one| one.0).collect::<Vec<_>>();
    let json = json!({
        "in_use": short(standing.in_use),
        "next": standing.next.map(short),
        "version": standing.version,
        "known": ids(&standing.known),
        "unknown": ids(&standing.unknown),
    });
    let facts = [
        ("in_use".to_owned(), short(standing.in_use)),
        ("next".to_owned(), standing.next.map(short).unwrap_or_default()),
        ("known".to_owned(), standing.known.len().to_string()),
        ("unknown".to_owned(), standing.unknown.len().to_string()),
        (
            "devices".to_owned(),
            ids(&standing.unknown).iter().map(u32::to_string).collect::<Vec<_>>().join(" "),
        ),
    ];
    let key = match (standing.next, standing.unknown.is_empty()) {
        (None, _) => "hq.key.one",
        (Some(_), true) => "hq.key.ready",
        (Some(_), false) => "hq.key.waits",
    };
    Answer::new(json, room.lang.say(key, &facts))
}

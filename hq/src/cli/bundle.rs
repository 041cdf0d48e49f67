//! `bundle`: work that came by file, and the receipt that goes back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use sync_protocol::bundle::BundleError;
use sync_protocol::conversation::ReadError;
use sync_protocol::parcel::ParcelError;

use crate::bundles::{self, BundleFault, Refusal, Taken};
use crate::cli::Room;
use crate::cli::answer::{Answer, DAMAGED, Fault, REFUSED};
use crate::porter::{Limits, Porter};
use crate::session::{Office, SessionError};
use crate::writer::Writer;

/// What can be done with bundles.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Takes in a device's work from a file and writes the receipt for it
    Read {
        /// The file that the device wrote
        file: PathBuf,
        /// Where the receipt goes
        #[arg(long, value_name = "OUT")]
        receipt: PathBuf,
    },
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    let Command::Read { file, receipt } = command;
    let desk = room.open()?;
    let signer = Arc::clone(&desk.signer);
    let broken = |error: std::io::Error| Fault::new(DAMAGED, "hq.bundle.thread").because(&error);
    let writer = Writer::start(desk, super::serve::trouble).map_err(broken)?;
    let porter = Arc::new(Porter::new(Limits::none()));
    let office = Office { writer, signer, clock: room.clock, files: room.data.files(), porter };
    let taken = bundles::read(&office, file, receipt).map_err(|error| fault(error, file))?;
    Ok(Answer::new(answer(&taken, receipt), text(&taken, receipt, room)))
}

fn answer(taken: &Taken, receipt: &Path) -> serde_json::Value {
    json!({
        "bundle": records::hex::of(&taken.header.id.0),
        "replica": taken.header.author.0,
        "requests": taken.requests,
        "new_ops": taken.new_ops,
        "exceptions": taken.exceptions,
        "answers": taken.answers,
        "refused": taken.refused.iter().map(|refusal| name(*refusal)).collect::<Vec<_>>(),
        "receipt": receipt.display().to_string(),
    })
}

fn text(taken: &Taken, receipt: &Path, room: &Room) -> String {
    let facts = [
        ("replica".to_owned(), taken.header.author.0.to_string()),
        ("ops".to_owned(), taken.new_ops.to_string()),
        ("exceptions".to_owned(), taken.exceptions.to_string()),
        ("receipt".to_owned(), receipt.display().to_string()),
    ];
    let mut text = room.lang.say("hq.bundle.read", &facts);
    for refusal in [Refusal::Sealed, Refusal::Stranger, Refusal::Malformed] {
        let n = taken.refused.iter().filter(|other| **other == refusal).count();
        if n > 0 {
            let key = format!("hq.bundle.refused.{}", name(refusal));
            text.push_str(&format!("\n{}", room.lang.say(&key, &[("n".to_owned(), n.to_string())])));
        }
    }
    text
}

const fn name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Sealed => "sealed",
        Refusal::Stranger => "stranger",
        Refusal::Malformed => "malformed",
    }
}

fn fault(error: BundleFault, file: &Path) -> Fault {
    let refused = |key| Fault::new(REFUSED, key).with("file", file.display());
    let device = |reason| Fault { reason: Some(reason), ..refused("hq.bundle.device") };
    match error {
        BundleFault::File { path, source } => Fault::file(&path, &source),
        BundleFault::Bundle(error) => refused(match error {
            BundleError::NotABundle => "hq.bundle.none",
            BundleError::Header => "hq.bundle.newer",
            BundleError::CutShort => "hq.bundle.cut",
            BundleError::Damaged | BundleError::Signature => "hq.bundle.damaged",
        }),
        BundleFault::Parcel(ParcelError::Version { .. }) => refused("hq.bundle.newer"),
        BundleFault::Parcel(_) => refused("hq.bundle.sealed"),
        BundleFault::NotForHq => refused("hq.bundle.not_for_hq"),
        BundleFault::Keys(error) => error.into(),
        BundleFault::Session(SessionError::Store(error)) => error.into(),
        BundleFault::Session(SessionError::Enrol(error)) => error.into(),
        BundleFault::Session(SessionError::Unknown) => device("hq.bundle.device.unknown"),
        BundleFault::Session(SessionError::Read(ReadError::Signature)) => {
            device("hq.bundle.device.signature")
        }
        BundleFault::Session(SessionError::Read(_) | SessionError::Order) => {
            device("hq.bundle.device.unread")
        }
        BundleFault::Session(SessionError::NotKept(_) | SessionError::Later(_)) => {
            refused("hq.bundle.not_kept")
        }
    }
}

//! `trail`: the audit trail as a file, and whether one is whole.

use std::io::BufReader;
use std::path::PathBuf;

use records::time::Day;
use serde_json::json;
use sync_protocol::sign::PublicKey;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, REFUSED};
use crate::cli::office::say;
use crate::money::trail::{self, Broken, Span};

/// What can be done with the audit trail.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Writes every decision into a file, chained and signed
    Export {
        /// From this day on
        #[arg(long, value_name = "DAY")]
        since: Option<Day>,
        /// To this day
        #[arg(long, value_name = "DAY")]
        until: Option<Day>,
        /// The file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Looks whether a file is whole; with --key it needs no headquarters
    Verify {
        /// The file
        file: PathBuf,
        /// The key that must have sealed it, in hexadecimal; without it this headquarters'
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::Export { since, until, out } => {
            let mut desk = room.open()?;
            let span = Span { since: *since, until: *until };
            let trail = desk.trail(span)?;
            std::fs::write(out, &trail.text).map_err(|error| Fault::file(out, &error))?;
            let key = records::hex::of(&desk.signer.public().0);
            let json = json!({
                "file": out.display().to_string(), "decisions": trail.decisions, "last": trail.last, "key": key,
            });
            let facts = [
                ("n", trail.decisions.to_string()),
                ("file", out.display().to_string()),
                ("last", trail.last),
                ("key", key),
            ];
            Ok(Answer::new(json, say(room.lang, "hq.trail.exported", &facts)))
        }
        Command::Verify { file, key } => {
            let key = match key {
                Some(key) => records::hex::read(key).and_then(|key| key.try_into().ok()).map(PublicKey),
                None => Some(room.open()?.signer.public()),
            };
            let key = key.ok_or_else(|| Fault::usage("hq.trail.key"))?;
            let open = std::fs::File::open(file).map_err(|error| Fault::file(file, &error))?;
            match trail::verify(BufReader::new(open), key) {
                Ok(verified) => {
                    let facts = [("n", verified.decisions.to_string()), ("last", verified.last.clone())];
                    let json = json!({
                        "whole": true, "decisions": verified.decisions, "last": verified.last, "key": verified.key,
                    });
                    Ok(Answer::new(json, say(room.lang, "hq.trail.whole", &facts)))
                }
                Err(Broken::File(error)) => Err(Fault::file(file, &error)),
                Err(broken) => Err(fault(&broken)),
            }
        }
    }
}

/// Names the first line where it shows.
pub(crate) fn fault(broken: &Broken) -> Fault {
    let (key, line, says) = match broken {
        Broken::File(_) => ("hq.trail.not_a_line", 0, 0),
        Broken::NotALine { line } => ("hq.trail.not_a_line", *line, 0),
        Broken::OutOfPlace { line, says } => ("hq.trail.out_of_place", *line, *says),
        Broken::Changed { line } => ("hq.trail.changed", *line, 0),
        Broken::CutOff { line } => ("hq.trail.cut_off", *line, 0),
        Broken::Seal { line } => ("hq.trail.seal", *line, 0),
        Broken::Behind { line } => ("hq.trail.behind", *line, 0),
    };
    Fault { rule: "H-50".into(), ..Fault::new(REFUSED, key) }.with("line", line).with("says", says)
}

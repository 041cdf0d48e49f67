//! `init`: a new headquarters.

use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};

/// What `init` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where devices reach this headquarters; stands in enrolment codes
    #[arg(long, default_value = "http://127.0.0.1:7400", value_name = "URL")]
    address: String,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let made = match &room.database {
        None => room.data.init(&args.address),
        Some(url) => room.data.init_at_server(&args.address, url),
    };
    made.map_err(|error| Fault::from(error).with("address", &args.address))?;
    let text = room.lang.say("hq.init.done", &[("address".into(), args.address.clone())]);
    Ok(Answer::new(json!({"address": args.address}), text))
}

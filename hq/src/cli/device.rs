//! `device`: codes for new devices, and how each device stands.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use records::id::{DocId, Replica};
use records::machine::State;
use records::time::{Ts, Zone};
use serde_json::{Value, json};
use sync_protocol::sign::PublicKey;

use crate::cli::Room;
use crate::cli::answer::{Answer, DAMAGED, Fault, Lang, REFUSED};
use crate::cli::office::{Acts, act, person_text, say};
use crate::cli::table::table;
use crate::data;
use crate::intake::desk::Desk;
use crate::rescue::RescueFault;
use crate::store::devices::{Device, Standing};

/// The longest request that is looked at.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

/// What can be done with devices.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Prints an enrolment code for a new device of somebody's
    Code {
        /// His staff code
        #[arg(long)]
        staff: String,
        /// Where the device reaches headquarters, if not at the address of `init`
        #[arg(long, value_name = "URL")]
        address: Option<String>,
        /// Writes the code into a file
        #[arg(long, alias = "out", value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Lists devices
    List,
    /// Ends a device's part: what it still sends waits for a person, nothing goes to it
    Revoke {
        /// Its short id, or its record
        id: String,
    },
    /// Reports a device lost
    Lost {
        /// Its short id, or its record
        id: String,
    },
    /// Lets another device of somebody's give his claim numbers
    Lease {
        /// His staff code
        #[arg(long)]
        staff: String,
        /// The device: its short id, or its record
        #[arg(long)]
        to: String,
        /// The first number, where paper tells of more than headquarters knows
        #[arg(long, value_name = "N")]
        next: Option<u32>,
    },
    /// Gives the key of a device whose PIN is forgotten back to that device
    Rescue {
        /// The request that the device wrote
        file: PathBuf,
        /// Where the answer goes
        #[arg(long, value_name = "ANSWER")]
        out: PathBuf,
        #[command(flatten)]
        acts: Acts,
        /// Why
        #[arg(long, value_name = "WHY")]
        reason: String,
    },
    /// Confirms a second key, and takes in what waits for a person
    Confirm {
        /// Its short id, or its record
        id: String,
        /// The key's fingerprint, as `status` shows it on the device, where several keys wait
        #[arg(long, value_name = "FINGERPRINT")]
        key: Option<String>,
    },
}

pub(super) fn run(command: Command, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let now = room.clock.now_ms();
    match command {
        Command::Code { staff, address, file } => {
            code(&mut desk, &staff, address.as_deref(), file.as_deref(), now)
        }
        Command::List => list(&mut desk, room.lang),
        Command::Revoke { id } => stand(&mut desk, &id, ("revoke", Standing::Revoked), room),
        Command::Lost { id } => stand(&mut desk, &id, ("lose", Standing::Lost), room),
        Command::Lease { staff, to, next } => lease(&mut desk, &staff, (&to, next), room),
        Command::Rescue { file, out, acts, reason } => rescue(&file, &out, (&acts, &reason), room),
        Command::Confirm { id, key } => confirm(&mut desk, &id, key.as_deref(), room),
    }
}

fn code(
    desk: &mut Desk,
    staff: &str,
    address: Option<&str>,
    file: Option<&Path>,
    now: u64,
) -> Result<Answer, Fault> {
    if address.is_some_and(|address| crate::tls::host(address).is_none()) {
        return Err(Fault::usage("hq.address").with("address", address.unwrap_or_default()));
    }
    let reach = data::reach(&desk.store, address)?;
    // Opened first: a code that nobody could read would be a device that nobody has.
    let mut open = file.map(private).transpose()?;
    let enrolment = desk
        .transact(|desk| desk.issue_code(staff, &reach, now))
        .map_err(|error| Fault::from(error).with("staff", staff))?;
    let code = enrolment.to_code();
    if let (Some(open), Some(file)) = (&mut open, file) {
        writeln!(open, "{code}").map_err(|error| Fault::file(file, &error))?;
    }
    let json = json!({
        "code": code,
        "replica": enrolment.replica.0,
        "staff": enrolment.staff_code,
        "address": enrolment.address,
        "expires": instant(enrolment.expires_ms),
    });
    Ok(Answer::new(json, code))
}

/// The code holds a one-time secret: nobody else on the machine reads it.
fn private(path: &Path) -> Result<std::fs::File, Fault> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Fault::file(path, &error))
}

fn instant(ms: u64) -> String {
    Ts(i64::try_from(ms).unwrap_or(i64::MAX)).rfc3339(Zone::SHANGHAI)
}

fn state(standing: Standing) -> Option<&'static State> {
    let states = records::kinds::device::DEVICE_MACHINE.states;
    states.get(usize::from(standing as u8))
}

fn name(standing: Standing) -> &'static str {
    state(standing).map_or("", |state| state.name)
}

fn label(standing: Standing, lang: Lang) -> &'static str {
    state(standing).map_or("", |state| lang.words().pick(state.zh, state.en))
}

fn minute(ms: u64) -> String {
    Ts(i64::try_from(ms).unwrap_or(i64::MAX)).minute(Zone::SHANGHAI)
}

fn list(desk: &mut Desk, lang: Lang) -> Result<Answer, Fault> {
    let people = desk.people()?;
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    let rotation = desk.rotation().ok().filter(|rotation| rotation.next.is_some());
    for device in desk.store.devices(None)? {
        let person = device.staff.and_then(|staff| people.staff.get(&staff));
        let (staff, name_of_person) = person.map_or(("", ""), |person| (&person.code, &person.name));
        let held_back = desk.store.held_back(device.replica)?.len();
        let keys: Vec<String> =
            desk.keys_waiting(device.replica)?.iter().map(PublicKey::fingerprint).collect();
        let knows = rotation.as_ref().filter(|_| device.standing.takes_part());
        let knows = knows.map(|rotation| rotation.known.contains(&device.replica));
        lines.push(vec![
            device.replica.0.to_string(),
            staff.to_owned(),
            name_of_person.to_owned(),
            device.name.clone(),
            label(device.standing, lang).to_owned(),
            device.seen_ms.map(minute).unwrap_or_default(),
            notes(&device, held_back, &keys, knows == Some(false), lang),
        ]);
        rows.push(json!({
            "replica": device.replica.0,
            "id": device.document.map(|id| id.to_string()),
            "code": device.document.map(|id| id.code()),
            "staff": staff,
            "staff_name": name_of_person,
            "name": device.name,
            "state": name(device.standing),
            "last_seen": device.seen_ms.map(instant),
            "level": device.level,
            "copied": device.copied,
            "clock_skew_ms": device.skew_ms,
            "waiting_segments": held_back,
            "waiting_keys": keys,
            "knows_next_key": knows,
        }));
    }
    let titles = ["replica", "staff", "name", "device", "state", "last_seen", "notes"]
        .map(|column| lang.say(&format!("hq.column.{column}"), &[]));
    let text = if lines.is_empty() { lang.say("hq.device.none", &[]) } else { table(&titles, lines) };
    Ok(Answer::new(Value::Array(rows), text))
}

/// What somebody should look at.
fn notes(device: &Device, held_back: usize, keys: &[String], lacks_key: bool, lang: Lang) -> String {
    let mut notes = Vec::new();
    if device.copied {
        notes.push(lang.say("hq.device.copied", &[]));
    }
    if held_back > 0 {
        notes.push(lang.say("hq.device.waiting", &[("n".to_owned(), held_back.to_string())]));
    }
    if !keys.is_empty() {
        notes.push(lang.say("hq.device.waiting_keys", &[("keys".to_owned(), keys.join(" "))]));
    }
    if lacks_key {
        notes.push(lang.say("hq.device.lacks_key", &[]));
    }
    notes.join("; ")
}

fn find(desk: &Desk, id: &str) -> Result<Device, Fault> {
    let unknown = || Fault::new(REFUSED, "hq.device.unknown").with("id", id);
    if let Ok(replica) = id.parse::<u32>() {
        return desk.store.device(Replica(replica))?.ok_or_else(unknown);
    }
    let found: Vec<DocId> = desk.store.find(id)?;
    let named = |device: &Device| device.document.is_some_and(|document| found.contains(&document));
    let mut devices = desk.store.devices(None)?.into_iter().filter(named);
    match (devices.next(), devices.next()) {
        (Some(device), None) => Ok(device),
        (Some(_), Some(_)) => Err(Fault::new(REFUSED, "hq.device.ambiguous").with("id", id)),
        _ => Err(unknown()),
    }
}

fn stand(desk: &mut Desk, id: &str, (step, to): (&str, Standing), room: &Room) -> Result<Answer, Fault> {
    let now = room.clock.now_ms();
    // Looked up in the transaction: a server may be changing the device's line meanwhile.
    let device = desk.transact(|desk| {
        let mut device = find(desk, id)?;
        if device.standing != to {
            desk.stand(&mut device, (step, ""), to, now)?;
        }
        Ok::<_, Fault>(device)
    })?;
    let facts = [
        ("id".to_owned(), device.replica.0.to_string()),
        ("state".to_owned(), label(to, room.lang).to_owned()),
    ];
    Ok(Answer::new(
        json!({"replica": device.replica.0, "state": name(to)}),
        room.lang.say("hq.device.stands", &facts),
    ))
}

fn lease(
    desk: &mut Desk,
    staff: &str,
    (to, next): (&str, Option<u32>),
    room: &Room,
) -> Result<Answer, Fault> {
    let now = room.clock.now_ms();
    let moved = desk.transact(|desk| {
        let device = find(desk, to)?;
        desk.move_lease(staff, &device, next, now)
            .map_err(|error| Fault::from(error).with("staff", staff).with("id", device.replica.0))
    })?;
    let turn = moved.turn;
    let runs = moved.burned.iter().map(|(first, last)| format!("{first}–{last}")).collect::<Vec<_>>();
    let facts = [
        ("staff".to_owned(), staff.to_owned()),
        ("id".to_owned(), turn.replica.0.to_string()),
        ("next".to_owned(), turn.next.to_string()),
        ("burned".to_owned(), runs.join(", ")),
    ];
    let key = if runs.is_empty() { "hq.lease.moved" } else { "hq.lease.moved_burned" };
    let burned: Vec<Value> =
        moved.burned.iter().map(|(first, last)| json!({"first": first, "last": last})).collect();
    let json = json!({
        "staff": staff,
        "replica": turn.replica.0,
        "epoch": turn.epoch,
        "year": turn.year,
        "next": turn.next,
        "burned": burned,
    });
    Ok(Answer::new(json, room.lang.say(key, &facts)))
}

fn rescue(file: &Path, out: &Path, (acts, reason): (&Acts, &str), room: &Room) -> Result<Answer, Fault> {
    let mut request = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(REQUEST_BYTES_MAX).read_to_end(&mut request))
        .map_err(|error| Fault::file(file, &error))?;
    let refused = |error| rescue_fault(error, file, room.lang);
    let (rescued, mut desk) = act(room, acts, |desk, actor, now_ms| {
        Ok(desk.rescue(&request, actor, reason, now_ms).map_err(refused))
    })?;
    let rescued = rescued?;
    private(out)?.write_all(&rescued.answer).map_err(|error| Fault::file(out, &error))?;
    let (staff, id) = (person_text(&mut desk, rescued.device.staff)?, rescued.device.replica.0);
    let (out, request) = (out.display().to_string(), rescued.request);
    let facts =
        [("id", id.to_string()), ("staff", staff), ("file", out.clone()), ("request", request.clone())];
    let json = json!({"replica": id, "file": out, "request": request});
    Ok(Answer::new(json, say(room.lang, "hq.rescue.done", &facts)))
}

fn rescue_fault(error: RescueFault, file: &Path, lang: Lang) -> Fault {
    match error {
        RescueFault::Request(_) => Fault::usage("hq.rescue.damaged").with("file", file.display()),
        RescueFault::NotOurs => Fault::new(REFUSED, "hq.rescue.not_ours").with("file", file.display()),
        RescueFault::Unknown(id) => Fault::new(REFUSED, "hq.device.unknown").with("id", id),
        RescueFault::Gone { id, standing } => {
            Fault::new(REFUSED, "hq.rescue.gone").with("id", id).with("state", label(standing, lang))
        }
        RescueFault::OtherKey { id, key } => {
            Fault::new(REFUSED, "hq.rescue.other_key").with("id", id).with("key", key)
        }
        RescueFault::NotAdmin(staff) => Fault::new(REFUSED, "hq.rescue.not_admin").with("staff", staff),
        RescueFault::NoReason => Fault::new(REFUSED, "hq.rescue.no_reason"),
        RescueFault::Store(error) => error.into(),
        RescueFault::Keys(_) => Fault::new(DAMAGED, "hq.damaged").with("what", "random numbers"),
    }
}

fn confirm(desk: &mut Desk, id: &str, key: Option<&str>, room: &Room) -> Result<Answer, Fault> {
    let device = find(desk, id)?;
    let now = room.clock.now_ms();
    let taken = desk.transact(|desk| desk.confirm(device.replica, key, now))?;
    let facts = [("ops".to_owned(), taken.to_string())];
    let text = room.lang.say("hq.device.confirmed", &facts);
    Ok(Answer::new(json!({"replica": device.replica.0, "ops": taken}), text))
}

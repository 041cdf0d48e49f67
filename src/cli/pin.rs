//! `pin`: the home's PIN set, taken away, given for a time, and what to do where it is forgotten.

use std::path::Path;

use records::time::{Ts, Zone};
use serde_json::{Value, json};

use crate::cli::Streams;
use crate::cli::args::Pin as Command;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::progress::Progress;
use crate::cli::secrets;
use crate::cli::status::duration;
use crate::keys::Access;
use crate::keys::secret::{DataKey, Pin, THIEF_CORES};
use crate::notebook::refusal::NotebookError;
use crate::notebook::terms::unlock_minutes;
use crate::store::Store;
use crate::store::error::StoreError;
use crate::vault::rescue::{self, Failed};
use crate::vault::{self, Managed, Standing};

/// The longest answer of headquarters that is looked at.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Runs a command on the PIN. None of them ever takes a record away.
pub(crate) fn run(command: &Command, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    match command {
        Command::Set => set(desk, streams),
        Command::Remove => {
            only_with_pin(desk)?;
            vault::remove_pin(&by_pin(desk, streams)?).map_err(broken)?;
            Ok(done(desk, json!({"pin_set": false}), "text.pin.removed", &[]))
        }
        Command::Unlock => unlock(desk, streams),
        Command::Lock => {
            only_with_pin(desk)?;
            vault::lock(&desk.home).map_err(broken)?;
            crate::web::lend::lock(&desk.home);
            Ok(done(desk, json!({"pin_set": true, "locked": true}), "text.pin.locked", &[]))
        }
        Command::Rescue { out: Some(out), .. } => ask(out, desk),
        Command::Rescue { answer: Some(answer), .. } => hear(answer, desk, streams),
        Command::Rescue { .. } => Err(Fault::new(Exit::Usage, "error.pin.rescue_how")),
    }
}

fn broken(error: StoreError) -> Fault {
    NotebookError::from(error).into()
}

fn only_with_pin(desk: &Desk) -> Result<(), Fault> {
    match vault::standing(&desk.home, desk.clock.now()).map_err(broken)? {
        Standing::NoPin => Err(Fault::new(Exit::Refused, "error.pin.none")),
        Standing::Pin { .. } => Ok(()),
    }
}

/// Opens the home by its PIN, whatever unlock there is: who holds the device need not be its owner.
fn by_pin(desk: &Desk, streams: &mut Streams<'_>) -> Result<Store, Fault> {
    let _ = crate::web::lend::ask(&desk.home);
    let pin = secrets::current(desk, streams)?;
    let bar = Progress::waiting("text.progress.pin", desk);
    let store = vault::open_by_pin(&desk.home, &pin, desk.clock.now()).map_err(broken)?;
    drop(bar);
    Ok(store)
}

fn set(desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    let now = desk.clock.now();
    let (store, environment) = match vault::standing(&desk.home, now).map_err(broken)? {
        Standing::NoPin => {
            let _ = crate::web::lend::ask(&desk.home);
            (Store::open(&desk.home, now).map_err(broken)?, desk.pin.as_ref())
        }
        Standing::Pin { .. } => (by_pin(desk, streams)?, None),
    };
    set_on(&store, environment, desk, streams)
}

/// Asks for the new PIN of an open home and puts it on.
fn set_on(
    store: &Store,
    environment: Option<&Pin>,
    desk: &Desk,
    streams: &mut Streams<'_>,
) -> Result<Page, Fault> {
    let mut pin = secrets::new(environment, desk, streams)?;
    let bar = Progress::waiting("text.progress.pin", desk);
    let managed = vault::managed().map_err(broken)?;
    drop(bar);
    if pin.is_weak() {
        // Where standard error is closed, the answer still says it.
        let _ = writeln!(streams.err, "{}", weakness(&pin, managed, desk));
        pin = secrets::better(pin, desk)?;
    }
    vault::set_pin(store, &pin, managed.params).map_err(broken)?;
    Ok(answered(&pin, managed, desk))
}

/// Says what the PIN would cost a thief who has copied the home.
fn weakness(pin: &Pin, managed: Managed, desk: &Desk) -> String {
    let time = long(pin.falls_in_s(managed.try_ms), desk);
    desk.lang.say("text.pin.weak", &[("time", &time), ("cores", &THIEF_CORES.to_string())])
}

/// Returns a length of time in its largest whole unit, years included.
fn long(seconds: u64, desk: &Desk) -> String {
    const YEAR_S: u64 = 365 * 86_400;
    match seconds / YEAR_S {
        0 => duration(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX), desk.lang),
        years => desk.lang.say("text.time.years", &[("n", &years.to_string())]),
    }
}

fn answered(pin: &Pin, managed: Managed, desk: &Desk) -> Page {
    let (memory, passes, lanes) = managed.params.told();
    let answer = json!({
        "pin_set": true,
        "memory_mib": memory,
        "passes": passes,
        "lanes": lanes,
        "try_ms": managed.try_ms,
        "weak": pin.is_weak(),
        "falls_in_s": pin.falls_in_s(managed.try_ms),
    });
    let facts = [("memory", memory.to_string()), ("ms", managed.try_ms.to_string())];
    done(desk, answer, "text.pin.set", &facts)
}

fn unlock(desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    only_with_pin(desk)?;
    let store = by_pin(desk, streams)?;
    let now = desk.clock.now();
    let minutes = unlock_minutes(&store, now).map_err(broken)?;
    let until = vault::keep_unlocked(&store, minutes, now).map_err(broken)?;
    let zone = store.zone();
    let answer = json!({"pin_set": true, "unlocked_until": until.map(|ms| Ts(ms).rfc3339(zone))});
    Ok(match until {
        Some(ms) => done(desk, answer, "text.pin.unlocked", &[("until", Ts(ms).minute(zone))]),
        None => done(desk, answer, "text.pin.not_kept", &[]),
    })
}

/// Writes what an administrator of headquarters needs to give the key back.
fn ask(out: &Path, desk: &Desk) -> Result<Page, Fault> {
    let _ = crate::web::lend::ask(&desk.home);
    let asked = rescue::ask(&desk.home, desk.clock.now()).map_err(|error| failed(error, out))?;
    std::fs::write(out, &asked.bytes).map_err(|error| Fault::file(out, &error))?;
    let file = out.display().to_string();
    let answer = json!({"file": file, "replica": asked.replica, "key": asked.key, "request": asked.request});
    let facts = [("file", file), ("replica", asked.replica.to_string()), ("request", asked.request)];
    Ok(done(desk, answer, "text.pin.rescue_asked", &facts))
}

/// Opens the home by headquarters' answer and asks for a new PIN.
fn hear(file: &Path, desk: &Desk, streams: &mut Streams<'_>) -> Result<Page, Fault> {
    let _ = crate::web::lend::ask(&desk.home);
    let key: DataKey = rescue::hear(&desk.home, &read(file)?).map_err(|error| failed(error, file))?;
    let store = Store::open_by(&desk.home, Access::By(&key), desk.clock.now()).map_err(broken)?;
    let page = set_on(&store, desk.pin.as_ref(), desk, streams)?;
    rescue::done(&desk.home).map_err(broken)?;
    Ok(page)
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| Fault::file(file, &error))?;
    Ok(bytes)
}

fn failed(error: Failed, file: &Path) -> Fault {
    let named = |exit, key| Fault::new(exit, key).with("file", &file.display());
    match error {
        Failed::Store(error) => broken(error),
        Failed::NoPin => Fault::new(Exit::Refused, "error.pin.none"),
        Failed::NotAsked => Fault::new(Exit::Refused, "error.pin.not_asked"),
        Failed::NotForThis => named(Exit::Refused, "error.pin.not_for_this"),
        Failed::Answer(_) => named(Exit::Usage, "error.pin.no_answer"),
    }
}

fn done(desk: &Desk, answer: Value, key: &str, facts: &[(&str, String)]) -> Page {
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    desk.page(|| answer, |desk| desk.lang.say(key, &facts) + "\n")
}

/// Returns whether the home has a PIN and until when an unlock holds, as `status` and `doctor` answer it.
pub(crate) fn standing_json(standing: Standing, zone: Zone) -> (Value, Value) {
    match standing {
        Standing::NoPin => (false.into(), Value::Null),
        Standing::Pin { unlocked_until_ms, .. } => {
            (true.into(), unlocked_until_ms.map(|ms| Ts(ms).rfc3339(zone)).into())
        }
    }
}

/// Returns the same for a person; a home without a PIN says so.
pub(crate) fn standing_text(standing: Standing, zone: Zone, desk: &Desk) -> String {
    match standing {
        Standing::NoPin => {
            desk.style.paint(crate::cli::table::Tone::Bad, &desk.lang.say("text.status.no_pin", &[]))
        }
        Standing::Pin { unlocked_until_ms: Some(ms), .. } => {
            desk.lang.say("text.status.pin_until", &[("until", &Ts(ms).minute(zone))])
        }
        Standing::Pin { unlocked_until_ms: None, .. } => desk.lang.say("text.status.pin", &[]),
    }
}

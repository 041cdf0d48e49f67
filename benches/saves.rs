//! What it costs to save a sheet so that a power cut cannot take it back, against a bare append to the same disk.
//!
//! `cargo bench --bench saves -- HOME MAPPING SHEETS`: every row of SHEETS is saved by itself in HOME, an enrolled
//! device's folder; `cargo xtask bench` makes one and reads the answer. All times are in microseconds.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::error::Error;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fieldbook::clock::{Clock, Now};
use fieldbook::store::Store;
use fieldbook::store::write::{NewOp, On};
use records::decision::{DECISION_TAG, Decision};
use records::kinds::staff::Role;
use records::table::mapping::Mapping;
use records::table::rows::{Row, Rows, Wanted};
use sync_protocol::op::Write;

/// Saves between two stretches of bare appends: a disk's mood changes within seconds.
const STRETCH: usize = 500;
/// Bare appends of a stretch.
const APPENDS: usize = 100;
/// About a sealed sheet's frame in the journal.
const APPEND_BYTES: usize = 400;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> =
        std::env::args_os().skip(1).filter(|arg| arg != "--bench").map(PathBuf::from).collect();
    let [home, mapping, sheets] = paths.as_slice() else {
        // `cargo bench` without arguments, and every build of all targets, pass here.
        println!("usage: cargo bench --bench saves -- HOME MAPPING SHEETS");
        return Ok(());
    };
    let now = Clock::system().now();
    let mut store = Store::open(home, now)?;
    let rows = rows(&store, mapping, sheets, now)?;
    let mut bare = Bare::beside(home)?;
    let (mut saves, mut appends) = (Vec::new(), Vec::new());
    for stretch in rows.chunks(STRETCH) {
        for _ in 0..APPENDS {
            appends.push(timed(|| bare.append())?);
        }
        for row in stretch {
            let op = sealed(row);
            saves.push(timed(|| store.save(vec![op], now))?);
        }
    }
    let thousand = saves.len().min(1000);
    let answer = serde_json::json!({
        "saves": saves.len(),
        "save_us": middle(&saves),
        "first_thousand_us": middle(saves.get(..thousand).unwrap_or_default()),
        "last_thousand_us": middle(saves.get(saves.len() - thousand..).unwrap_or_default()),
        "append_us": middle(&appends),
        "all_us": micros(saves.iter().sum()),
    });
    println!("{answer}");
    Ok(())
}

/// A file to which bytes are appended and synced, and nothing else is done.
struct Bare(File);

impl Bare {
    fn beside(home: &Path) -> std::io::Result<Self> {
        File::create(home.join("bare-append")).map(Self)
    }

    fn append(&mut self) -> std::io::Result<()> {
        self.0.write_all(&[7; APPEND_BYTES])?;
        self.0.sync_data()
    }
}

fn rows(store: &Store, mapping: &Path, sheets: &Path, now: Now) -> Result<Vec<Row>, Box<dyn Error>> {
    let zone = store.identity().enrolment.zone;
    let wanted = Wanted {
        mapping: Some(Mapping::parse(&std::fs::read_to_string(mapping)?)?),
        kind: None,
        zone,
        today: now.wall.day(zone),
    };
    let rows = Rows::open(File::open(sheets)?, wanted)?;
    Ok(rows.filter_map(Result::ok).collect())
}

/// The op of a sheet that comes in sealed.
fn sealed(row: &Row) -> NewOp {
    let mut writes: Vec<Write> =
        row.payloads().into_iter().map(|(tag, bytes)| Write { tag, bytes }).collect();
    writes.extend(row.then.first().map(|step| {
        let decision = Decision {
            step: *step,
            role: Role::ENGINEER,
            on_behalf_of: None,
            to: None,
            reason: String::new(),
            saw: None,
            picks: None,
        };
        let bytes = postcard::to_allocvec(&decision).unwrap_or_default();
        Write { tag: DECISION_TAG, bytes }
    }));
    writes.sort_by_key(|write| write.tag);
    NewOp { kind: row.kind.number, schema: row.kind.schema, on: On::Create, writes, local: None }
}

#[expect(clippy::disallowed_methods, reason = "a measurement has a clock")]
fn timed<T, E>(act: impl FnOnce() -> Result<T, E>) -> Result<Duration, E> {
    let start = std::time::Instant::now();
    act()?;
    Ok(start.elapsed())
}

fn middle(times: &[Duration]) -> u64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().map_or(0, micros)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

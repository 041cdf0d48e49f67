//! Clocks that jump: between saves, across boots, while it syncs, and at headquarters; nothing is refused, lost or reordered.

use fieldbook::clock::{Clock, Now};
use fieldbook::store::Store;
use fieldbook::sync::{self, Options};
use fieldbook::transport::{Transport, TransportError};
use records::id::OpId;
use records::time::Ts;

use crate::dice::Dice;
use crate::office::FOUNDED_MS;
use crate::scene::{NOW, Scene};
use crate::tally::{Came, Tally, rounds, seed};
use crate::victim::record_at;

const DAY_MS: i64 = 86_400_000;
/// How far a clock jumps.
const JUMPS_MS: [i64; 7] =
    [-20 * 365 * DAY_MS, -DAY_MS, -3_600_000, -1, 3_600_000, 40 * DAY_MS, 3 * 365 * DAY_MS];

#[test]
fn of_devices_and_headquarters() {
    let scene = Scene::set(seed("clocks"), 4);
    scene.whole.lay(&scene.home());
    let (mut dice, mut tally) = (Dice::of(seed("clocks")), Tally::default());
    let (mut now, mut hq_ms, mut told) = (NOW, FOUNDED_MS + 20_000_000, Vec::new());
    for round in 0..rounds(60) {
        let jump = JUMPS_MS[dice.below(JUMPS_MS.len())];
        match dice.below(3) {
            0 => now = Now { wall: Ts(NOW.wall.0 + jump), ..now },
            1 => now = Now { wall: Ts(NOW.wall.0 + jump), boot: now.boot + 1, monotonic_ms: 0, ..now },
            _ => hq_ms = (FOUNDED_MS + 20_000_000).saturating_add_signed(jump.max(-DAY_MS)),
        }
        let mut store = Store::open(&scene.home(), now).expect("a home that opens");
        let mark = format!("jump {round}");
        record_at(&mut store, &mark, now);
        told.push(mark);
        let hears = |body: &[u8]| {
            let heard = scene.hq.borrow().hears(body, &[], true, hq_ms);
            heard.ok().flatten().ok_or(TransportError::Status(400))
        };
        // The clock of the device jumps once more while it syncs.
        let clock = Clock::starting(Ts(now.wall.0 + JUMPS_MS[dice.below(JUMPS_MS.len())]));
        let options = Options { retries: 0, wait_ms: 0, ..Options::default() };
        let report = sync::sync_by(Transport::by(Box::new(hears)), &mut store, &clock, options, &mut |_| {});
        let report = report.unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(report.level && report.forked.is_empty(), "round {round}: {report:?}");
        assert_eq!(store.counts().expect("a whole home").unsent_ops, 0, "round {round}");
        tally.note(Came::Harmless);
    }
    let store = Store::open(&scene.home(), now).expect("a home that opens");
    let found = crate::kills::marks(&store);
    let missing: Vec<&String> = told.iter().filter(|mark| found.get(*mark) != Some(&1)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(store.doctor().expect("a doctor").faults, []);
    assert!(stamps_rise(&store), "a stamp went back");
    tally.print("clock jumps");
}

/// Stamps follow the order of the saves, whatever the clock says.
fn stamps_rise(store: &Store) -> bool {
    let (mut before, mut rise): (Option<(OpId, u64)>, bool) = (None, true);
    store
        .each_op(&mut |id, row| {
            let same = before.filter(|(up, _)| (up.replica, up.epoch) == (id.replica, id.epoch));
            rise &= same.is_none_or(|(_, ms)| ms <= row.stamp.ms);
            before = Some((id, row.stamp.ms));
        })
        .expect("a whole home");
    rise
}

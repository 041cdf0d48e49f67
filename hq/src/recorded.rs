//! When something was really recorded: a device's clock may be hours or years off, the office reads HQ's.
//!
//! Source: docs/PROTOCOL.md, Clocks.

use records::id::OpId;
use sync_protocol::asides::ClockRun;
use sync_protocol::chain::Line;
use sync_protocol::limits::{CLOCK_OFF_MS, SEQ_MAX, STAMP_AHEAD_MS};
use sync_protocol::stamp::Stamp;

use crate::intake::desk::Desk;
use crate::store::StoreError;
use crate::store::devices::Device;
use crate::store::log::Came;

/// Runs that are heard in one request.
const RUNS_MAX: usize = 64;
/// So long after ops came their device may say under what clock it saved them: the word may come with a later request of
/// the same sync, where the line broke.
const HEARD_MS: u64 = 10 * 60 * 1000;

/// When an op was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// By HQ's clock, as near as can be told; never after it came. Milliseconds UTC.
    pub at_ms: u64,
    /// As its device had it, milliseconds UTC.
    pub device_ms: u64,
    /// When it came, and from what clock.
    pub came: Came,
}

/// What is to be said of the clock that something was written under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing: it was right, or nobody can say.
    Nothing,
    /// It was slow by so many milliseconds.
    Slow(u64),
    /// It was fast by so many milliseconds.
    Fast(u64),
    /// It is right now, and ran ahead when this was written.
    RanAhead,
}

impl Recorded {
    /// Reckons from an op's stamp and how far its device's clock was off when it was pushed.
    #[must_use]
    pub fn of(stamp: Stamp, came: Came) -> Self {
        let skew_ms = came.skew_ms.filter(|skew| skew.unsigned_abs() >= CLOCK_OFF_MS).unwrap_or(0);
        // A slow clock that was once ahead gives stamps above its wall time: they are no later than their arrival.
        let at_ms = stamp.ms.saturating_add_signed(skew_ms.saturating_neg()).min(came.received_ms);
        Self { at_ms, device_ms: stamp.ms, came }
    }

    /// Returns what is to be said of the clock.
    #[must_use]
    pub fn told(&self) -> Told {
        let ahead = self.device_ms > self.came.received_ms.saturating_add(STAMP_AHEAD_MS);
        match self.came.skew_ms {
            Some(skew) if skew.unsigned_abs() >= CLOCK_OFF_MS && skew < 0 => Told::Slow(skew.unsigned_abs()),
            Some(skew) if skew.unsigned_abs() >= CLOCK_OFF_MS => Told::Fast(skew.unsigned_abs()),
            _ if ahead => Told::RanAhead,
            _ => Told::Nothing,
        }
    }
}

impl Desk {
    /// Hears under what clock a device saved ops before it was set. Of ops that came longer ago it says so too late: when
    /// they were recorded stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn hear_clocks(&mut self, device: &Device, runs: &[ClockRun], now_ms: u64) -> Result<(), StoreError> {
        for run in runs.iter().take(RUNS_MAX).filter(|run| run.first <= run.last && run.last <= SEQ_MAX) {
            let line = (device.replica, run.epoch);
            let Some(held) = self.store.line(device.branch, line)? else { continue };
            let last = run.last.min(held.last);
            let first = self.came_since(device.branch, line, (run.first, last), now_ms)?;
            if first <= last {
                let skew_ms = device.skew_ms.saturating_add(run.shift_ms);
                self.store.clock_put(device.branch, line, (first, last), skew_ms)?;
            }
        }
        Ok(())
    }

    /// Returns the first of some ops of a line that came just now; one behind the last where none did. A line grows at its
    /// end, so a later op never came before an earlier one.
    fn came_since(
        &self,
        branch: u32,
        line: Line,
        (first, last): (u64, u64),
        now_ms: u64,
    ) -> Result<u64, StoreError> {
        let (mut from, mut to) = (first.max(1), last.saturating_add(1));
        while from < to {
            let middle = from + (to - from) / 2;
            let came = self.store.came(branch, line, middle)?;
            if came.is_some_and(|came| came.received_ms.saturating_add(HEARD_MS) >= now_ms) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        Ok(from)
    }

    /// Returns when an op was recorded; `None` where HQ does not hold it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn recorded(&mut self, op: OpId, stamp: Stamp) -> Result<Option<Recorded>, StoreError> {
        let Some(branch) = self.home(op.replica)? else {
            return Ok(None);
        };
        let came = self.store.came(branch, (op.replica, op.epoch), op.seq)?;
        Ok(came.map(|came| Recorded::of(stamp, came)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_300_000_000;
    const HOUR: i64 = 60 * 60 * 1000;

    #[track_caller]
    fn check(stamp_ms: u64, skew_ms: Option<i64>, at_ms: u64, told: Told) {
        let came = Came { received_ms: NOW, skew_ms };
        let recorded = Recorded::of(Stamp { ms: stamp_ms, counter: 0 }, came);
        assert_eq!((recorded.at_ms, recorded.told()), (at_ms, told));
    }

    #[test]
    fn what_a_device_says_of_its_clock_long_after_its_ops_came_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let data = crate::data::Data::at(folder.path());
        data.init("http://127.0.0.1:7400").unwrap();
        let mut desk = data.open(false).unwrap();
        let device = Device::named(records::id::Replica(7), 3, (0, 0));
        desk.store.device_put(&device).unwrap();
        let line = (device.replica, records::id::Epoch(1));
        let stamp = Stamp { ms: NOW, counter: 0 };
        let row = sync_protocol::op::Row {
            kind: records::kinds::number::REPAIR,
            schema: 1,
            doc: None,
            stamp,
            seen: Vec::new(),
            forked_from: None,
            writes: Vec::new(),
        };
        let rows = vec![row; 4];
        let signer = sync_protocol::sign::Signer::from_seed(&[7; 32]).unwrap();
        let mut before = sync_protocol::chain::Link::ROOT;
        for (first, received_ms) in [(1, NOW), (3, NOW + HEARD_MS)] {
            let rows = &rows[..2];
            let run =
                sync_protocol::segment::Run { line, first, before, parent: None, test_clock: false, rows };
            let segments = sync_protocol::segment::cut(&signer, &run).unwrap();
            before = segments[0].link;
            desk.transact(|desk| desk.take(segments, received_ms)).unwrap();
        }
        let skews = |desk: &mut Desk| {
            let of = |seq| OpId { replica: line.0, epoch: line.1, seq };
            [1, 2, 3, 4].map(|seq| desk.recorded(of(seq), stamp).unwrap().unwrap().came.skew_ms)
        };
        let says = |desk: &mut Desk, shift_ms, now_ms| {
            let run = ClockRun { epoch: line.1, first: 1, last: 9, shift_ms };
            desk.hear_clocks(&device, &[run], now_ms).unwrap();
        };
        says(&mut desk, HOUR, NOW + HEARD_MS);
        assert_eq!(skews(&mut desk), [Some(HOUR); 4]);
        says(&mut desk, 2 * HOUR, NOW + HEARD_MS + 1);
        assert_eq!(skews(&mut desk), [Some(HOUR), Some(HOUR), Some(2 * HOUR), Some(2 * HOUR)]);
        says(&mut desk, 3 * HOUR, NOW + 2 * HEARD_MS + 1);
        assert_eq!(skews(&mut desk), [Some(HOUR), Some(HOUR), Some(2 * HOUR), Some(2 * HOUR)]);
    }

    #[test]
    fn a_clock_that_is_off_is_put_right_and_told_and_nothing_is_recorded_after_it_came() {
        let three = 3 * HOUR.unsigned_abs();
        check(NOW - 5, Some(0), NOW - 5, Told::Nothing);
        check(NOW - three - 7, Some(-3 * HOUR), NOW - 7, Told::Slow(three));
        check(NOW + three - 7, Some(3 * HOUR), NOW - 7, Told::Fast(three));
        // A minute is nobody's business.
        check(NOW + 9, Some(60_000), NOW, Told::Nothing);
        check(NOW - 9, Some(-60_000), NOW - 9, Told::Nothing);
        // Slow by twenty years, with stamps from before it fell back: at the latest when they came.
        check(NOW - 100, Some(-20 * 8766 * HOUR), NOW, Told::Slow((20 * 8766 * HOUR).unsigned_abs()));
        // Set right before the push.
        check(NOW + three, Some(0), NOW, Told::RanAhead);
        check(NOW - 3, None, NOW - 3, Told::Nothing);
        check(0, Some(i64::MAX), 0, Told::Fast(i64::MAX.unsigned_abs()));
    }
}

//! What time it is: the one room that asks the system.

use records::time::Ts;
use sync_protocol::chain::sha256;

/// The clocks of one moment. Made here and passed down, so that nothing below reads a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall time, as the device believes it.
    pub wall: Ts,
    /// Milliseconds since the boot; it goes on while the device sleeps, where the platform can say so.
    pub monotonic_ms: u64,
    /// Names the boot; 0 where the platform does not say, which counts as a new boot each time.
    pub boot: u32,
    /// Whether the wall time was set by hand for a test; ops written so carry a mark.
    pub test_clock: bool,
}

/// Where the time comes from.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    set: Option<Set>,
    runs: bool,
    moment: Option<Now>,
}

/// A time set by hand, and when that was.
#[derive(Debug, Clone, Copy)]
struct Set {
    wall: Ts,
    at_ms: u64,
}

impl Clock {
    /// Returns the system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { set: None, runs: true, moment: None }
    }

    /// Returns a clock that stands still at `wall`.
    #[must_use]
    pub fn frozen(wall: Ts) -> Self {
        Self { set: Some(Set { wall, at_ms: monotonic_ms() }), runs: false, moment: None }
    }

    /// Returns a clock that starts at `wall` and runs on.
    #[must_use]
    pub fn starting(wall: Ts) -> Self {
        Self { set: Some(Set { wall, at_ms: monotonic_ms() }), runs: true, moment: None }
    }

    /// Returns clocks that stand still at a moment that somebody else measured or made up.
    #[must_use]
    pub const fn at(moment: Now) -> Self {
        Self { set: None, runs: false, moment: Some(moment) }
    }

    /// Returns the clocks of this moment.
    #[must_use]
    pub fn now(&self) -> Now {
        if let Some(moment) = self.moment {
            return moment;
        }
        let monotonic_ms = monotonic_ms();
        let wall = match self.set {
            None => system_wall(),
            Some(set) if self.runs => {
                let since = i64::try_from(monotonic_ms.saturating_sub(set.at_ms)).unwrap_or(i64::MAX);
                Ts(set.wall.0.saturating_add(since))
            }
            Some(set) => set.wall,
        };
        Now { wall, monotonic_ms, boot: boot(), test_clock: self.set.is_some() }
    }
}

/// Does a job, and returns with its result the milliseconds that it took.
pub fn measured<T>(job: impl FnOnce() -> T) -> (T, u64) {
    let from = monotonic_ms();
    let done = job();
    (done, monotonic_ms().saturating_sub(from))
}

fn system_wall() -> Ts {
    #[expect(clippy::disallowed_methods, reason = "this is the room that asks the time")]
    Ts(chrono::Utc::now().timestamp_millis())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn monotonic_ms() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1000).saturating_add(nanos.unwrap_or(0) / 1_000_000)
}

/// Elsewhere: since the process asked first. The boot is unknown there, so nothing compares it over restarts.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn monotonic_ms() -> u64 {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "this is the room that asks the time")]
    let first = FIRST.get_or_init(std::time::Instant::now);
    u64::try_from(first.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Returns the boot's name: 32 bits of the hash of the kernel's boot id; 0 where there is none.
fn boot() -> u32 {
    static BOOT: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *BOOT.get_or_init(|| {
        let Ok(id) = std::fs::read("/proc/sys/kernel/random/boot_id") else {
            return 0;
        };
        let [a, b, c, d, ..] = sha256(&[b"fieldbook boot\n", &id]);
        u32::from_le_bytes([a, b, c, d]).max(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_stands_and_a_started_one_does_not_go_back() {
        let wall = Ts(1_000_000);
        assert_eq!(Clock::frozen(wall).now().wall, wall);
        assert!(Clock::frozen(wall).now().test_clock);
        let clock = Clock::starting(wall);
        let first = clock.now();
        assert!(first.wall >= wall && clock.now().wall >= first.wall);
        assert!(!Clock::system().now().test_clock);
    }
}

//! The porter at the door: how often each may come, how many at a time, and how much a device may leave in a day.
//!
//! What he remembers is bounded: of more callers than that the one that was not seen for longest is forgotten.
//! A caller that he forgot begins anew, with all of its turns.
//!
//! Source: docs/SECURITY.md, On the wire.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use records::id::Replica;

use crate::meter::Meter;

/// Turns that may be taken at once, in seconds of the rate: what was not used is kept for so long.
const BURST_S: u32 = 60;
/// Callers that are remembered, of each sort.
const REMEMBERED_MAX: usize = 20_000;
/// Bytes of one device that may wait for a person; docs/SECURITY.md, On the wire.
pub const HELD_BACK_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How much is let in; 0 stands for no limit on what one device or address may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second of one device.
    pub device_per_s: u32,
    /// Requests a second from one address.
    pub address_per_s: u32,
    /// Connections at a time from one address.
    pub address_connections: u32,
    /// Conversations at a time with one address: somebody who speaks slowly holds up nobody else.
    pub address_sessions: u32,
    /// Bytes of records and files that one device may leave in a day.
    pub device_bytes_a_day: u64,
    /// Until a connection's TLS stands, and until a request's headers are there.
    pub headers: Duration,
    /// Until the next bytes of a body come; there is no limit on the whole, as a thin line may take long.
    pub idle: Duration,
    /// Until a conversation's turn comes.
    pub turn: Duration,
    /// Conversations at a time with everybody: each may hold a few inflated bodies.
    pub sessions: usize,
    /// Conversations that wait for their turn, everybody's: the next one is told at once to come again.
    pub waiting: usize,
}

impl Default for Limits {
    /// A day's device sends some dozen requests and some megabytes; an office of a hundred behind one address all that at once.
    fn default() -> Self {
        Self {
            device_per_s: 10,
            address_per_s: 100,
            address_connections: 512,
            address_sessions: 32,
            device_bytes_a_day: 2 * 1024 * 1024 * 1024,
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            turn: Duration::from_secs(10),
            sessions: 128,
            waiting: 1024,
        }
    }
}

impl Limits {
    /// Returns none on how often and how much: for what an administrator takes in by hand.
    #[must_use]
    pub fn none() -> Self {
        Self {
            device_per_s: 0,
            address_per_s: 0,
            address_connections: 0,
            address_sessions: 0,
            device_bytes_a_day: 0,
            ..Self::default()
        }
    }
}

/// Where a connection comes from: an address, of IPv6 the network that one customer of a provider has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin([u8; 8]);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => {
                let [a, b, c, d] = four.octets();
                Self([0, 0, 0, 0, a, b, c, d])
            }
            IpAddr::V6(six) => {
                let [a, b, c, d, e, f, g, h, ..] = six.octets();
                Self([a, b, c, d, e, f, g, h])
            }
        }
    }
}

/// Come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests; come again in {seconds} s")]
pub struct Later {
    /// When, from 1 on.
    pub seconds: u32,
}

/// The porter of one server.
#[derive(Debug, Default)]
pub struct Porter {
    /// What he lets in.
    pub limits: Limits,
    /// What he counts.
    pub meter: Meter,
    devices: Mutex<Turns<Replica>>,
    addresses: Mutex<Turns<Origin>>,
    connected: Mutex<BTreeMap<Origin, u32>>,
    speaking: Mutex<BTreeMap<Origin, u32>>,
}

/// What many may do at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A connection.
    Connection,
    /// A conversation.
    Session,
}

/// A place that an address has taken; dropped, it is free again.
#[derive(Debug)]
pub struct Seat {
    porter: Arc<Porter>,
    place: Place,
    from: Origin,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = locked(self.porter.taken(self.place).0);
        let left = taken.get(&self.from).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.from);
        } else {
            taken.insert(self.from, left);
        }
    }
}

impl Porter {
    /// Returns one with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a turn of an address.
    ///
    /// # Errors
    /// [`Later`] where it has none left.
    pub fn address(&self, from: Origin, now_ms: u64) -> Result<(), Later> {
        let said = locked(&self.addresses).take(from, self.limits.address_per_s, now_ms);
        said.inspect_err(|_| self.meter.turned_away("address"))
    }

    /// Looks whether a device has a turn left; it is taken with [`Porter::proven`], so that nobody uses up another one's.
    ///
    /// # Errors
    /// [`Later`] where it has none left.
    pub fn device(&self, replica: Replica, now_ms: u64) -> Result<(), Later> {
        let said = locked(&self.devices).left(replica, self.limits.device_per_s, now_ms);
        said.inspect_err(|_| self.meter.turned_away("device"))
    }

    /// Takes a turn of a device whose signature was checked.
    pub fn proven(&self, replica: Replica, now_ms: u64) {
        // Without one left it has come in already: the next one is told.
        let _ = locked(&self.devices).take(replica, self.limits.device_per_s, now_ms);
    }

    /// Gives a place to an address; `None` where it has too many.
    #[must_use]
    pub fn seat(self: &Arc<Self>, place: Place, from: Origin) -> Option<Seat> {
        let (taken, most) = self.taken(place);
        let mut taken = locked(taken);
        let count = taken.get(&from).copied().unwrap_or_default();
        if most != 0 && count >= most {
            self.meter.turned_away(match place {
                Place::Connection => "connection",
                Place::Session => "session",
            });
            return None;
        }
        taken.insert(from, count.saturating_add(1));
        Some(Seat { porter: Arc::clone(self), place, from })
    }

    /// Returns how many conversations are under way.
    #[must_use]
    pub fn sessions(&self) -> u32 {
        locked(&self.speaking).values().fold(0, |all, one| all.saturating_add(*one))
    }

    fn taken(&self, place: Place) -> (&Mutex<BTreeMap<Origin, u32>>, u32) {
        match place {
            Place::Connection => (&self.connected, self.limits.address_connections),
            Place::Session => (&self.speaking, self.limits.address_sessions),
        }
    }

    /// Returns whether a device that left so many bytes today may leave no more.
    #[must_use]
    pub fn is_beyond(&self, bytes_today: u64) -> bool {
        self.limits.device_bytes_a_day != 0 && bytes_today > self.limits.device_bytes_a_day
    }
}

fn locked<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What each caller has left, in thousandths of a turn.
#[derive(Debug)]
struct Turns<K> {
    callers: BTreeMap<K, Caller>,
    /// Who was seen when, in order.
    order: BTreeMap<u64, K>,
    next: u64,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self { callers: BTreeMap::new(), order: BTreeMap::new(), next: 0 }
    }
}

#[derive(Debug, Clone, Copy)]
struct Caller {
    left: u64,
    at_ms: u64,
    seen: u64,
}

const TURN: u64 = 1000;

impl<K: Copy + Ord> Turns<K> {
    fn left(&self, who: K, per_s: u32, now_ms: u64) -> Result<(), Later> {
        let left = self.filled(who, per_s, now_ms);
        if per_s == 0 || left >= TURN { Ok(()) } else { Err(wait(left, per_s)) }
    }

    fn take(&mut self, who: K, per_s: u32, now_ms: u64) -> Result<(), Later> {
        if per_s == 0 {
            return Ok(());
        }
        let left = self.filled(who, per_s, now_ms);
        let taken = left.checked_sub(TURN);
        if let Some(before) = self.callers.get(&who) {
            self.order.remove(&before.seen);
        }
        self.next += 1;
        self.order.insert(self.next, who);
        self.callers.insert(who, Caller { left: taken.unwrap_or(left), at_ms: now_ms, seen: self.next });
        if self.callers.len() > REMEMBERED_MAX
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.callers.remove(&oldest);
        }
        taken.map(|_| ()).ok_or_else(|| wait(left, per_s))
    }

    fn filled(&self, who: K, per_s: u32, now_ms: u64) -> u64 {
        let full = u64::from(per_s) * u64::from(BURST_S) * TURN;
        self.callers.get(&who).map_or(full, |caller| {
            // A clock that was set back gives nothing and takes nothing.
            let gone_ms = now_ms.saturating_sub(caller.at_ms);
            caller.left.saturating_add(gone_ms.saturating_mul(u64::from(per_s))).min(full)
        })
    }
}

fn wait(left: u64, per_s: u32) -> Later {
    let seconds = TURN.saturating_sub(left).div_ceil(u64::from(per_s.max(1)) * 1000);
    Later { seconds: u32::try_from(seconds).unwrap_or(u32::MAX).max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            device_per_s: 2,
            address_per_s: 1,
            address_connections: 2,
            device_bytes_a_day: 100,
            ..Limits::default()
        }
    }

    fn v4(last: u8) -> Origin {
        Origin::from(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn turns_run_out_come_back_with_time_and_are_each_callers_own() {
        let porter = Porter::new(limits());
        for _ in 0..60 {
            porter.address(v4(1), 5).unwrap();
        }
        assert_eq!(porter.address(v4(1), 5), Err(Later { seconds: 1 }));
        porter.address(v4(2), 5).unwrap();
        porter.address(v4(1), 1_005).unwrap();
        assert!(porter.address(v4(1), 1_005).is_err());
        assert!(porter.address(v4(1), 0).is_err(), "a clock that was set back");
        for _ in 0..60 {
            porter.address(v4(1), 10_000_000).unwrap();
        }
        assert!(porter.address(v4(1), 10_000_000).is_err(), "no more is saved up than a minute's");
    }

    #[test]
    fn a_request_that_is_not_proven_takes_no_turn_of_the_device() {
        let porter = Porter::new(limits());
        for _ in 0..1_000 {
            porter.device(Replica(7), 5).unwrap();
        }
        for _ in 0..120 {
            porter.proven(Replica(7), 5);
        }
        assert_eq!(porter.device(Replica(7), 5), Err(Later { seconds: 1 }));
        assert_eq!(porter.device(Replica(8), 5), Ok(()));
    }

    #[test]
    fn places_are_counted_until_they_are_left() {
        let porter = Arc::new(Porter::new(limits()));
        let sit = |who| porter.seat(Place::Connection, v4(who));
        let (first, second, other) = (sit(1), sit(1), sit(2));
        assert!(first.is_some() && second.is_some() && other.is_some());
        assert!(sit(1).is_none());
        assert!(porter.seat(Place::Session, v4(1)).is_some(), "each place is counted by itself");
        drop(first);
        let again = sit(1);
        assert!(again.is_some() && sit(1).is_none());
        drop((second, other, again));
        assert!(locked(&porter.connected).is_empty() && locked(&porter.speaking).is_empty());
    }

    #[test]
    fn no_more_callers_are_remembered_than_there_is_room_for() {
        let mut turns = Turns::default();
        for who in 0..REMEMBERED_MAX + 10 {
            turns.take(who, 1, 5).unwrap();
            turns.take(0, 1, 5 + 1_000 * u64::try_from(who).unwrap()).unwrap();
        }
        assert_eq!((turns.callers.len(), turns.order.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert!(
            turns.callers.contains_key(&0) && !turns.callers.contains_key(&1),
            "the least recent one goes"
        );
    }

    #[test]
    fn one_customer_of_a_provider_is_one_caller_and_no_limit_is_none() {
        let six = |text: &str| Origin::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(six("2001:db8:1:2:3::4"), six("2001:db8:1:2:ffff::1"));
        assert_ne!(six("2001:db8:1:2:3::4"), six("2001:db8:1:3:3::4"));
        assert_eq!(six("::ffff:10.0.0.1"), v4(1));
        let porter = Arc::new(Porter::new(Limits::none()));
        assert!((0..10_000).all(|_| porter.address(v4(1), 0).is_ok()));
        let seats: Vec<_> = (0..1_000).map(|_| porter.seat(Place::Session, v4(1))).collect();
        assert!(seats.iter().all(Option::is_some));
        assert!(!porter.is_beyond(u64::MAX) && Porter::new(limits()).is_beyond(101));
    }
}

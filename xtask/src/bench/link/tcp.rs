//! One way of a thin link as TCP feels it: a rate, a distance, lost packets, and a sender that repairs and holds back.
//!
//! What is modelled: packets of at most [`SEGMENT`] bytes of payload and [`HEADER`] of headers leave one after the other
//! at the link's rate, travel half a round trip, and are lost with a fixed chance, each by itself. The receiver acks
//! every packet; acks are lost alike and later ones make up for them. The sender begins with ten packets (RFC 6928),
//! doubles a round trip until its first loss, then grows by one a round trip (RFC 5681); it repairs a packet once three
//! later ones were acked (RFC 6675) or when a timer ends, which is the lesser of RFC 6298's, with a floor of 200 ms, and
//! two smoothed round trips, the tail loss probe of RFC 8985; either way a timer that ends leaves a window of one packet.
//!
//! What is not: acks take no room on the way back, the queue before the link never overflows, losses come singly and
//! not in bursts, and connections that are open at once do not share the rate.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Payload of a packet.
const SEGMENT: usize = 1360;
/// Headers of IP and TCP with its timestamps.
const HEADER: u64 = 52;
/// Packets that a sender lets out before it has heard anything.
const FIRST_WINDOW: u64 = 10;
/// The least that a sender waits before it repeats itself.
const TIMER_FLOOR: u64 = 200_000;
/// A sender's patience while it has measured nothing yet.
const FIRST_TIMER: u64 = 1_000_000;

/// A link both of whose ways are alike. Times are in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    /// Bits a second.
    pub(crate) bits_per_s: u64,
    /// There and back.
    pub(crate) round_trip: u64,
    /// Packets lost of a thousand.
    pub(crate) lost_permille: u64,
}

/// Chance from a seed: SplitMix64.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn happens(&mut self, permille: u64) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % 1000 < permille
    }
}

impl Link {
    /// Returns how long it takes until both ends have greeted: a round trip, and a second, two, four for a lost greeting.
    pub(crate) fn greeting(&self, chance: &mut Chance) -> u64 {
        let (mut waited, mut patience) = (0, FIRST_TIMER);
        while chance.happens(self.lost_permille) || chance.happens(self.lost_permille) {
            waited += patience;
            patience *= 2;
        }
        waited + self.round_trip
    }

    fn on_the_wire(&self, payload: usize) -> u64 {
        (u64::try_from(payload).unwrap_or(u64::MAX) + HEADER) * 8 * 1_000_000 / self.bits_per_s
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The link is free for the next packet.
    Free,
    /// A packet reaches the other end.
    Arrive(usize),
    /// The sender hears that so many packets had arrived.
    Ack(u64),
    /// A timer ends, unless it was set anew.
    Timer(u64),
}

#[derive(Debug)]
struct Packet {
    bytes: Vec<u8>,
    sent_at: u64,
    /// Counts what was sent, repairs included.
    order: u64,
    tries: u32,
    /// Which arrival it was; `None` while it is under way or lost.
    arrival: Option<u64>,
    acked: bool,
    /// The sender has given it up and will repeat it.
    missed: bool,
}

/// One way of a connection.
#[derive(Debug)]
pub(crate) struct Way {
    link: Link,
    chance: Chance,
    waiting: VecDeque<u8>,
    packets: Vec<Packet>,
    /// The first packet that was not handed over yet.
    next: usize,
    events: BinaryHeap<Reverse<(u64, Event)>>,
    free_at: u64,
    arrivals: u64,
    sent: u64,
    /// In thousandths of a packet.
    window: u64,
    threshold: u64,
    /// Smoothed round trip and its deviation; `None` before the first ack.
    measured: Option<(u64, u64)>,
    backoff: u32,
    timer: u64,
    /// Losses sent before this one are of the same window and shrink it once.
    recovery: u64,
}

impl Way {
    /// A way whose sender may begin at `from`, with a round trip already measured by the greeting.
    pub(crate) fn new(link: Link, chance: Chance, from: u64) -> Self {
        Self {
            link,
            chance,
            waiting: VecDeque::new(),
            packets: Vec::new(),
            next: 0,
            events: BinaryHeap::new(),
            free_at: from,
            arrivals: 0,
            sent: 0,
            window: FIRST_WINDOW * 1000,
            threshold: u64::MAX,
            measured: Some((link.round_trip, link.round_trip / 2)),
            backoff: 0,
            timer: 0,
            recovery: 0,
        }
    }

    /// Takes bytes from the application.
    pub(crate) fn push(&mut self, now: u64, bytes: &[u8]) {
        // What happened before must not see them.
        self.happen(now);
        self.waiting.extend(bytes);
        self.events.push(Reverse((now.max(self.free_at), Event::Free)));
    }

    /// Returns when something happens next; `None` while nothing is under way.
    pub(crate) fn next_event(&self) -> Option<u64> {
        self.events.peek().map(|Reverse((at, _))| *at)
    }

    /// Lets everything happen until `now` and returns what reached the other end in order.
    pub(crate) fn advance(&mut self, now: u64) -> Vec<u8> {
        self.happen(now);
        let mut handed = Vec::new();
        while let Some(packet) = self.packets.get_mut(self.next).filter(|packet| packet.arrival.is_some()) {
            handed.append(&mut packet.bytes);
            self.next += 1;
        }
        handed
    }

    fn happen(&mut self, now: u64) {
        while let Some(Reverse((at, event))) =
            self.events.peek().copied().filter(|Reverse((at, _))| *at <= now)
        {
            self.events.pop();
            match event {
                Event::Free => self.send(at),
                Event::Arrive(packet) => self.arrive(at, packet),
                Event::Ack(arrivals) => self.acked(at, arrivals),
                Event::Timer(set) if set == self.timer => self.timed_out(at),
                Event::Timer(_) => {}
            }
        }
    }

    /// Returns whether everything that was pushed has been handed over.
    pub(crate) fn is_through(&self) -> bool {
        self.waiting.is_empty() && self.next == self.packets.len()
    }

    /// Returns how many bytes are not on the link yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn in_flight(&self) -> u64 {
        let flying = self.packets.iter().filter(|packet| packet.tries > 0 && !packet.acked && !packet.missed);
        u64::try_from(flying.count()).unwrap_or(u64::MAX)
    }

    /// Sends one packet where link and window let it, and comes again when the link is free.
    fn send(&mut self, now: u64) {
        if now < self.free_at || self.in_flight() * 1000 + 1000 > self.window.max(1000) {
            return;
        }
        let Some(at) = self.next_packet() else { return };
        let Some(packet) = self.packets.get_mut(at) else { return };
        self.sent += 1;
        (packet.sent_at, packet.order, packet.missed) = (now, self.sent, false);
        packet.tries += 1;
        // Bytes that were handed over already are sent again at their size all the same.
        self.free_at = now + self.link.on_the_wire(packet.bytes.len().max(1));
        if !self.chance.happens(self.link.lost_permille) {
            self.events.push(Reverse((self.free_at + self.link.round_trip / 2, Event::Arrive(at))));
        }
        self.set_timer(self.free_at);
        self.events.push(Reverse((self.free_at, Event::Free)));
    }

    /// Returns the packet to send: what is missed first, then what waits.
    fn next_packet(&mut self) -> Option<usize> {
        if let Some(missed) = self.packets.iter().position(|packet| packet.missed) {
            return Some(missed);
        }
        if self.waiting.is_empty() {
            return None;
        }
        let bytes: Vec<u8> = self.waiting.drain(..self.waiting.len().min(SEGMENT)).collect();
        self.packets.push(Packet {
            bytes,
            sent_at: 0,
            order: 0,
            tries: 0,
            arrival: None,
            acked: false,
            missed: false,
        });
        Some(self.packets.len() - 1)
    }

    fn arrive(&mut self, now: u64, at: usize) {
        self.arrivals += 1;
        let arrivals = self.arrivals;
        if let Some(packet) = self.packets.get_mut(at) {
            packet.arrival.get_or_insert(arrivals);
        }
        if !self.chance.happens(self.link.lost_permille) {
            self.events.push(Reverse((now + self.link.round_trip / 2, Event::Ack(arrivals))));
        }
    }

    fn acked(&mut self, now: u64, arrivals: u64) {
        let mut newly = 0;
        for packet in &mut self.packets {
            if !packet.acked && packet.arrival.is_some_and(|arrival| arrival <= arrivals) {
                (packet.acked, packet.missed) = (true, false);
                newly += 1;
                if packet.tries == 1 {
                    let sample = now - packet.sent_at;
                    self.measured = Some(match self.measured {
                        None => (sample, sample / 2),
                        Some((smooth, off)) => {
                            ((smooth * 7 + sample) / 8, (off * 3 + smooth.abs_diff(sample)) / 4)
                        }
                    });
                }
            }
        }
        if newly == 0 {
            return;
        }
        self.backoff = 0;
        for _ in 0..newly {
            self.window += if self.window < self.threshold { 1000 } else { 1_000_000 / self.window.max(1) };
        }
        self.miss();
        self.set_timer(now);
        self.events.push(Reverse((now.max(self.free_at), Event::Free)));
    }

    /// Gives up what three later packets have overtaken.
    fn miss(&mut self) {
        let mut acked: Vec<u64> =
            self.packets.iter().filter(|packet| packet.acked).map(|packet| packet.order).collect();
        acked.sort_unstable();
        let Some(overtaken) = acked.len().checked_sub(3).and_then(|third| acked.get(third)).copied() else {
            return;
        };
        let mut lost = Vec::new();
        for packet in &mut self.packets {
            if packet.tries > 0 && !packet.acked && !packet.missed && packet.order < overtaken {
                packet.missed = true;
                lost.push(packet.order);
            }
        }
        if lost.iter().any(|order| *order > self.recovery) {
            self.window = (self.window / 2).max(2000);
            self.threshold = self.window;
            self.recovery = self.sent;
        }
    }

    fn set_timer(&mut self, now: u64) {
        self.timer += 1;
        let patience = match self.measured {
            None => FIRST_TIMER,
            Some((smooth, off)) => (smooth + (4 * off).max(TIMER_FLOOR)).min(2 * smooth).max(TIMER_FLOOR),
        };
        self.events.push(Reverse((now + (patience << self.backoff.min(6)), Event::Timer(self.timer))));
    }

    fn timed_out(&mut self, now: u64) {
        let flying: Vec<usize> = (0..self.packets.len())
            .filter(|at| {
                self.packets
                    .get(*at)
                    .is_some_and(|packet| packet.tries > 0 && !packet.acked && !packet.missed)
            })
            .collect();
        if flying.is_empty() {
            return;
        }
        self.backoff += 1;
        self.threshold = (self.in_flight() * 500).max(2000);
        self.window = 1000;
        self.recovery = self.sent;
        for at in flying {
            if let Some(packet) = self.packets.get_mut(at) {
                packet.missed = true;
            }
        }
        self.events.push(Reverse((now.max(self.free_at), Event::Free)));
        self.set_timer(now);
    }
}

/// Returns when `bytes` that were pushed at `now` have all reached the other end.
pub(crate) fn carried(way: &mut Way, now: u64, bytes: usize) -> u64 {
    way.push(now, &vec![0; bytes]);
    let mut at = now;
    loop {
        way.advance(at);
        match way.next_event() {
            Some(next) if !way.is_through() => at = next,
            _ => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THIN: Link = Link { bits_per_s: 64_000, round_trip: 600_000, lost_permille: 50 };

    fn carry(link: Link, seed: u64, bytes: usize) -> u64 {
        carried(&mut Way::new(link, Chance::of(seed), 0), 0, bytes)
    }

    #[test]
    fn a_whole_line_takes_its_bytes_and_half_a_round_trip() {
        let whole = Link { lost_permille: 0, ..THIN };
        // 100 + 52 bytes at 8 a millisecond, and 300 ms of distance.
        assert_eq!(carry(whole, 1, 100), 19_000 + 300_000);
        // Ten packets fill the line, so the window never holds it back: headers and bytes decide.
        let packets = 100_000_u64.div_ceil(1360);
        assert_eq!(carry(whole, 1, 100_000) / 1000, (100_000 + packets * 52) / 8 + 300);
    }

    #[test]
    fn what_is_lost_is_repaired_and_costs_time() {
        let times: Vec<u64> = (0..200).map(|seed| carry(THIN, seed, 13_000)).collect();
        let whole = carry(Link { lost_permille: 0, ..THIN }, 1, 13_000);
        assert!(times.iter().all(|time| *time >= whole));
        let late = times.iter().filter(|time| **time > whole).count();
        assert!(
            (40..160).contains(&late),
            "of 200 transfers of ten packets {late} lost something that mattered"
        );
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut way = Way::new(THIN, Chance::of(7), 0);
        let sent: Vec<u8> = (0..50_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut heard = Vec::new();
        way.push(0, &sent);
        while let Some(at) = way.next_event() {
            heard.extend(way.advance(at));
        }
        assert!(way.is_through());
        assert_eq!(heard, sent);
    }

    #[test]
    fn a_lost_greeting_costs_a_second() {
        let times: Vec<u64> = (0..300).map(|seed| THIN.greeting(&mut Chance::of(seed))).collect();
        assert!(times.contains(&600_000) && times.contains(&1_600_000));
    }
}

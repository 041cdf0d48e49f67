//! A simulated device: a real key, a real log, real requests; of what it sent it remembers only where its log ends.

use std::net::Ipv4Addr;

use records::id::Epoch;
use sync_protocol::chain::Link;
use sync_protocol::conversation::{Answer, Request, RequestHash, read_answer, write_request};
use sync_protocol::cursor::{Cursor, Feed};
use sync_protocol::enrolment::{Enrolment, proof};
use sync_protocol::message::{Clocks, Enrol, Hello, VERSIONS};
use sync_protocol::ruling::Verdict;
use sync_protocol::segment::{Run, cut};
use sync_protocol::sign::Signer;
use sync_protocol::stamp::Stamp;

use crate::sheets::Sheet;

/// Records of a day.
pub(crate) const DAY: usize = 40;
/// From one record to the next.
const APART_MS: u64 = 12 * 60 * 1000;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The answer to somebody's first words need not hold everybody's: the rest of the company comes when there is time.
const FIRST_ANSWER_BYTES: u32 = 1;

/// One device.
pub(crate) struct Device {
    pub(crate) at: u32,
    pub(crate) enrolment: Enrolment,
    pub(crate) signer: Signer,
    epoch: Epoch,
    /// The last op that HQ acknowledged, and the chain value there.
    pub(crate) acknowledged: u64,
    pub(crate) link: Link,
    pub(crate) cursor: Cursor,
    lease: [u8; 8],
    stamp: Stamp,
    said: u64,
    /// The request that is on its way, with the end of the log that it pushes.
    pub(crate) request: Vec<u8>,
    pushed: (u64, Link),
}

/// What an answer was to its device.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard {
    /// Ops and documents' ends that came down.
    pub(crate) items: u64,
    /// Whether more waits.
    pub(crate) more: bool,
}

impl Device {
    pub(crate) fn new(at: u32, enrolment: Enrolment) -> Self {
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&at.to_le_bytes());
        Self {
            at,
            enrolment,
            signer: Signer::from_seed(&seed).unwrap(),
            epoch: Epoch(at + 1),
            acknowledged: 0,
            link: Link::ROOT,
            cursor: Cursor::default(),
            lease: [0; 8],
            stamp: Stamp::default(),
            said: 0,
            request: Vec::new(),
            pushed: (0, Link::ROOT),
        }
    }

    /// Returns the address that it calls from: each has one of its own, as devices in the field have.
    pub(crate) fn address(&self) -> Ipv4Addr {
        let [_, high, mid, low] = (self.at + (16 << 16)).to_be_bytes();
        Ipv4Addr::new(127, high, mid, low.max(1))
    }

    /// Makes its first words the next request.
    pub(crate) fn introduces_itself(&mut self, now_ms: u64) {
        let key = self.signer.public();
        let proof = proof(&self.enrolment.secret, self.enrolment.replica, &key);
        let enrol = Enrol { key, proof, scanned_ms: now_ms, name: "tablet".into() };
        self.say(Some(enrol), &[], FIRST_ANSWER_BYTES, now_ms);
    }

    /// Makes `n` records, the first saved on day `day` from now, the next request.
    pub(crate) fn works(&mut self, day: u64, n: usize, sheets: &[Sheet], now_ms: u64) {
        let begins = now_ms.saturating_sub((60_u64.saturating_sub(day)) * DAY_MS);
        let rows: Vec<_> = (0..n)
            .map(|n| {
                self.stamp = self.stamp.next(begins + n as u64 * APART_MS);
                let which = self.at as usize * 7 + self.acknowledged as usize + n;
                sheets[which % sheets.len()].row(self.stamp)
            })
            .collect();
        self.say(None, &rows, 0, now_ms);
    }

    /// Makes a request for what is new the next one.
    pub(crate) fn asks(&mut self, now_ms: u64) {
        self.say(None, &[], 0, now_ms);
    }

    fn say(
        &mut self,
        enrol: Option<Enrol>,
        rows: &[sync_protocol::op::Row],
        answer_bytes_max: u32,
        now_ms: u64,
    ) {
        self.said += 1;
        let hello = Hello {
            versions: VERSIONS,
            schemas: sync_protocol::tables::Tables::own().hash(),
            replica: self.enrolment.replica,
            lease: self.lease,
            heads: Vec::new(),
            cursor: self.cursor.clone(),
            digest: None,
            clocks: Clocks { wall_ms: now_ms, monotonic_ms: self.said * 1000, boot: 1 },
            answer_bytes_max,
        };
        let run = Run {
            line: (self.enrolment.replica, self.epoch),
            first: self.acknowledged + 1,
            before: self.link,
            parent: None,
            test_clock: false,
            rows,
        };
        let segments = cut(&self.signer, &run).unwrap();
        let link = segments.last().map_or(self.link, |segment| segment.link);
        self.pushed = (self.acknowledged + rows.len() as u64, link);
        let request = Request { hello, enrol, asks: Vec::new(), segments };
        self.request = write_request(&request, &self.signer);
    }

    /// Takes HQ's answer: its signature must be good, and it must have all that was pushed and refuse nothing.
    pub(crate) fn hears(&mut self, answer: &[u8]) -> Heard {
        let (answer, _) =
            read_answer(answer, RequestHash::of(&self.request), &self.enrolment.hq_key).expect("HQ's answer");
        let (last, link) = self.pushed;
        if last > self.acknowledged {
            let held = answer.ack.held.iter().find(|held| held.epoch == self.epoch);
            assert_eq!(held.map(|held| held.up_to), Some(last), "HQ acknowledges what was pushed");
        }
        let rulings = answer.ack.rulings.iter().chain(&answer.rulings);
        let own = rulings.filter(|ruling| ruling.replica == self.enrolment.replica);
        for (_, verdict) in own.flat_map(|ruling| &ruling.exceptions) {
            assert!(matches!(verdict, Verdict::Merged), "{verdict:?}");
        }
        (self.acknowledged, self.link) = (last, link);
        self.advance(&answer);
        self.request = Vec::new();
        Heard { items: answer.items.len() as u64, more: answer.end.more }
    }

    fn advance(&mut self, answer: &Answer) {
        let mut next = answer.end.next.clone();
        next.incarnation = answer.ack.incarnation;
        self.cursor.advance(&next);
        self.lease = answer.ack.lease;
    }

    /// Counts what the company's feed holds up to there as read: what a first pull costs is measured by itself.
    pub(crate) fn has_read(&mut self, company: u64) {
        let positions = vec![(Feed::Company, company)];
        self.cursor.advance(&Cursor { incarnation: self.cursor.incarnation, positions });
    }

    /// Returns the line that it writes.
    pub(crate) fn line(&self) -> sync_protocol::chain::Line {
        (self.enrolment.replica, self.epoch)
    }
}

//! What a device hears once its request is proven: how far it is held, what is new for it, and what it should know.

use std::collections::BTreeMap;

use records::id::{Epoch, Replica};
use sync_protocol::asides::{Ask, Tell, Vouched};
use sync_protocol::conversation::{Answer, RequestHash};
use sync_protocol::cursor::Cursor;
use sync_protocol::limits::{BODY_BYTES_MAX, RELAY_BYTES_MAX};
use sync_protocol::message::{Certificate, Compared, Held, Hello, Notice, PageEnd, PushAck, VERSIONS};
use sync_protocol::sign::PublicKey;
use sync_protocol::tables::Tables;

use crate::feed;
use crate::intake::desk::Desk;
use crate::keys;
use crate::session::Session;
use crate::store::StoreError;
use crate::store::devices::Device;
use crate::translate;

impl Session {
    pub(super) fn answer(
        self,
        desk: &mut Desk,
        key: PublicKey,
        request: RequestHash,
        confirmed: bool,
    ) -> Result<Answer, StoreError> {
        let now = self.office.clock.now_ms();
        let (Some(hello), Some(device)) = (&self.hello, &self.device) else {
            return Err(StoreError::Absent);
        };
        // Another conversation of the same device may have changed its line since the hello.
        let Some(mut device) = desk.store.device(device.replica)? else {
            return Err(StoreError::Absent);
        };
        let notices = self.notices.clone();
        let held = held(desk, &device, hello, &self.pushed)?;
        let nothing =
            PageEnd { next: Cursor { incarnation: desk.incarnation, positions: Vec::new() }, more: false };
        let mut answer = Answer {
            ack: PushAck {
                incarnation: desk.incarnation,
                lease: [0; 8],
                held,
                rulings: Vec::new(),
                digest: Compared::Not,
            },
            notices,
            certificate: None,
            tells: Vec::new(),
            items: Vec::new(),
            rulings: Vec::new(),
            end: nothing,
        };
        if !confirmed || !device.standing.takes_part() {
            let why = if confirmed { Notice::Revoked } else { Notice::Unconfirmed };
            answer.notices.push(why);
            return Ok(answer);
        }
        if !self.is_spoken() {
            answer.notices.push(Notice::UpgradeNeeded { versions: VERSIONS });
            return Ok(answer);
        }
        // The lease and the certificate are the first device's; the second one is told a name of its own.
        let second = device.key.is_some_and(|bound| bound != key);
        // A file shows no lease, and says nothing of copies.
        let shows = !second && !self.carried;
        let late = shows && desk.is_late(device.replica, hello.clocks, request)?;
        if shows && !late {
            answer.notices.extend(desk.hear_lease(&mut device, hello.lease, &hello.cursor)?);
        }
        if !second {
            answer.notices.extend(device.copied.then_some(Notice::Copied));
        }
        // A request of the past says nothing of now: it may be somebody's who was listening.
        if !late {
            device.seen_ms = Some(now);
            device.skew_ms = self.skew_ms.unwrap_or(device.skew_ms);
        }
        if device.skew_ms.unsigned_abs() > sync_protocol::limits::STAMP_AHEAD_MS && !self.carried {
            answer.notices.push(Notice::ServerTime(now));
        }
        answer.notices.extend(desk.tell_restored(&hello.cursor)?);
        answer.tells = self.tells;
        let reads = translate::reads(hello, &self.asks);
        answer.tells.extend(translate::told(reads.as_ref()));
        answer.tells.extend(desk.tell_pins(&device, &self.asks)?);
        // Of what was carried by hand nobody can say what its clock shows now.
        let heard = self.asks.into_iter().filter(|ask| !self.carried || !matches!(ask, Ask::Clocks(_)));
        answer.tells.extend(desk.hear(&device, heard.collect(), now)?);
        answer.tells.extend(desk.wanted(&device)?);
        if second {
            answer.tells.extend(desk.own_name(device.replica, &key)?.map(Tell::Renamed));
        }
        let reader = feed::Reader { reads, ..desk.reader(&mut device, &hello.cursor)? };
        answer.notices.extend(desk.tell_backed_up(&reader, &hello.cursor)?);
        let budget = match hello.answer_bytes_max {
            0 => usize::MAX,
            asked => usize::try_from(asked).unwrap_or(usize::MAX),
        };
        // What a colleague carries back must leave room in an answer of his own.
        let budget = if self.carried { budget.min(RELAY_BYTES_MAX) } else { budget };
        let room = BODY_BYTES_MAX.saturating_sub(answer.tells.iter().map(Tell::length).sum());
        let page = desk.page(&reader, &hello.cursor, budget.min(room))?;
        // What goes back by file is not heard yet.
        device.level = !page.end.more && !self.carried;
        let quiet = self.new_ops == 0 && page.items.is_empty() && page.rulings.is_empty() && !page.end.more;
        // A group that one end cannot read it folds otherwise.
        let comparable = quiet && hello.schemas == Tables::own().hash();
        if let Some(theirs) = hello.digest.filter(|_| comparable) {
            let ours = desk.digest_for(&device)?;
            answer.ack.digest = if ours == theirs { Compared::Equal } else { Compared::Differs(ours) };
        }
        if !second && (self.enrolled || renew(desk, &device, hello, now)?) {
            answer.certificate = desk.certificate(&device, key, now)?;
            let kept = answer
                .certificate
                .as_ref()
                .map(|certificate| postcard::to_allocvec(certificate).unwrap_or_default());
            desk.store.set(&certificate_key(device.replica), &kept.unwrap_or_default())?;
            let vouch = |certificate: &Certificate| Vouched::sign(&desk.signer, certificate.clone());
            answer.tells.extend(answer.certificate.as_ref().map(vouch).map(Tell::Vouched));
        }
        if !self.carried && !second {
            if !late {
                rotate(&mut device, hello.lease);
            }
            answer.ack.lease = device.lease;
        }
        answer.ack.rulings = self.rulings;
        answer.items = page.items;
        answer.rulings = page.rulings;
        answer.end = page.end;
        desk.store.device_put(&device)?;
        Ok(answer)
    }
}

fn certificate_key(replica: Replica) -> String {
    format!("certificate {}", replica.0)
}

/// A certificate is sent again where it says something else by now, grows old, or its answer was lost.
fn renew(desk: &mut Desk, device: &Device, hello: &Hello, now: u64) -> Result<bool, StoreError> {
    const OLD_MS: u64 = 30 * 24 * 60 * 60 * 1000;
    let Some(kept) = desk.store.setting(&certificate_key(device.replica))? else {
        return Ok(true);
    };
    let kept: Option<Certificate> = postcard::from_bytes(&kept).ok();
    let Some(kept) = kept else { return Ok(true) };
    let fresh = desk.certificate(device, kept.key, now)?;
    let same =
        fresh.is_some_and(|fresh| Certificate { valid_until_ms: kept.valid_until_ms, ..fresh } == kept);
    Ok(!same || kept.valid_until_ms < now.saturating_add(OLD_MS) || hello.lease != device.lease)
}

/// Returns how far HQ holds the lines that the device named or pushed, as far as the device knows them itself: what HQ
/// holds beyond that of a device that was put back comes by its feed.
fn held(
    desk: &Desk,
    device: &Device,
    hello: &Hello,
    pushed: &BTreeMap<Epoch, u64>,
) -> Result<Vec<Held>, StoreError> {
    let mut shown = pushed.clone();
    for head in &hello.heads {
        let last = shown.entry(head.epoch).or_default();
        *last = head.seq.max(*last);
    }
    let mut all = Vec::new();
    for (epoch, shown) in shown {
        let line = (device.replica, epoch);
        let Some(held) = desk.store.line(device.branch, line)? else {
            continue;
        };
        let up_to = held.last.min(shown);
        let link =
            if up_to == held.last { Some(held.link) } else { desk.link_at(device.branch, line, up_to)? };
        let Some(link) = link else { continue };
        let [a, b, c, d, e, f, g, h, ..] = link.0;
        let backed_up_to = desk.store.line_backed_up(device.branch, line)?.min(up_to);
        all.push(Held { epoch, up_to, link: [a, b, c, d, e, f, g, h], count: up_to, backed_up_to });
    }
    Ok(all)
}

/// The next lease. A device that shows the one before lost our answer: that one stays good until it shows a newer.
fn rotate(device: &mut Device, shown: [u8; 8]) {
    if shown == device.lease {
        device.lease_before = device.lease;
    }
    // Without random numbers the old lease stays: it is a warning sign, not a lock.
    if let Ok(lease) = keys::random() {
        device.lease = lease;
    }
}

//! What a person should do next, the most pressing first.

use records::id::DocId;
use records::policy::cycle::HalfMonth;
use records::time::Day;

use crate::notebook::claim::reminders::Reminders;
use crate::notebook::day::Visit;
use crate::notebook::list::Line;
use crate::notebook::status::Status;
use crate::sync::standing::Apart;

/// Work that only this device has for longer than a day should be sent.
pub const LOUD_AFTER_MS: i64 = 24 * 60 * 60 * 1000;

/// Something that he should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// The device does not take part: an administrator has to confirm it, or took it out.
    Administrator(Apart),
    /// Nothing ever came from headquarters.
    FirstSync,
    /// What headquarters refused waits for him.
    Quarantine(u64),
    /// Contested values wait for him.
    Conflicts(u64),
    /// A claim was sent back.
    Returned {
        /// Which.
        claim: DocId,
        /// Its number, or its code.
        name: String,
    },
    /// A trip summary was sent back.
    Trip(String),
    /// Vouchers are nearly too old.
    Expiring {
        /// The half-month of the first of them.
        half: HalfMonth,
        /// The last day on which it may be submitted.
        last_day: Day,
        /// How many.
        n: usize,
    },
    /// What is only here is older than a day.
    SendOld(i64),
    /// A job goes on with its next step.
    Job {
        /// Which.
        job: DocId,
        /// Its number, or its code.
        name: String,
        /// The step.
        step: &'static str,
    },
    /// A sheet is to be finished and sealed.
    Seal {
        /// Which.
        sheet: DocId,
    },
    /// The mailing is near.
    Claim {
        /// The half-month that it carries.
        half: HalfMonth,
        /// When it goes.
        due: Day,
    },
    /// Submissions wait for his review.
    Review(usize),
    /// Something is only here.
    Send,
    /// Nothing presses: he may begin something.
    Begin,
}

/// Returns what to do next; never empty.
pub(in crate::notebook) fn advice(
    status: &Status,
    jobs: &[Visit],
    drafts: &[Line],
    reviews: usize,
) -> Vec<Advice> {
    let counts = &status.counts;
    let old = status.unsent_age_ms.filter(|age| *age > LOUD_AFTER_MS);
    let mut next: Vec<Advice> = status.apart.map(Advice::Administrator).into_iter().collect();
    next.extend(status.last_sync.is_none().then_some(Advice::FirstSync));
    next.extend((counts.quarantined > 0).then_some(Advice::Quarantine(counts.quarantined)));
    next.extend((counts.conflicts > 0).then_some(Advice::Conflicts(counts.conflicts)));
    next.extend(sent_back(&status.money));
    next.extend(expiring(&status.money));
    next.extend(old.map(Advice::SendOld));
    next.extend(jobs.first().map(|job| Advice::Job { job: job.id, name: job.name(), step: job.step }));
    next.extend(drafts.first().map(|draft| Advice::Seal { sheet: draft.id }));
    next.extend(mailing(&status.money));
    next.extend((reviews > 0).then_some(Advice::Review(reviews)));
    if counts.unsent_ops > 0 && old.is_none() && status.last_sync.is_some() {
        next.push(Advice::Send);
    }
    if next.is_empty() {
        next.push(Advice::Begin);
    }
    next
}

fn sent_back(money: &Reminders) -> impl Iterator<Item = Advice> {
    let returned = money.claims.iter().filter(|claim| claim.state.name == "returned").map(|claim| {
        let name = claim.number.clone().unwrap_or_else(|| claim.id.code());
        Advice::Returned { claim: claim.id, name }
    });
    returned.chain(money.trips.iter().map(|(_, half, _)| Advice::Trip(half.clone())))
}

fn expiring(money: &Reminders) -> Option<Advice> {
    let first = money.expiring.first()?;
    let half = HalfMonth::of(first.date)?;
    Some(Advice::Expiring { half, last_day: first.last_day, n: money.expiring.len() })
}

/// What is soon too old was said already.
fn mailing(money: &Reminders) -> Option<Advice> {
    let next = money.next.as_ref().filter(|next| next.soon && money.expiring.is_empty())?;
    let half = next.mailing.half.or_else(|| HalfMonth::of(next.mailing.to))?;
    Some(Advice::Claim { half, due: next.mailing.due })
}

//! Vouchers against vouchers: the same paper twice (A1, A2), neighbours on one roll (A5), one purchase of two people
//! (A9), photos of another time or another voucher (A13), a sum that is not the invoice's (A15).

use crate::claim::traces::Trace;
use crate::claim::traces::trail::{Paper, Trail, list, name};
use crate::duplicate::Key;
use crate::id::DocId;
use crate::policy::terms::Policy;
use crate::time::{Ts, Zone};

/// How two vouchers are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alike {
    /// One invoice: both bear its number.
    Strong,
    /// One owner, day, amount and seller.
    Weak,
    /// Their photos look alike: they differ in so many bits.
    Look(u32),
}

/// Returns which of `others` may be the same paper as `paper`, and how that shows; the surest way counts.
///
/// A voucher that was thrown away or rejected frees its key. `near` are the bits by which two photos may differ.
///
/// Source: docs/RULES.md B6, R2, A1, A2.
pub fn duplicates<'p>(
    paper: &Paper,
    others: impl IntoIterator<Item = &'p Paper>,
    near: u8,
) -> Vec<(&'p Paper, Alike)> {
    let mut found: Vec<(&Paper, Alike)> = others
        .into_iter()
        .filter(|other| other.id != paper.id && other.counts)
        .filter_map(|other| Some((other, alike(paper, other, near)?)))
        .collect();
    found.sort_by_key(|(other, how)| (*how, other.id));
    found
}

/// Returns how two vouchers are alike; `None` where they are not.
#[must_use]
pub fn alike(a: &Paper, b: &Paper, near: u8) -> Option<Alike> {
    match (&a.key, &b.key) {
        (Some(Key::Strong(a)), Some(Key::Strong(b))) if a == b => return Some(Alike::Strong),
        // Two invoices with numbers of their own are two papers, whatever they look like.
        (Some(Key::Strong(_)), Some(Key::Strong(_))) => return None,
        (Some(Key::Weak(a)), Some(Key::Weak(b))) if a == b => return Some(Alike::Weak),
        _ => {}
    }
    let bits = a.look?.distance(b.look?);
    (bits <= u32::from(near)).then_some(Alike::Look(bits))
}

/// Asks A1, A2, A5, A9, A13 and A15.
pub fn look(trail: &Trail, policy: &Policy, traces: &mut Vec<Trace>) {
    for (line, paper) in trail.own() {
        let asked = Asked { trail, policy, line, paper };
        traces.extend(asked.strong());
        traces.extend(asked.weak());
        traces.extend(asked.neighbours());
        traces.extend(asked.same_minute());
        traces.extend(asked.photo_days());
        traces.extend(asked.photo_again());
        traces.extend(asked.other_sum());
    }
}

struct Asked<'a> {
    trail: &'a Trail,
    policy: &'a Policy,
    line: u32,
    paper: &'a Paper,
}

impl<'a> Asked<'a> {
    fn trace(&self, rule: &'static str) -> Trace {
        Trace::new(rule, Some(self.line)).about([self.paper.id]).fact("voucher", &self.paper.id.code())
    }

    fn twins(&self) -> Vec<(&'a Paper, Alike)> {
        duplicates(self.paper, self.trail.papers.values(), self.policy.dup.phash_max)
    }

    /// How a person finds a voucher: its code, day and amount, and the claims on which it stands.
    fn said(&self, paper: &Paper) -> String {
        let day = paper.date.map(|day| format!(" {day}")).unwrap_or_default();
        let amount = paper.amount.map(|amount| format!(" {amount}")).unwrap_or_default();
        let claims = self.trail.claims_with(paper.id).map(name).collect::<Vec<_>>().join(", ");
        let claims = if claims.is_empty() { claims } else { format!(" ({claims})") };
        format!("{}{day}{amount}{claims}", paper.id.code())
    }

    /// A1: an invoice stands on another voucher, or this voucher on another claim.
    fn strong(&self) -> Option<Trace> {
        let twins: Vec<&Paper> =
            self.twins().into_iter().filter(|(_, how)| *how == Alike::Strong).map(|(twin, _)| twin).collect();
        let elsewhere = self.trail.claims_with(self.paper.id).map(|claim| (claim.id, name(claim)));
        let (claims, names): (Vec<DocId>, Vec<String>) = elsewhere.unzip();
        if twins.is_empty() && claims.is_empty() {
            return None;
        }
        let others = list(names.into_iter().chain(twins.iter().map(|twin| self.said(twin))));
        let about = claims.into_iter().chain(twins.iter().map(|twin| twin.id));
        Some(self.trace("A1").about(about).fact("others", &others))
    }

    /// A2: the same owner, day, amount and seller, or a photo that looks alike.
    fn weak(&self) -> Option<Trace> {
        let twins: Vec<(&Paper, Alike)> =
            self.twins().into_iter().filter(|(_, how)| *how != Alike::Strong).collect();
        let said = |(twin, how): &(&Paper, Alike)| match how {
            Alike::Look(bits) => format!("{} [{bits}/64 bit]", self.said(twin)),
            Alike::Strong | Alike::Weak => self.said(twin),
        };
        let others = list(twins.iter().map(said));
        let about = twins.iter().map(|(twin, _)| twin.id);
        (!twins.is_empty()).then(|| self.trace("A2").about(about).fact("others", &others))
    }

    /// A5: invoice numbers of one seller close to each other, on other days or of other people.
    fn neighbours(&self) -> Option<Trace> {
        let own = self.paper.invoice.as_ref()?;
        let near = |other: &&Paper| {
            other.invoice.as_ref().is_some_and(|invoice| {
                let gap = invoice.number.abs_diff(own.number);
                invoice.code == own.code
                    && (1..=u128::from(self.policy.trace.invoice_gap)).contains(&gap)
                    && one_roll(self.paper, other)
                    && (other.date != self.paper.date || other.owner != self.paper.owner)
            })
        };
        let found: Vec<&Paper> = self.trail.others(self.paper).filter(near).collect();
        let numbered = |paper: &Paper| {
            let number = paper.invoice.as_ref().map_or(0, |invoice| invoice.number);
            format!("{number} {}", self.said(paper))
        };
        let about = found.iter().map(|other| other.id);
        (!found.is_empty()).then(|| {
            let trace = self.trace("A5").about(about).fact("number", &own.number);
            trace.fact("others", &list(found.iter().map(|other| numbered(other))))
        })
    }

    /// A9: another person's voucher of the same seller, day and amount, photographed in the same minute.
    fn same_minute(&self) -> Option<Trace> {
        let paper = self.paper;
        let purchase = (paper.date?, paper.amount?, seller(paper)?);
        let same = |other: &&Paper| {
            let others = other.date.zip(other.amount).zip(seller(other));
            other.owner != paper.owner
                && others.is_some_and(|((date, amount), seller)| (date, amount, seller) == purchase)
                && minutes(paper).any(|minute| minutes(other).any(|other| other == minute))
        };
        let found: Vec<&Paper> = self.trail.others(paper).filter(same).collect();
        let first = found.first()?;
        let minute = minutes(paper).find(|minute| minutes(first).any(|other| other == *minute))?;
        let minute = Ts(minute.saturating_mul(MINUTE_MS)).minute(self.trail.zone);
        let trace = self.trace("A9").about(found.iter().map(|other| other.id)).fact("minute", &minute);
        Some(trace.fact("others", &list(found.iter().map(|other| self.said(other)))))
    }

    /// A13: a photo taken long before or after the day on the paper.
    fn photo_days(&self) -> Option<Trace> {
        let date = self.paper.date?;
        let limit = self.policy.trace.photo_days;
        let zone: Zone = self.trail.zone;
        let days = self.paper.photos.iter().filter_map(|photo| Some(photo.taken_at?.day(zone)));
        let taken = days.filter(|day| day.0.abs_diff(date.0) > u32::from(limit)).min()?;
        Some(
            self.trace("A13")
                .fact("taken", &taken)
                .fact("date", &date)
                .fact("days", &taken.0.abs_diff(date.0)),
        )
    }

    /// A13: a photo that also stands on another voucher.
    fn photo_again(&self) -> Option<Trace> {
        let again = |other: &&Paper| {
            other.photos.iter().any(|photo| self.paper.photos.iter().any(|own| own.file == photo.file))
        };
        let found: Vec<&Paper> = self.trail.others(self.paper).filter(again).collect();
        let others = list(found.iter().map(|other| self.said(other)));
        let about = found.iter().map(|other| other.id);
        (!found.is_empty()).then(|| self.trace("A13").about(about).fact("others", &others))
    }

    /// A15: the typed amount cannot be the invoice's.
    fn other_sum(&self) -> Option<Trace> {
        let sum = self.paper.other_sum?;
        Some(self.trace("A15").fact("amount", &self.paper.amount?).fact("qr", &sum))
    }
}

const MINUTE_MS: i64 = 60_000;

fn minutes(paper: &Paper) -> impl Iterator<Item = i64> {
    paper.photos.iter().filter_map(|photo| Some(photo.taken_at?.0.div_euclid(MINUTE_MS)))
}

fn seller(paper: &Paper) -> Option<&str> {
    Some(paper.seller.trim()).filter(|seller| !seller.is_empty())
}

/// One seller's roll: his name on both, or where one does not say, the code of a roll, which is one seller's.
fn one_roll(a: &Paper, b: &Paper) -> bool {
    match (seller(a), seller(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.invoice.as_ref().is_some_and(|invoice| !invoice.code.is_empty()),
    }
}

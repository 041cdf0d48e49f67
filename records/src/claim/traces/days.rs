//! Expenses against work: a day without any (A7), a night elsewhere (A8), two places at once (A10), work that was taken
//! back (A12).

use std::collections::BTreeSet;

use crate::claim::checks::needs_sheet;
use crate::claim::traces::Trace;
use crate::claim::traces::place::{differ, further_than};
use crate::claim::traces::trail::{Paper, Sheet, Trail, list};
use crate::claim::view::Line;
use crate::id::DocId;
use crate::kinds::voucher::Category;
use crate::policy::calendar::Calendar;
use crate::policy::terms::Policy;
use crate::time::{Day, Ts};
use crate::value::{Fix, Target};

/// Asks A7, A8, A10 and A12.
pub fn look(trail: &Trail, policy: &Policy, calendar: &Calendar, traces: &mut Vec<Trace>) {
    let days = worked(trail);
    for line in trail.claim.lines.iter().filter(|line| !line.is_adjustment()) {
        traces.extend(idle(line, &days, calendar));
        traces.extend(elsewhere(trail, policy, line));
        traces.extend(taken_back(trail, line));
    }
    traces.extend(overlapping_sheets(trail, policy));
    traces.extend(overlapping_legs(trail, policy));
}

/// Returns the days on which the person worked or travelled.
fn worked(trail: &Trail) -> BTreeSet<Day> {
    let sheets = own_sheets(trail).map(|(_, sheet)| (sheet.from, sheet.to));
    let legs = trail.legs.iter().map(|leg| (Some(leg.depart), Some(leg.arrive)));
    sheets.chain(legs).flat_map(|(from, to)| days(from, to, trail)).collect()
}

/// Days that one visit may take: a slip of the year is no work of a year.
const VISIT_DAYS_MAX: i32 = 31;

fn days(from: Option<Ts>, to: Option<Ts>, trail: &Trail) -> impl Iterator<Item = Day> {
    let day = |at: Ts| at.day(trail.zone);
    let first = from.or(to).map(day);
    let last = to.or(from).map(day);
    let span =
        first.zip(last).map(|(first, last)| (first.0, last.0.min(first.0.saturating_add(VISIT_DAYS_MAX))));
    span.into_iter().flat_map(|(first, last)| (first..=last).map(Day))
}

/// Returns the person's own sheets that stand.
fn own_sheets(trail: &Trail) -> impl Iterator<Item = (DocId, &Sheet)> {
    let own =
        |(_, sheet): &(&DocId, &Sheet)| sheet.gone.is_none() && sheet.staff.contains(&trail.claim.staff);
    trail.sheets.iter().filter(own).map(|(id, sheet)| (*id, sheet))
}

/// A7: an expense that work brings, on a day without a sheet or travel. A free day with work on it is a worked one;
/// leave is not recorded, so it is not seen.
fn idle(line: &Line, worked: &BTreeSet<Day>, calendar: &Calendar) -> Option<Trace> {
    let date = line.date.filter(|date| !worked.contains(date))?;
    line.category.filter(|category| needs_sheet(*category))?;
    let trace = Trace::new("A7", Some(line.n)).fact("date", &date).fact("amount", &line.claimed);
    Some(if calendar.is_working(date) { trace } else { trace.fact("free", &date) })
}

/// A8: a night in another place than the work of that day.
///
/// Positions count where both are known: the photo's, taken on the day on the voucher or the day after, and the visit's.
/// Else the cities that voucher and site name: then only that they differ is seen.
fn elsewhere(trail: &Trail, policy: &Policy, line: &Line) -> Option<Trace> {
    line.category.filter(|category| *category == Category::LODGING)?;
    let date = line.date?;
    let on = |sheet: &Sheet| days(sheet.from, sheet.to, trail).any(|day| day == date);
    let work: Vec<(DocId, &Sheet)> = own_sheets(trail).filter(|(_, sheet)| on(sheet)).collect();
    let papers: Vec<&Paper> = trail.own().filter(|(n, _)| *n == line.n).map(|(_, paper)| paper).collect();
    let limit = u32::from(policy.trace.place_km).saturating_mul(1000);
    let slept: Vec<Fix> = papers.iter().filter_map(|paper| photographed(paper, trail)).collect();
    let sites: Vec<(Fix, (DocId, &Sheet))> =
        work.iter().filter_map(|(id, sheet)| Some((sheet.fix?, (*id, *sheet)))).collect();
    let trace = |sheets: &[(DocId, &Sheet)]| {
        let names =
            list(sheets.iter().map(|(_, sheet)| format!("{} {}", sheet.name, sheet.place).trim().to_owned()));
        let about = papers.iter().map(|paper| paper.id).chain(sheets.iter().map(|(id, _)| *id));
        Trace::new("A8", Some(line.n)).about(about).fact("date", &date).fact("sheets", &names)
    };
    if !slept.is_empty() && !sites.is_empty() {
        let far = slept.iter().all(|bed| sites.iter().all(|(site, _)| further_than(*bed, *site, limit)));
        let sheets: Vec<(DocId, &Sheet)> = sites.into_iter().map(|(_, sheet)| sheet).collect();
        return far.then(|| trace(&sheets).fact("km", &policy.trace.place_km));
    }
    let beds: Vec<&str> = papers.iter().map(|paper| paper.place.as_str()).collect();
    let told = trail.places.get(&date).into_iter().flatten().map(String::as_str);
    let sites: Vec<&str> = work.iter().map(|(_, sheet)| sheet.place.as_str()).chain(told).collect();
    let other = |bed: &&str| !sites.is_empty() && sites.iter().all(|site| differ(bed, site));
    let bed = beds.first().filter(|_| beds.iter().all(other))?;
    Some(trace(&work).fact("place", &bed).fact("sites", &list(sites.iter().map(|site| (*site).to_owned()))))
}

/// Returns where a voucher was photographed, where that was on its day or the day after.
fn photographed(paper: &Paper, trail: &Trail) -> Option<Fix> {
    let date = paper.date?;
    let at = |taken: Ts| (0..=1).contains(&taken.day(trail.zone).0.saturating_sub(date.0));
    paper.photos.iter().find_map(|photo| photo.fix.filter(|fix| !fix.mock && photo.taken_at.is_some_and(at)))
}

const MINUTE_MS: i64 = 60_000;

/// Returns the minutes, rounded down, for which two spans overlap, where that is more than the policy bears.
fn overlap(a: (Ts, Ts), b: (Ts, Ts), policy: &Policy) -> Option<i64> {
    let ms = a.1.0.min(b.1.0).saturating_sub(a.0.0.max(b.0.0));
    (ms > i64::from(policy.trace.overlap_min) * MINUTE_MS).then_some(ms / MINUTE_MS)
}

/// A10: two visits of one person at the same time.
fn overlapping_sheets(trail: &Trail, policy: &Policy) -> Vec<Trace> {
    let mut spans: Vec<((Ts, Ts), DocId, &Sheet)> =
        own_sheets(trail).filter_map(|(id, sheet)| Some(((sheet.from?, sheet.to?), id, sheet))).collect();
    spans.sort_by_key(|(span, id, _)| (*span, *id));
    let mut found = Vec::new();
    for (n, (a, first, one)) in spans.iter().enumerate() {
        // Sorted by their begin: what begins after the end of this one overlaps it no more.
        let later = spans.iter().skip(n + 1).take_while(|(b, ..)| b.0 < a.1);
        for (b, second, two) in later {
            if let Some(minutes) = overlap(*a, *b, policy) {
                let said = |(from, to): (Ts, Ts), sheet: &Sheet| span(from, to, &sheet.name, trail);
                let trace = Trace::new("A10", None).about([*first, *second]).fact("first", &said(*a, one));
                found.push(trace.fact("second", &said(*b, two)).fact("minutes", &minutes));
            }
        }
    }
    found
}

/// A10: two stretches of travel of one person at the same time; one that stands twice word for word is one.
fn overlapping_legs(trail: &Trail, policy: &Policy) -> Vec<Trace> {
    let legs: Vec<_> = trail.legs.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut found = Vec::new();
    for (n, a) in legs.iter().enumerate() {
        for b in legs.iter().skip(n + 1).take_while(|b| b.depart < a.arrive) {
            if let Some(minutes) = overlap((a.depart, a.arrive), (b.depart, b.arrive), policy) {
                let said = |leg: &crate::claim::traces::trail::Leg| {
                    span(leg.depart, leg.arrive, &format!("{} → {}", leg.from, leg.to), trail)
                };
                let trace = Trace::new("A10", None).fact("first", &said(a)).fact("second", &said(b));
                found.push(trace.fact("minutes", &minutes));
            }
        }
    }
    found
}

fn span(from: Ts, to: Ts, name: &str, trail: &Trail) -> String {
    format!("{name} {} – {}", from.minute(trail.zone), to.minute(trail.zone))
}

/// A12: a sheet of the line was thrown away, sent back or amended.
fn taken_back(trail: &Trail, line: &Line) -> Option<Trace> {
    trail.claim.submission.as_ref()?;
    let named = line.sheets.iter().filter_map(|sheet| match sheet {
        Target::Doc(id) => Some((*id, trail.sheets.get(id)?)),
        Target::Text(_) => None,
    });
    let gone: Vec<(DocId, String)> =
        named.filter_map(|(id, sheet)| Some((id, format!("{} {}", sheet.name, sheet.gone?)))).collect();
    let about: Vec<DocId> = gone.iter().map(|(id, _)| *id).collect();
    let said = list(gone.into_iter().map(|(_, said)| said));
    (!about.is_empty()).then(|| Trace::new("A12", Some(line.n)).about(about).fact("sheets", &said))
}

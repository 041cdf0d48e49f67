//! What a line lacks of work sheets.

use crate::claim::checks::{Asked, attached, needs_sheet, not_here};
use crate::id::DocId;
use crate::kinds::exception::ExceptionKind;
use crate::kinds::voucher::Category;
use crate::policy::choices::Needed;
use crate::policy::cycle::HalfMonth;
use crate::problems::Problem;
use crate::time::Day;
use crate::value::Target;

/// Which work stands behind a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    None,
    OtherDay,
    OnDay,
}

impl Asked<'_> {
    /// Work sheets: one of the day or the trip, on the day itself; and on a free day one at all.
    pub(super) fn sheets(&self) -> Vec<Problem> {
        let (line, facts) = (self.line, self.facts);
        let mut problems = Vec::new();
        let Some(category) = line.category else {
            return problems;
        };
        let listed = line.sheets.iter().filter_map(|sheet| match sheet {
            Target::Doc(id) => Some(*id),
            Target::Text(_) => None,
        });
        let unknown = listed.clone().filter(|id| !facts.sheets.contains_key(id));
        problems.extend(unknown.map(|id| not_here("sheet", &id).fact("line", line.n.to_string())));
        let work = self.work();
        let needed = needs_sheet(category) && facts.policy.attach.work_sheet == Needed::Required;
        let explained = !line.no_sheet_reason.trim().is_empty() || self.may_lack_sheet();
        match work {
            Work::None if needed && !explained => problems.push(self.problem("B4", "sheet")),
            Work::OtherDay if needed => problems.push(self.problem("R3", "sheet").fact("date", self.on())),
            _ => {}
        }
        let free = line.date.is_some_and(|date| !facts.calendar.is_working(date));
        if free && work == Work::None && category != Category::PHONE && !explained {
            problems.push(self.problem("R4", "date").fact("date", self.on()));
        }
        problems
    }

    fn on(&self) -> String {
        self.line.trip_day.or(self.line.date).map_or_else(String::new, |day| day.to_string())
    }

    /// Returns what work stands behind the line: of its own sheets, or where it names none, of the trip's.
    fn work(&self) -> Work {
        let (line, facts) = (self.line, self.facts);
        let days = [line.trip_day, line.date];
        let on_day = |day: &Day| days.contains(&Some(*day));
        let mut best = Work::None;
        for sheet in &line.sheets {
            let fact = match sheet {
                Target::Doc(id) => facts.sheets.get(id),
                Target::Text(_) => None,
            };
            best = best.max(match fact {
                // Its day is not known here: N6 says so.
                None => Work::OnDay,
                Some(fact) if !fact.stands => Work::None,
                Some(fact) if fact.days.iter().any(on_day) => Work::OnDay,
                Some(_) => Work::OtherDay,
            });
        }
        if line.sheets.is_empty() {
            let half = days.into_iter().flatten().next().and_then(HalfMonth::of);
            for trip in attached(self.claim, facts).filter(|trip| Some(trip.half) == half) {
                let stands = |id: &DocId| facts.sheets.get(id).is_none_or(|fact| fact.stands);
                let listed = trip.sheets.iter().filter(|(_, ids)| ids.iter().any(stands));
                for (day, _) in listed {
                    best = best.max(if on_day(day) { Work::OnDay } else { Work::OtherDay });
                }
            }
        }
        best
    }

    fn may_lack_sheet(&self) -> bool {
        self.facts.granted(ExceptionKind::MISSING_SHEET, |granted| {
            granted.claim == Some(self.claim.id) && granted.line.is_none_or(|n| n == self.line.n)
        })
    }
}

//! A half-month day by day, out of sheets, travel legs and jobs: what the person need not type.

use std::collections::{BTreeMap, BTreeSet};

use records::id::DocId;
use records::kinds::sheet::Legs;
use records::kinds::trip::TripDays;
use records::policy::cycle::HalfMonth;
use records::time::{Day, Zone};
use records::value::{Count, Ref, Target, Text};

/// Something that was done on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// When.
    pub day: Day,
    /// Where, in words; empty where nobody said.
    pub place: String,
    /// For whom.
    pub customer: Option<Target>,
    /// At which site.
    pub site: Option<Target>,
    /// What for, in words.
    pub purpose: String,
    /// The sheet that says so; `None` for a job without one.
    pub sheet: Option<DocId>,
}

/// One day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuiltDay {
    /// What stands on it.
    pub row: TripDays,
    /// Its sheets.
    pub sheets: BTreeSet<DocId>,
}

/// Returns the days of a half-month on which something was done, travelled or written.
///
/// `stops` and `legs` may reach beyond the half-month; `written` are the person's corrections: each field that he wrote
/// stands above what was built. A night is counted where the last leg so far ended elsewhere than the first one began.
///
/// Source: docs/RULES.md P-10.
#[must_use]
pub fn build(
    half: HalfMonth,
    stops: &[Stop],
    legs: &[Legs],
    written: &[TripDays],
    zone: Zone,
) -> BTreeMap<Day, BuiltDay> {
    let inside = |day: &Day| (half.first()..=half.last()).contains(day);
    let mut days: BTreeMap<Day, BuiltDay> = BTreeMap::new();
    for stop in stops.iter().filter(|stop| inside(&stop.day)) {
        days.entry(stop.day).or_default().take(stop);
    }
    for (day, place) in ends(legs, zone).into_iter().filter(|(day, _)| inside(day)) {
        let built = days.entry(day).or_default();
        if built.row.place.is_none() {
            built.row.place = said(&place);
        }
    }
    for (day, nights) in nights(legs, zone).into_iter().filter(|(day, _)| inside(day)) {
        if let Some(built) = days.get_mut(&day) {
            built.row.nights = Some(Count(nights));
        }
    }
    for row in written {
        if let Some(day) = row.date.filter(inside) {
            days.entry(day).or_default().correct(row);
        }
    }
    for (day, built) in &mut days {
        built.row.date = Some(*day);
    }
    days
}

impl BuiltDay {
    fn take(&mut self, stop: &Stop) {
        self.row.place = joined(self.row.place.take(), &stop.place);
        self.row.purpose = joined(self.row.purpose.take(), &stop.purpose);
        self.row.customer = self.row.customer.take().or_else(|| stop.customer.clone().map(Ref));
        self.row.site = self.row.site.take().or_else(|| stop.site.clone().map(Ref));
        self.sheets.extend(stop.sheet);
    }

    fn correct(&mut self, written: &TripDays) {
        let row = &mut self.row;
        row.place = written.place.clone().or_else(|| row.place.take());
        row.customer = written.customer.clone().or_else(|| row.customer.take());
        row.site = written.site.clone().or_else(|| row.site.take());
        row.purpose = written.purpose.clone().or_else(|| row.purpose.take());
        row.nights = written.nights.or(row.nights);
        row.allowance_days = written.allowance_days.or(row.allowance_days);
    }
}

/// Adds words to a text that does not hold them yet.
fn joined<const MAX: u16>(text: Option<Text<MAX>>, more: &str) -> Option<Text<MAX>> {
    let more = more.trim();
    match text {
        None => said(more),
        Some(text) if more.is_empty() || text.0.contains(more) => Some(text),
        Some(text) => said(&format!("{}；{more}", text.0)),
    }
}

fn said<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
    let cut: String = text.chars().take(MAX.into()).collect();
    (!cut.is_empty()).then_some(Text(cut))
}

/// The legs in the order of their time, each with the days of its departure and arrival.
fn in_order(legs: &[Legs], zone: Zone) -> Vec<(Day, Day, &Legs)> {
    let timed = legs.iter().filter_map(|leg| {
        let (depart, arrive) = (leg.depart.or(leg.arrive)?, leg.arrive.or(leg.depart)?);
        Some((depart, depart.day(zone), arrive.day(zone), leg))
    });
    let mut timed: Vec<_> = timed.collect();
    timed.sort_by_key(|(depart, ..)| *depart);
    timed.into_iter().map(|(_, from, to, leg)| (from, to, leg)).collect()
}

/// Where each day's last leg ended.
fn ends(legs: &[Legs], zone: Zone) -> BTreeMap<Day, String> {
    let legs = in_order(legs, zone);
    let places = legs.into_iter().filter_map(|(_, day, leg)| Some((day, leg.to_place.as_ref()?.0.clone())));
    places.collect()
}

/// Which days ended away from where the first leg began: until the leg back home each night counts.
fn nights(legs: &[Legs], zone: Zone) -> BTreeMap<Day, u32> {
    let legs = in_order(legs, zone);
    let Some(home) = legs.first().and_then(|(_, _, leg)| leg.from_place.as_ref()) else {
        return BTreeMap::new();
    };
    let (home, mut nights) = (home.0.trim(), BTreeMap::new());
    for (at, (_, day, leg)) in legs.iter().enumerate() {
        let next = legs.get(at + 1).map(|(from, ..)| *from);
        let away = leg.to_place.as_ref().is_some_and(|place| place.0.trim() != home);
        // Without a leg that follows nobody knows when he went home.
        let until = next.unwrap_or(*day);
        for day in (day.0..until.0).map(Day) {
            nights.insert(day, u32::from(away));
        }
    }
    nights
}

#[cfg(test)]
mod tests {
    use records::time::Ts;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn stop(date: &str, place: &str, purpose: &str, sheet: u64) -> Stop {
        Stop {
            day: day(date),
            place: place.to_owned(),
            customer: None,
            site: None,
            purpose: purpose.to_owned(),
            sheet: Some(format!("7.1.{sheet}").parse().unwrap()),
        }
    }

    fn leg(from: &str, to: &str, depart: &str, arrive: &str) -> Legs {
        let ts = |text: &str| Ts::parse(text, Zone::SHANGHAI).ok();
        Legs {
            from_place: said(from),
            to_place: said(to),
            depart: ts(depart),
            arrive: ts(arrive),
            ..Legs::default()
        }
    }

    fn built(
        stops: &[Stop],
        legs: &[Legs],
        written: &[TripDays],
    ) -> Vec<(String, String, String, Option<u32>)> {
        let text = |text: Option<String>| text.unwrap_or_default();
        let row = |(day, built): (Day, BuiltDay)| {
            let BuiltDay { row, .. } = built;
            let (place, purpose) = (text(row.place.map(|t| t.0)), text(row.purpose.map(|t| t.0)));
            (day.to_string(), place, purpose, row.nights.map(|n| n.0))
        };
        let half = "2026-11-H1".parse().unwrap();
        build(half, stops, legs, written, Zone::SHANGHAI).into_iter().map(row).collect()
    }

    fn expect(
        date: &str,
        place: &str,
        purpose: &str,
        nights: Option<u32>,
    ) -> (String, String, String, Option<u32>) {
        (date.to_owned(), place.to_owned(), purpose.to_owned(), nights)
    }

    #[test]
    fn sheets_of_a_day_share_it_and_days_outside_the_half_are_left_out() {
        let stops = [
            stop("2026-11-03", "Acme", "repair", 1),
            stop("2026-11-03", "Bolt", "repair", 2),
            stop("2026-11-16", "Far", "later", 3),
        ];
        assert_eq!(built(&stops, &[], &[]), [expect("2026-11-03", "Acme；Bolt", "repair", None)]);
        let days = build("2026-11-H1".parse().unwrap(), &stops, &[], &[], Zone::SHANGHAI);
        assert_eq!(days[&day("2026-11-03")].sheets.len(), 2);
    }

    #[test]
    fn a_correction_stands_above_what_is_built_later_and_only_where_it_was_made() {
        let written =
            TripDays { date: Some(day("2026-11-03")), nights: Some(Count(1)), ..TripDays::default() };
        let first = [stop("2026-11-03", "Acme", "repair", 1)];
        assert_eq!(
            built(&first, &[], std::slice::from_ref(&written)),
            [expect("2026-11-03", "Acme", "repair", Some(1))]
        );
        let later = [first[0].clone(), stop("2026-11-03", "Bolt", "check", 2)];
        let place = TripDays { place: said("Hangzhou"), ..written };
        assert_eq!(
            built(&later, &[], &[place]),
            [expect("2026-11-03", "Hangzhou", "repair；check", Some(1))]
        );
    }

    #[test]
    fn each_night_between_the_way_out_and_the_way_home_counts() {
        let legs = [
            leg("Hangzhou", "Ningbo", "2026-11-03 08:00", "2026-11-03 10:00"),
            leg("Ningbo", "Wenzhou", "2026-11-05 08:00", "2026-11-05 11:00"),
            leg("Wenzhou", "Hangzhou", "2026-11-06 17:00", "2026-11-06 21:00"),
        ];
        let stops = [stop("2026-11-04", "", "check", 1)];
        let expected = [
            expect("2026-11-03", "Ningbo", "", Some(1)),
            expect("2026-11-04", "", "check", Some(1)),
            expect("2026-11-05", "Wenzhou", "", Some(1)),
            expect("2026-11-06", "Hangzhou", "", None),
        ];
        assert_eq!(built(&stops, &legs, &[]), expected);
    }
}

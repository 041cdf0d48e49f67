//! How far apart two positions are, and which city a text names; whole numbers only.
//!
//! Without a map of cities, texts tell only that two cities differ, not how far apart they lie.

use crate::value::Fix;

/// 1e-7 degrees of a meridian, in 1/1000 mm: 20,003,931 m over half a turn.
const UNIT_UM: i128 = 11_113;
/// cos(k · 5°) for k = 0 to 18, in 1/2^14; between them in a straight line, off by at most 1/1000 below 60° north.
const COSINES: [i128; 19] = [
    16384, 16322, 16135, 15826, 15396, 14849, 14189, 13421, 12551, 11585, 10531, 9397, 8192, 6924, 5604,
    4240, 2845, 1428, 0,
];
/// 5 degrees in 1e-7 degrees.
const STEP: i128 = 50_000_000;
/// Half a turn in 1e-7 degrees.
const HALF_TURN: i128 = 1_800_000_000;

/// Returns whether two positions lie further apart than `metres`, their inaccuracies taken off.
///
/// Right within 1 % up to some 500 km below 60° north; far ones stay far.
///
/// ```
/// use records::claim::traces::place::further_than;
/// use records::value::Fix;
/// let at = |lat, lon| Fix { lat, lon, accuracy: 0, mock: false };
/// let (nanjing, suzhou) = (at(320_600_000, 1_187_900_000), at(313_000_000, 1_205_800_000));
/// assert!(further_than(nanjing, suzhou, 185_000) && !further_than(nanjing, suzhou, 190_500));
/// ```
#[must_use]
pub fn further_than(a: Fix, b: Fix, metres: u32) -> bool {
    let north = (i128::from(a.lat) - i128::from(b.lat)).abs() * UNIT_UM;
    let turn = (i128::from(a.lon) - i128::from(b.lon)).abs();
    let turn = turn.min(2 * HALF_TURN - turn).max(0);
    let east = turn * UNIT_UM / 16384 * cosine(i128::midpoint(i128::from(a.lat), i128::from(b.lat)).abs());
    let limit = i128::from(metres) + i128::from(a.accuracy) + i128::from(b.accuracy);
    north * north + east * east > (limit * 1_000_000) * (limit * 1_000_000)
}

/// Returns the cosine of a latitude, 0 to 90 degrees in 1e-7, in 1/2^14.
fn cosine(lat: i128) -> i128 {
    let at = |k: i128| usize::try_from(k).ok().and_then(|k| COSINES.get(k)).copied().unwrap_or(0);
    let (k, rest) = (lat / STEP, lat % STEP);
    at(k) + (at(k + 1) - at(k)) * rest / STEP
}

/// Returns the city that a Chinese address names: what stands before 市, without the province; `None` of a text that
/// names none.
///
/// ```
/// use records::claim::traces::place::city;
/// assert_eq!(city("江苏省苏州市工业园区 1 号"), Some("苏州"));
/// assert_eq!(city("北京市朝阳区"), Some("北京"));
/// assert_eq!(city("如家酒店"), None);
/// ```
#[must_use]
pub fn city(text: &str) -> Option<&str> {
    let (before, _) = text.split_once('市')?;
    let after = |word: &str| before.rfind(word).and_then(|at| before.get(at + word.len()..));
    let name = after("自治区").or_else(|| after("省")).unwrap_or(before).trim();
    (1..=12).contains(&name.chars().count()).then_some(name)
}

/// Returns whether two texts name two different cities; a text that mentions the other's city does not.
#[must_use]
pub fn differ(a: &str, b: &str) -> bool {
    match (city(a), city(b)) {
        (Some(one), Some(two)) => !a.contains(two) && !b.contains(one),
        _ => false,
    }
}

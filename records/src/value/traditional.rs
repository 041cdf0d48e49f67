//! The labels and sentences of the tables in traditional Chinese: one line each of `traditional.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Each text in simplified Chinese, a tab, and the same in traditional; what is written alike in both is left out.
static TABLE: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    include_str!("traditional.txt").lines().filter_map(|line| line.split_once('\t')).collect()
});

/// Returns a label or sentence of the tables in traditional Chinese; one that is written alike in both comes back.
///
/// ```
/// use records::value::traditional::of;
/// assert_eq!(of("报销单"), "報銷單");
/// assert_eq!(of("日期"), "日期");
/// ```
#[must_use]
pub fn of(simplified: &'static str) -> &'static str {
    TABLE.get(simplified).copied().unwrap_or(simplified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_pair_with_the_same_places_and_no_two_are_of_one_text() {
        let lines: Vec<&str> = include_str!("traditional.txt").lines().collect();
        assert_eq!(TABLE.len(), lines.len());
        let places = |text: &str| {
            let mut places: Vec<String> = text.split('{').skip(1).map(str::to_owned).collect();
            places.iter_mut().for_each(|place| place.truncate(place.find('}').unwrap_or(0)));
            places
        };
        for (simplified, traditional) in TABLE.iter() {
            assert_ne!(simplified, traditional);
            assert_eq!(places(simplified), places(traditional), "{simplified}");
            let parts = |text: &str| text.matches(['⟦', '⟧']).count();
            assert_eq!(parts(simplified), parts(traditional), "{simplified}");
        }
    }
}

//! Chinese by the initials of its pinyin: whoever types `ljg` finds 李建国.

use pinyin::ToPinyin;

/// Returns a text with each Chinese character as the first letter of its pinyin, small, and without blanks; what is not
/// Chinese stays, small.
///
/// A character with several readings has the most common one.
///
/// ```
/// assert_eq!(records::pinyin::initials("李建国 E01"), "ljge01");
/// ```
#[must_use]
pub fn initials(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for (character, read) in text.chars().zip(text.to_pinyin()) {
        match read {
            Some(read) => folded.push_str(read.first_letter()),
            None if character.is_whitespace() => {}
            None => folded.extend(character.to_lowercase()),
        }
    }
    folded
}

/// Returns whether a text is found by what somebody typed: it holds it, whatever the case, or its initials do.
///
/// ```
/// use records::pinyin::finds;
/// assert!(finds("李建国", "建国") && finds("李建国", "LJG") && finds("Pump AB-7", "ab-7"));
/// assert!(!finds("李建国", "lx") && !finds("李建国", "王"));
/// ```
#[must_use]
pub fn finds(text: &str, typed: &str) -> bool {
    let typed = typed.trim().to_lowercase();
    if text.to_lowercase().contains(&typed) {
        return true;
    }
    let letters = typed.chars().all(|c| c.is_ascii_alphanumeric());
    letters && !text.is_ascii() && initials(text).contains(&typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_chinese_stays_as_it_is() {
        assert_eq!(initials("上海 ABC-12（虹桥）"), "shabc-12（hq）");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn initials_find_only_what_holds_chinese() {
        assert!(!finds("Wang", "wa ng") && finds("Wang", "wang") && finds("Wang", ""));
        assert!(finds("客户服务中心", "fwzx") && !finds("客户服务中心", "zx fw"));
    }
}

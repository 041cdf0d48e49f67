//! Chinese by the initials of its pinyin: whoever types `ljg` finds 李建国.

/// The characters that names are written with, from this one on, lie side by side in [`NEAR`].
const NEAR_FROM: u32 = 0x3400;
/// A letter for each of them, `-` where a character has no reading.
static NEAR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/initials.near"));
/// The rare others in pairs of bytes: how far behind the one before, and the letter; `-` on a way longer than a byte.
static FAR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/initials.far"));

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
    for character in text.chars() {
        match initial(character) {
            Some(letter) => folded.push(letter),
            None if character.is_whitespace() => {}
            None => folded.extend(character.to_lowercase()),
        }
    }
    folded
}

/// Returns the first letter of a Chinese character's most common reading.
fn initial(character: char) -> Option<char> {
    let code = u32::from(character);
    let near = code.checked_sub(NEAR_FROM).and_then(|at| NEAR.get(usize::try_from(at).ok()?));
    let letter = near.copied().or_else(|| far(code))?;
    (letter != b'-').then_some(char::from(letter))
}

fn far(code: u32) -> Option<u8> {
    let (pairs, _) = FAR.as_chunks::<2>();
    let mut at = 0;
    for [further, letter] in pairs {
        at += u32::from(*further);
        if at >= code {
            return (at == code).then_some(*letter);
        }
    }
    None
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
    fn characters_have_the_letters_of_the_table_that_ours_is_made_of() {
        let theirs =
            |c: char| pinyin::ToPinyin::to_pinyin(&c).and_then(|read| read.first_letter().chars().next());
        // All near ones, and of the others, which are looked for one by one, a part.
        let near = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c);
        let part = |c: char| u32::from(c) % if theirs(c).is_some() { 17 } else { 4_099 } == 0;
        let wrong = ('\0'..=char::MAX).filter(|c| near(*c) || part(*c)).find(|c| initial(*c) != theirs(*c));
        assert_eq!(wrong, None);
    }

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

//! Breaking a text into lines, the way Chinese and Latin text are broken.

use crate::typefaces::Typefaces;

/// Signs that may not begin a line.
const CLOSING: &str = "，。、；：？！）》」』】〉”’％…—·,.;:?!)]}%";

/// Signs that may not end one.
const OPENING: &str = "（《「『【〈“‘([{￥¥";

/// Returns the lines of a text that are at most so wide, in hundredths of a point, set in `size`.
///
/// Paragraphs end with a line feed; a Latin word is kept whole where it fits into a line; there is at least one line.
pub(crate) fn broken(faces: &Typefaces, text: &str, width: i32, size: i32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let (mut used, mut good, mut before) = (0, 0, ' ');
        for letter in paragraph.chars().filter(|c| !c.is_control()) {
            if may_part(before, letter) {
                good = line.len();
            }
            let advance = faces.width(letter.encode_utf8(&mut [0; 4]), size);
            if used + advance > width && !line.is_empty() && letter != ' ' {
                let rest = line.split_off(if good > 0 { good } else { line.len() });
                lines.push(line.trim_end().to_owned());
                line = rest;
                used = faces.width(&line, size);
                good = 0;
            }
            if !(line.is_empty() && letter == ' ' && before == ' ') {
                line.push(letter);
                used += advance;
            }
            before = letter;
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Returns whether a line may end between two characters.
fn may_part(before: char, after: char) -> bool {
    let tied = CLOSING.contains(after) || OPENING.contains(before) || after == ' ';
    !tied && (before == ' ' || before == '-' || is_wide(before) || is_wide(after))
}

/// Returns whether a character stands in a square of its own: ideographs, kana, and the signs that go with them.
fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
}

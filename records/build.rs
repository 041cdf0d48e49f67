//! Takes the first letters out of a table of readings that is ten times as large.

use std::error::Error;
use std::path::Path;

use pinyin::ToPinyin;

/// The characters whose letters lie side by side; those before and behind are rare.
const NEAR: std::ops::RangeInclusive<char> = '\u{3400}'..='\u{9fff}';

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let letter = |character: char| {
        let letter = character.to_pinyin()?.first_letter();
        letter.bytes().next().filter(u8::is_ascii_lowercase)
    };
    let near: Vec<u8> = NEAR.map(|character| letter(character).unwrap_or(b'-')).collect();
    let (mut far, mut at) = (Vec::new(), 0);
    for character in ('\0'..=char::MAX).filter(|character| !NEAR.contains(character)) {
        if let Some(letter) = letter(character) {
            let code = u32::from(character);
            while code - at > u32::from(u8::MAX) {
                far.extend_from_slice(&[u8::MAX, b'-']);
                at += u32::from(u8::MAX);
            }
            far.extend_from_slice(&[u8::try_from(code - at)?, letter]);
            at = code;
        }
    }
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("initials.near"), near)?;
    Ok(std::fs::write(Path::new(&out).join("initials.far"), far)?)
}

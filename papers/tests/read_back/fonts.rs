//! Which fonts a paper is set in.

use std::collections::BTreeSet;

use papers::paper::{Paper, PaperError, Print, TEXT_BYTES_MAX};
use papers::paste::PasteSheets;
use papers::typefaces::{FontError, Typefaces};
use papers::words::Lang;
use proptest::prelude::*;

use crate::{FONT, Printed};

fn needed(text: &str) -> BTreeSet<char> {
    text.chars().collect()
}

fn choose(text: &str, files: &[&[u8]]) -> Result<Typefaces, FontError> {
    Typefaces::choose(&needed(text), Lang::ZhCn, files.iter().map(|file| file.to_vec()))
}

fn named(claimant: &str) -> Print {
    let sheets = PasteSheets {
        number: "BJ01-E1001-2026-0007".to_owned(),
        claimant: claimant.to_owned(),
        max_per_sheet: 15,
        vouchers: Vec::new(),
    };
    Print { lang: Lang::ZhCn, title: "T".to_owned(), papers: vec![Paper::Paste(sheets)] }
}

#[test]
fn a_letter_that_no_font_has_is_an_error_that_names_it() {
    let refused = choose("张𰻞", &[FONT]).unwrap_err();
    assert_eq!(refused, FontError::Uncovered { characters: needed("𰻞") });
}

#[test]
fn a_sign_that_no_font_has_is_drawn_as_a_box_and_told() {
    let print = named("张三😀");
    let faces = Typefaces::choose(&print.characters().unwrap(), print.lang, [FONT.to_vec()]).unwrap();
    assert_eq!(*faces.replaced(), needed("😀"));
    Printed::of(&print).has("张三□");
}

#[test]
fn files_that_are_no_fonts_are_passed_over() {
    assert!(choose("张三", &[b"", b"ttcf", b"no font at all", FONT]).is_ok());
    assert_eq!(choose("张三", &[b"no font"]).unwrap_err(), FontError::NoFont);
    assert_eq!(choose("张三", &[]).unwrap_err(), FontError::NoFont);
}

#[test]
fn a_font_that_may_not_be_embedded_is_passed_over() {
    let mut closed = FONT.to_vec();
    let at = table(&closed, b"OS/2") + 8;
    closed[at..at + 2].copy_from_slice(&[0, 2]);
    assert_eq!(choose("张三", &[&closed]).unwrap_err(), FontError::NoFont);
}

#[test]
fn no_more_files_are_read_than_are_needed() {
    let files = [FONT.to_vec(), FONT.to_vec()];
    let mut read = 0;
    let counted = files.into_iter().inspect(|_| read += 1);
    Typefaces::choose(&needed("张三"), Lang::ZhCn, counted).unwrap();
    assert_eq!(read, 1);
}

#[test]
fn a_font_that_ends_early_is_an_error() {
    let print = named("张三");
    let cut = FONT[..FONT.len() / 2].to_vec();
    let characters = print.characters().unwrap();
    let ended = match Typefaces::choose(&characters, print.lang, [cut]) {
        Err(_) => true,
        Ok(faces) => print.pdf(&faces) == Err(PaperError::Font),
    };
    assert!(ended);
}

#[test]
fn more_text_than_a_file_holds_is_refused() {
    let print = named(&"长".repeat(TEXT_BYTES_MAX / 3 + 1));
    assert!(matches!(print.characters(), Err(PaperError::TooLong { .. })));
}

#[test]
fn equal_papers_are_equal_bytes_and_hold_only_the_glyphs_they_use() {
    let print = named("欧阳明轩");
    let faces = || Typefaces::choose(&print.characters().unwrap(), print.lang, [FONT.to_vec()]).unwrap();
    let bytes = print.pdf(&faces()).unwrap();
    assert_eq!(bytes, print.pdf(&faces()).unwrap());
    assert!(bytes.len() < 30_000, "{} bytes of a font of {}", bytes.len(), FONT.len());
}

/// Returns where a table of a font begins.
fn table(font: &[u8], tag: &[u8; 4]) -> usize {
    let record = font[12..].chunks(16).find(|record| record.starts_with(tag)).unwrap();
    usize::try_from(u32::from_be_bytes(record[8..12].try_into().unwrap())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_font_never_panics(at in 0_usize..2_000, byte: u8, tail in 0_usize..1_600_000) {
        let mut font = FONT.to_vec();
        font[at] = byte;
        font[tail] ^= byte;
        let print = named("欧阳明轩");
        if let Ok(faces) = Typefaces::choose(&print.characters().unwrap(), print.lang, [font]) {
            let _ = print.pdf(&faces);
        }
    }
}

//! The fonts that a paper is set in: as few of the files at hand as have all its characters.

use std::collections::{BTreeMap, BTreeSet};

use crate::face::Face;
use crate::words::Lang;

/// How many fonts one paper is set in at most: Chinese, Latin, rare characters, and one to spare.
const FACES_MAX: usize = 4;

/// What is drawn for a sign that no font has, best first.
const SUBSTITUTES: [char; 3] = ['□', '?', ' '];

/// The fonts that a paper is set in, with the glyphs of its characters.
#[derive(Debug)]
pub struct Typefaces {
    pub(crate) faces: Vec<Face>,
    glyphs: BTreeMap<char, Glyph>,
    replaced: BTreeSet<char>,
}

/// How a character is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glyph {
    /// The place of its font.
    pub(crate) face: usize,
    /// Its number in the font.
    pub(crate) number: u16,
    /// How far it moves the pen, in thousandths of the size.
    pub(crate) advance: i32,
    /// The character that is read back.
    pub(crate) letter: char,
}

/// Why a paper cannot be set.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum FontError {
    /// None of the files is a font that can be embedded.
    #[error("no font that can be embedded")]
    NoFont,
    /// Letters that no font has; a name must not be printed with a gap.
    #[error("{} characters that no font has", characters.len())]
    Uncovered {
        /// The characters, in order.
        characters: BTreeSet<char>,
    },
}

impl Typefaces {
    /// Takes, in their order, the files that add characters to the ones before, until all are there.
    ///
    /// `needed` comes from [`crate::paper::Print::characters`].
    /// A file that is no font, or must not be embedded, is passed over; so is one whose weight can be chosen, as long as another has its characters.
    /// Signs that are no letters, digits or ideographs, such as pictures in a chat, are drawn as `□` where no font has them; see [`Self::replaced`].
    ///
    /// # Errors
    /// [`FontError`].
    pub fn choose(
        needed: &BTreeSet<char>,
        lang: Lang,
        files: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Self, FontError> {
        let mut chosen = Self { faces: Vec::new(), glyphs: BTreeMap::new(), replaced: BTreeSet::new() };
        let printed = |letter: &char| !letter.is_control() && !letter.is_whitespace();
        let mut missing: BTreeSet<char> = needed.iter().copied().filter(printed).collect();
        missing.extend(SUBSTITUTES);
        let mut last_resort = Vec::new();
        let mut files = files.into_iter();
        while !chosen.is_whole(&missing) {
            let Some(data) = files.next() else {
                break;
            };
            match Face::read(data, lang) {
                Some(face) if face.variable => last_resort.push(face),
                Some(face) => chosen.take(face, &mut missing),
                None => {}
            }
        }
        for face in last_resort {
            if !chosen.is_whole(&missing) {
                chosen.take(face, &mut missing);
            }
        }
        chosen.complete(&missing, needed)
    }

    /// Returns the signs that no font has and that are drawn as `□`.
    #[must_use]
    pub const fn replaced(&self) -> &BTreeSet<char> {
        &self.replaced
    }

    /// Returns how a character is drawn, any white space as one space; `None` for what is not printed.
    pub(crate) fn glyph(&self, letter: char) -> Option<Glyph> {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        self.glyphs.get(&letter).copied()
    }

    /// Returns how wide a text is in a size; both in hundredths of a point.
    pub(crate) fn width(&self, text: &str, size: i32) -> i32 {
        let advances = text.chars().filter_map(|letter| self.glyph(letter)).map(|glyph| glyph.advance);
        advances.fold(0_i32, i32::saturating_add).saturating_mul(size) / 1000
    }

    fn is_whole(&self, missing: &BTreeSet<char>) -> bool {
        let only_substitutes = missing.iter().all(|letter| SUBSTITUTES.contains(letter));
        self.faces.len() == FACES_MAX || !self.faces.is_empty() && only_substitutes
    }

    fn take(&mut self, face: Face, missing: &mut BTreeSet<char>) {
        let found = face.glyphs(missing.iter().copied());
        if found.is_empty() {
            return;
        }
        for (letter, number, advance) in found {
            missing.remove(&letter);
            self.glyphs.insert(letter, Glyph { face: self.faces.len(), number, advance, letter });
        }
        self.faces.push(face);
    }

    fn complete(mut self, missing: &BTreeSet<char>, needed: &BTreeSet<char>) -> Result<Self, FontError> {
        let (letters, signs): (BTreeSet<char>, BTreeSet<char>) =
            missing.iter().copied().partition(|letter| letter.is_alphanumeric());
        let substitute = SUBSTITUTES.iter().find_map(|sign| self.glyph(*sign)).ok_or(FontError::NoFont)?;
        if !letters.is_empty() {
            return Err(FontError::Uncovered { characters: letters });
        }
        self.glyphs.extend(signs.iter().map(|sign| (*sign, substitute)));
        self.replaced = signs.intersection(needed).copied().collect();
        Ok(self)
    }
}

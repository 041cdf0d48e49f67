//! One font of one file: which characters it has, how wide they are, and the part of it that a paper needs.

use read_fonts::types::Tag;
use read_fonts::{FileRef, FontRef, TableProvider};
use subsetter::GlyphRemapper;

use crate::words::Lang;

/// The largest file that is read as a font; Noto CJK with all weights in one file has 120 MB, one weight 20.
pub const FONT_BYTES_MAX: u64 = 64 << 20;

/// How many fonts of a collection are looked at.
const FACES_MAX: u32 = 64;

/// The bit of a font whose maker allows no embedding, and the bits that overrule it.
///
/// Source: OpenType, table OS/2, fsType.
const RESTRICTED: u16 = 0x0002;
const PREVIEW_OR_EDIT: u16 = 0x000c;
const NO_SUBSETS: u16 = 0x0100;

/// A font that may be embedded.
#[derive(Debug)]
pub(crate) struct Face {
    data: Vec<u8>,
    index: u32,
    units: i32,
    /// The name by which programs know it, ASCII only.
    pub(crate) name: String,
    /// Whether its weight can be chosen, so that what is drawn is the first of them, often a thin one.
    pub(crate) variable: bool,
    /// Heights above and below the line, in thousandths of the size.
    pub(crate) ascent: i32,
    /// As `ascent`; negative.
    pub(crate) descent: i32,
    /// The box that holds every glyph: left, bottom, right, top, in thousandths of the size.
    pub(crate) bounds: [i32; 4],
}

/// The outlines of the glyphs that a paper uses.
#[derive(Debug)]
pub(crate) enum Outlines {
    /// A TrueType file.
    TrueType(Vec<u8>),
    /// A bare CFF table with character ids.
    Cff(Vec<u8>),
}

impl Face {
    /// Reads a file; of a collection the font that is drawn for the language.
    ///
    /// `None` for what is no font, has no outlines that can be cut, or may not be embedded in parts.
    pub(crate) fn read(data: Vec<u8>, lang: Lang) -> Option<Self> {
        let index = chosen(&data, lang)?;
        let mut face = Self::of(&FontRef::from_index(&data, index).ok()?)?;
        face.index = index;
        face.data = data;
        Some(face)
    }

    fn of(font: &FontRef<'_>) -> Option<Self> {
        let has = |tag: &[u8; 4]| font.table_data(Tag::new(tag)).is_some();
        let allowed = font.os2().ok().map_or(0, |os2| os2.fs_type());
        let closed = allowed & RESTRICTED != 0 && allowed & PREVIEW_OR_EDIT == 0;
        if !(has(b"glyf") || has(b"CFF ")) || closed || allowed & NO_SUBSETS != 0 {
            return None;
        }
        let head = font.head().ok()?;
        let units = i32::from(head.units_per_em());
        let lines = font.hhea().ok()?;
        let per_mille = |value: i16| (units > 0).then(|| i32::from(value) * 1000 / units);
        Some(Self {
            data: Vec::new(),
            index: 0,
            units,
            name: name(font, 6).unwrap_or_default().chars().filter(char::is_ascii_graphic).collect(),
            variable: has(b"fvar"),
            ascent: per_mille(lines.ascender().to_i16())?,
            descent: per_mille(lines.descender().to_i16())?,
            bounds: [
                per_mille(head.x_min())?,
                per_mille(head.y_min())?,
                per_mille(head.x_max())?,
                per_mille(head.y_max())?,
            ],
        })
    }

    /// Returns the glyph of a character and its width in thousandths of the size, for each that the font has.
    pub(crate) fn glyphs(&self, wanted: impl Iterator<Item = char>) -> Vec<(char, u16, i32)> {
        let Ok(font) = FontRef::from_index(&self.data, self.index) else {
            return Vec::new();
        };
        let (Ok(cmap), Ok(hmtx)) = (font.cmap(), font.hmtx()) else {
            return Vec::new();
        };
        let glyph = |letter: char| {
            let glyph = cmap.map_codepoint(letter).filter(|glyph| glyph.to_u32() != 0)?;
            let width = i32::from(hmtx.advance(glyph)?) * 1000 / self.units;
            Some((letter, u16::try_from(glyph.to_u32()).ok()?, width))
        };
        wanted.filter_map(glyph).collect()
    }

    /// Returns the outlines of the glyphs that were used, numbered anew.
    ///
    /// `None` where the file is damaged behind its tables.
    pub(crate) fn outlines(&self, used: &GlyphRemapper) -> Option<Outlines> {
        let cut = subsetter::subset(&self.data, self.index, used).ok()?;
        let font = FontRef::new(&cut).ok()?;
        match font.table_data(Tag::new(b"CFF ")) {
            Some(cff) => Some(Outlines::Cff(cff.as_bytes().to_vec())),
            None => Some(Outlines::TrueType(cut)),
        }
    }
}

/// Returns which font of a file is drawn for the language: Chinese and Japanese hands differ in many characters.
fn chosen(data: &[u8], lang: Lang) -> Option<u32> {
    let FileRef::Collection(collection) = FileRef::new(data).ok()? else {
        return Some(0);
    };
    let marks = if lang == Lang::ZhTw { ["TC", "TW"] } else { ["SC", "CN"] };
    let fits = |index: &u32| {
        let name = collection.get(*index).ok().and_then(|font| name(&font, 4)).unwrap_or_default();
        name.split(' ').any(|word| marks.contains(&word))
    };
    Some((0..collection.len().min(FACES_MAX)).find(fits).unwrap_or(0))
}

/// Returns a name of a font: 4 is the full one, 6 the one for programs.
fn name(font: &FontRef<'_>, id: u16) -> Option<String> {
    let names = font.name().ok()?;
    let ours = |record: &&read_fonts::tables::name::NameRecord| record.name_id().to_u16() == id;
    let ascii = |text: &String| text.is_ascii();
    let texts = names.name_record().iter().filter(ours);
    texts.filter_map(|record| Some(record.string(names.string_data()).ok()?.to_string())).find(ascii)
}

//! Pages of text, lines, filled squares and pictures, and the PDF file of them.

use std::collections::BTreeMap;

use pdf_writer::types::TextRenderingMode;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use crate::block::Picture;
use crate::embed;
use crate::typefaces::Typefaces;
use crate::words::Lang;

/// The width of an A4 page, in hundredths of a point; so are all lengths here.
pub(crate) const PAGE_WIDTH: i32 = 59_528;

/// The height of an A4 page.
pub(crate) const PAGE_HEIGHT: i32 = 84_189;

/// A millimetre.
pub(crate) const MM: i32 = 283;

/// Where something stands: from the left and from the top of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) x: i32,
    pub(crate) y: i32,
}

/// How a line of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) size: i32,
    pub(crate) bold: bool,
}

/// What was used of a font so far: its glyphs numbered anew, and what each stands for.
#[derive(Debug, Default)]
pub(crate) struct Used {
    pub(crate) glyphs: GlyphRemapper,
    /// The character and the width in thousandths, by the new number.
    pub(crate) letters: BTreeMap<u16, (char, i32)>,
}

/// The pages that were printed so far.
pub(crate) struct Press<'t> {
    pub(crate) faces: &'t Typefaces,
    used: Vec<Used>,
    pages: Vec<Content>,
    pictures: Vec<Picture>,
}

/// A font behind its tables is damaged, so nothing can be cut out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged;

impl<'t> Press<'t> {
    /// Returns a press with these fonts.
    pub(crate) fn new(faces: &'t Typefaces) -> Self {
        let used = faces.faces.iter().map(|_| Used::default()).collect();
        Self { faces, used, pages: Vec::new(), pictures: Vec::new() }
    }

    /// Begins a page and returns its place.
    pub(crate) fn page(&mut self) -> usize {
        self.pages.push(Content::new());
        self.pages.len() - 1
    }

    /// Prints a line of text from its left end; `at` is on the line that letters stand on.
    pub(crate) fn text(&mut self, page: usize, at: Spot, look: Look, text: &str) {
        let Some(content) = self.pages.get_mut(page) else {
            return;
        };
        content.begin_text();
        if look.bold {
            // No second font of 20 MB for a few titles: the outline is drawn too.
            content.set_text_rendering_mode(TextRenderingMode::FillStroke).set_line_width(pt(look.size / 36));
        } else {
            content.set_text_rendering_mode(TextRenderingMode::Fill);
        }
        content.set_text_matrix([1.0, 0.0, 0.0, 1.0, pt(at.x), pt(PAGE_HEIGHT - at.y)]);
        let mut set_in = None;
        let mut run = Vec::new();
        for glyph in text.chars().filter_map(|letter| self.faces.glyph(letter)) {
            let Some(used) = self.used.get_mut(glyph.face) else {
                continue;
            };
            if set_in != Some(glyph.face) {
                show(content, &mut run);
                content.set_font(Name(embed::key(glyph.face).as_bytes()), pt(look.size));
                set_in = Some(glyph.face);
            }
            let number = used.glyphs.remap(glyph.number);
            used.letters.entry(number).or_insert((glyph.letter, glyph.advance));
            run.extend(number.to_be_bytes());
        }
        show(content, &mut run);
        content.end_text();
    }

    /// Draws the outline of a box.
    pub(crate) fn frame(&mut self, page: usize, at: Spot, width: i32, height: i32) {
        if let Some(content) = self.pages.get_mut(page) {
            content.set_line_width(pt(50));
            content.rect(pt(at.x), pt(PAGE_HEIGHT - at.y - height), pt(width), pt(height)).stroke();
        }
    }

    /// Fills squares of one size; `spots` are their upper left corners.
    pub(crate) fn squares(&mut self, page: usize, spots: impl Iterator<Item = Spot>, side: i32) {
        if let Some(content) = self.pages.get_mut(page) {
            for at in spots {
                content.rect(pt(at.x), pt(PAGE_HEIGHT - at.y - side), pt(side), pt(side));
            }
            content.fill_nonzero();
        }
    }

    /// Draws a picture into a box.
    pub(crate) fn picture(&mut self, page: usize, at: Spot, width: i32, height: i32, picture: Picture) {
        if let Some(content) = self.pages.get_mut(page) {
            content.save_state();
            let bottom = PAGE_HEIGHT - at.y - height;
            content.transform([pt(width), 0.0, 0.0, pt(height), pt(at.x), pt(bottom)]);
            content.x_object(Name(embed::picture_key(self.pictures.len()).as_bytes()));
            content.restore_state();
            self.pictures.push(picture);
        }
    }

    /// Returns the file.
    ///
    /// # Errors
    /// [`Damaged`].
    pub(crate) fn finish(self, title: &str, lang: Lang) -> Result<Vec<u8>, Damaged> {
        let mut pdf = Pdf::new();
        let mut next = Ref::new(1);
        let (catalog, tree, info) = (next.bump(), next.bump(), next.bump());
        let mut root = pdf.catalog(catalog);
        root.pages(tree).lang(TextStr(lang.tag()));
        root.viewer_preferences().display_doc_title(true);
        root.finish();
        pdf.document_info(info).title(TextStr(title)).producer(TextStr("fieldbook"));
        let mut fonts = Vec::new();
        for (face, used) in self.faces.faces.iter().zip(&self.used) {
            let id = next.bump();
            embed::font(&mut pdf, id, &mut next, face, used).ok_or(Damaged)?;
            fonts.push(id);
        }
        let pictures: Vec<Ref> = self
            .pictures
            .iter()
            .map(|picture| {
                let id = next.bump();
                embed::picture(&mut pdf, id, picture);
                id
            })
            .collect();
        let mut kids = Vec::new();
        for content in self.pages {
            let (page, stream) = (next.bump(), next.bump());
            kids.push(page);
            embed::stream(&mut pdf, stream, &content.finish());
            let mut page = pdf.page(page);
            page.parent(tree).media_box(Rect::new(0.0, 0.0, pt(PAGE_WIDTH), pt(PAGE_HEIGHT)));
            page.contents(stream);
            let mut resources = page.resources();
            named(&mut resources.fonts(), &fonts, embed::key);
            named(&mut resources.x_objects(), &pictures, embed::picture_key);
        }
        let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(kids).count(count);
        Ok(pdf.finish())
    }
}

fn named(dict: &mut pdf_writer::Dict<'_>, ids: &[Ref], key: impl Fn(usize) -> String) {
    for (at, id) in ids.iter().enumerate() {
        dict.pair(Name(key(at).as_bytes()), *id);
    }
}

fn show(content: &mut Content, run: &mut Vec<u8>) {
    if !run.is_empty() {
        content.show(Str(run));
        run.clear();
    }
}

/// The file format counts in points with decimals; the last conversion before its text, nothing is reckoned with it.
#[expect(
    clippy::disallowed_types,
    reason = "the library's numbers; a page is far smaller than what they hold"
)]
fn pt(hundredths: i32) -> f32 {
    let part = |value: i32| f32::from(i16::try_from(value).unwrap_or(i16::MAX));
    part(hundredths / 100) + part(hundredths % 100) / 100.0
}

/// A number of the library's kind.
#[expect(
    clippy::disallowed_types,
    reason = "the library's numbers; a glyph's measures are far smaller than what they hold"
)]
pub(crate) fn whole(value: i32) -> f32 {
    f32::from(i16::try_from(value).unwrap_or(i16::MAX))
}

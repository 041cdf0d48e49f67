//! Papers, printed with the font of the tests and read back by another program's library.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod claims;
mod fonts;
mod lists;
mod pastes;
mod sheets;
mod trips;

use lopdf::Document;
use papers::paper::Print;
use papers::typefaces::Typefaces;

const FONT: &[u8] = include_bytes!("../../fonts/NotoSansCJKsc-GB2312.otf");

/// A file that another library could read.
pub(crate) struct Printed {
    text: String,
    document: Document,
}

impl Printed {
    /// Prints papers and reads the file.
    pub(crate) fn of(print: &Print) -> Self {
        let characters = print.characters().unwrap();
        let faces = Typefaces::choose(&characters, print.lang, [FONT.to_vec()]).unwrap();
        let bytes = print.pdf(&faces).unwrap();
        let document = Document::load_mem(&bytes).unwrap();
        let pages: Vec<u32> = document.get_pages().into_keys().collect();
        let text = document.extract_text(&pages).unwrap().replace('\n', "");
        Self { text, document }
    }

    pub(crate) fn pages(&self) -> usize {
        self.document.get_pages().len()
    }

    /// Returns how many pictures there are.
    pub(crate) fn pictures(&self) -> usize {
        let is_picture = |object: &&lopdf::Object| {
            object.as_stream().is_ok_and(|stream| {
                stream
                    .dict
                    .get(b"Subtype")
                    .and_then(lopdf::Object::as_name)
                    .is_ok_and(|name| name == b"Image")
            })
        };
        self.document.objects.values().filter(is_picture).count()
    }

    /// Fails unless the words can be found, wherever a line of them ends.
    pub(crate) fn has(&self, words: &str) {
        assert!(self.text.contains(words), "{words} is not in: {}", self.text);
    }
}

//! Papers, printed with the font of the tests and read back by another program's library.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod claims;

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

    /// Fails unless the words can be found, wherever a line of them ends.
    pub(crate) fn has(&self, words: &str) {
        assert!(self.text.contains(words), "{words} is not in: {}", self.text);
    }
}

//! Papers as PDF files: which fonts are at hand, and where the file goes.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use papers::face::FONT_BYTES_MAX;
use papers::paper::{PaperError, Print};
use papers::search::{self, Entry};
use papers::typefaces::{FontError, Typefaces};
use papers::words::Lang;
use serde_json::json;

use crate::cli::args;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::clock::Now;
use crate::notebook::print::print;
use crate::store::Store;

/// How many characters without a font an error lists.
const LISTED_MAX: usize = 20;

/// The papers of a record as one PDF file.
#[derive(Debug)]
pub(crate) struct Pdf {
    /// The record; `None` for a half-month's summary of which nothing is saved yet.
    pub(crate) id: Option<records::id::DocId>,
    /// What the file is called, without its ending.
    pub(crate) title: String,
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Characters that no font had.
    pub(crate) replaced: String,
}

/// Prints the papers of a record into the file that was asked for.
///
/// # Errors
/// A [`Fault`] where the record has none, no font has the characters, or the file cannot be written.
pub(crate) fn run(args: &args::Print, desk: &Desk) -> Result<Page, Fault> {
    let given = args.font.as_deref().map(|path| read_font(path, desk.lang.of_papers())).transpose()?;
    let files = given.into_iter().chain(fonts(&desk.font_folders));
    let Pdf { id, bytes, replaced, .. } = pdf(&desk.store()?, &args.id, desk.lang, desk.clock.now(), files)?;
    std::fs::write(&args.out, &bytes).map_err(|error| Fault::file(&args.out, &error))?;
    let path = args.out.display().to_string();
    let json = || {
        json!({
            "id": id.map(|id| id.to_string()), "code": id.map(|id| id.code()), "file": path, "bytes": bytes.len(), "replaced": replaced,
        })
    };
    Ok(desk.page(json, |desk| {
        let mut text = desk.lang.say("text.paper.written", &[("file", &path)]) + "\n";
        if !replaced.is_empty() {
            text += &(desk.lang.say("text.paper.replaced", &[("characters", &replaced)]) + "\n");
        }
        text
    }))
}

/// Returns the papers of a record as a file; `files` may be fonts, best first.
///
/// # Errors
/// A [`Fault`] where the record has none, or no font has the characters.
pub(crate) fn pdf(
    store: &Store,
    record: &str,
    lang: crate::cli::lang::Lang,
    now: Now,
    files: impl Iterator<Item = Vec<u8>>,
) -> Result<Pdf, Fault> {
    let today = now.wall.day(store.identity().enrolment.zone);
    let printed = print(store, record, lang.of_papers(), lang.of_labels(), today)?;
    let title = printed.named.title.clone();
    let print = Print { lang: lang.of_papers(), title: printed.named.title, papers: printed.named.papers };
    let characters = print.characters().map_err(refused)?;
    let faces = Typefaces::choose(&characters, print.lang, files).map_err(|error| no_font(&error))?;
    let bytes = print.pdf(&faces).map_err(refused)?;
    Ok(Pdf { id: printed.id, title, bytes, replaced: faces.replaced().iter().collect() })
}

/// Returns the files that may be fonts, best first, each read when it is asked for.
///
/// Those beside the program come before the system's: who puts one there means it.
pub(crate) fn fonts(folders: &[PathBuf]) -> impl Iterator<Item = Vec<u8>> + use<> {
    let program = std::env::current_exe().ok();
    let beside = program.and_then(|path| Some(path.parent()?.join("fonts")));
    let system = folders.to_vec();
    let near = std::iter::once_with(move || search::files(beside.as_slice(), entries));
    let far = std::iter::once_with(move || search::files(&system, entries));
    near.chain(far).flatten().filter_map(|path| std::fs::read(path).ok())
}

fn entries(folder: &Path) -> Vec<Entry> {
    let Ok(found) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let entry = |path: PathBuf| {
        let about = std::fs::metadata(&path).ok()?;
        Some(Entry { folder: about.is_dir(), bytes: about.len(), path })
    };
    found.filter_map(|found| entry(found.ok()?.path())).collect()
}

/// Reads the font that was asked for; another one in its place would not be what was meant.
fn read_font(path: &Path, lang: Lang) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| Fault::file(path, &error))?;
    file.take(FONT_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| Fault::file(path, &error))?;
    match Typefaces::choose(&BTreeSet::new(), lang, [bytes.clone()]) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(Fault::new(Exit::Usage, "error.font.not_one").with("file", &path.display())),
    }
}

fn no_font(error: &FontError) -> Fault {
    match error {
        FontError::NoFont => Fault::new(Exit::Usage, "error.font.none"),
        FontError::Uncovered { characters } => {
            let some: String = characters.iter().take(LISTED_MAX).collect();
            Fault::new(Exit::Usage, "error.font.uncovered")
                .with("n", &characters.len())
                .with("characters", &some)
        }
    }
}

fn refused(error: PaperError) -> Fault {
    match error {
        PaperError::Sum => Fault::new(Exit::Refused, "error.paper.sum"),
        PaperError::TooLong { bytes } => Fault::new(Exit::Refused, "error.paper.too_long")
            .with("bytes", &bytes)
            .with("max", &papers::paper::TEXT_BYTES_MAX),
        PaperError::Font => Fault::new(Exit::Usage, "error.font.damaged"),
    }
}

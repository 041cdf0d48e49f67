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
use crate::notebook::print::print;

/// How many characters without a font an error lists.
const LISTED_MAX: usize = 20;

/// Prints the papers of a record into the file that was asked for.
///
/// # Errors
/// A [`Fault`] where the record has none, no font has the characters, or the file cannot be written.
pub(crate) fn run(args: &args::Print, desk: &Desk) -> Result<Page, Fault> {
    let lang = desk.lang.of_papers();
    let store = desk.store()?;
    let today = desk.clock.now().wall.day(store.identity().enrolment.zone);
    let printed = print(&store, &args.id, lang, desk.lang.of_labels(), today)?;
    let id = printed.id;
    let print = Print { lang, title: printed.named.title, papers: printed.named.papers };
    let characters = print.characters().map_err(refused)?;
    let given = args.font.as_deref().map(|path| read_font(path, print.lang)).transpose()?;
    let files = given.into_iter().chain(fonts(desk));
    let faces = Typefaces::choose(&characters, print.lang, files).map_err(|error| no_font(&error))?;
    let bytes = print.pdf(&faces).map_err(refused)?;
    std::fs::write(&args.out, &bytes).map_err(|error| Fault::file(&args.out, &error))?;
    let replaced: String = faces.replaced().iter().collect();
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

/// Returns the files that may be fonts, best first, each read when it is asked for.
///
/// Those beside the program come before the system's: who puts one there means it.
fn fonts(desk: &Desk) -> impl Iterator<Item = Vec<u8>> {
    let program = std::env::current_exe().ok();
    let beside = program.and_then(|path| Some(path.parent()?.join("fonts")));
    let system = desk.font_folders.clone();
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

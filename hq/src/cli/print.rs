//! `print`: the papers of a claim as a PDF file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use papers::face::FONT_BYTES_MAX;
use papers::paper::{PaperError, Print};
use papers::read::{Named, Source};
use papers::search::{self, Entry};
use papers::typefaces::{FontError, Typefaces};
use records::claim::view::Claim;
use records::id::DocId;
use records::kinds::number;
use records::time::{Ts, Zone};
use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, Lang, REFUSED, USAGE};
use crate::intake::desk::Desk;
use crate::store::StoreError;

/// How many characters without a font an error lists.
const LISTED_MAX: usize = 20;

/// What `print` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A number, the beginning of a code, or an id
    record: String,
    /// The PDF file to write
    #[arg(long, value_name = "FILE.pdf")]
    out: PathBuf,
    /// The font to take first
    #[arg(long, value_name = "FILE")]
    font: Option<PathBuf>,
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    let now = Ts(i64::try_from(room.clock.now_ms()).unwrap_or(i64::MAX));
    let (id, named) = papers_of(&mut room.open()?, &args.record, now, room.lang)?;
    let print = Print { lang: room.lang.papers(), title: named.title, papers: named.papers };
    let characters = print.characters().map_err(refused)?;
    let given = args.font.as_deref().map(|path| read_font(path, room.lang)).transpose()?;
    let system = search::folders(std::env::consts::OS, |name| std::env::var(name).ok());
    let files = given.into_iter().chain(fonts(system));
    let faces = Typefaces::choose(&characters, print.lang, files).map_err(|error| no_font(&error))?;
    let bytes = print.pdf(&faces).map_err(refused)?;
    std::fs::write(&args.out, &bytes).map_err(|error| Fault::file(&args.out, &error))?;
    let replaced: String = faces.replaced().iter().collect();
    let path = args.out.display().to_string();
    let mut text = room.lang.say("text.paper.written", &[("file".to_owned(), path.clone())]) + "\n";
    if !replaced.is_empty() {
        let facts = [("characters".to_owned(), replaced.clone())];
        text += &(room.lang.say("text.paper.replaced", &facts) + "\n");
    }
    let json = json!({
        "id": id.to_string(), "code": id.code(), "file": path, "bytes": bytes.len(), "replaced": replaced,
    });
    Ok(Answer::new(json, text))
}

/// Returns the papers of a claim as PDF, and the characters for which no font was found; fonts are looked for beside the
/// program and in `folders`.
///
/// # Errors
/// A [`Fault`] for a claim that is not known, and where no font can write it.
pub(crate) fn claim_pdf(
    desk: &mut Desk,
    name: &str,
    now: Ts,
    lang: Lang,
    folders: &[PathBuf],
) -> Result<(Vec<u8>, String), Fault> {
    let (_, named) = papers_of(desk, name, now, lang)?;
    let print = Print { lang: lang.papers(), title: named.title, papers: named.papers };
    let characters = print.characters().map_err(refused)?;
    let files = fonts(folders.to_vec());
    let faces = Typefaces::choose(&characters, print.lang, files).map_err(|error| no_font(&error))?;
    let bytes = print.pdf(&faces).map_err(refused)?;
    Ok((bytes, faces.replaced().iter().collect()))
}

fn papers_of(desk: &mut Desk, text: &str, now: Ts, lang: Lang) -> Result<(DocId, Named), Fault> {
    let record = desk.named_record(number::CLAIM, text).map_err(|error| Fault::money(error, lang))?;
    let unknown = || Fault::new(REFUSED, "hq.record.unknown").with("id", text);
    let claim = Claim::of(&record).ok_or_else(unknown)?;
    let facts = desk.plain_facts(&claim, now.day(Zone::SHANGHAI))?;
    let desk: RefCell<&mut Desk> = RefCell::new(desk);
    let damaged: RefCell<Option<StoreError>> = RefCell::new(None);
    let read = |id| {
        let found = desk.borrow_mut().record(id);
        found.unwrap_or_else(|error| damaged.replace(Some(error)).and(None))
    };
    let source = Source {
        record: &read,
        zone: Zone::SHANGHAI,
        lang: lang.papers(),
        paste_max_per_sheet: facts.policy.paste_max_per_sheet,
    };
    let named = source.claim(&claim, facts.policy.vp.is_asked(claim.claimed_total(), claim.claimed_total()));
    match damaged.into_inner() {
        Some(error) => Err(error.into()),
        None => Ok((record.id, named)),
    }
}

/// Returns the files that may be fonts, best first, each read when it is asked for; those beside the program first.
fn fonts(system: Vec<PathBuf>) -> impl Iterator<Item = Vec<u8>> {
    let program = std::env::current_exe().ok();
    let beside = program.and_then(|path| Some(path.parent()?.join("fonts")));
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
    match Typefaces::choose(&BTreeSet::new(), lang.papers(), [bytes.clone()]) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(Fault::new(USAGE, "error.font.not_one").with("file", path.display())),
    }
}

fn no_font(error: &FontError) -> Fault {
    match error {
        FontError::NoFont => Fault::new(USAGE, "error.font.none"),
        FontError::Uncovered { characters } => {
            let some: String = characters.iter().take(LISTED_MAX).collect();
            let fault = Fault::new(USAGE, "error.font.uncovered").with("n", characters.len());
            fault.with("characters", some)
        }
    }
}

fn refused(error: PaperError) -> Fault {
    match error {
        PaperError::Sum => Fault::new(REFUSED, "error.paper.sum"),
        PaperError::TooLong { bytes } => Fault::new(REFUSED, "error.paper.too_long")
            .with("bytes", bytes)
            .with("max", papers::paper::TEXT_BYTES_MAX),
        PaperError::Font => Fault::new(USAGE, "error.font.damaged"),
    }
}

//! Packs `*.yml` into three deflated tables for each program.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::path::Path;

/// The languages, in the order of `LANGUAGES` in `src/lib.rs`.
const LANGUAGES: [&str; 3] = ["zh-CN", "zh-TW", "en"];
/// The programs, and the beginnings of keys that they never ask for.
const PROGRAMS: [(&str, &[&str]); 2] = [("agent", &["hq.", "console."]), ("hq", &["web.", "ask."])];

/// Each key with its sentences.
type Sentences = BTreeMap<String, [Option<String>; 3]>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=.");
    let mut sentences = Sentences::new();
    for entry in std::fs::read_dir(".")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            read(&path, &mut sentences)?;
        }
    }
    let out = std::env::var("OUT_DIR")?;
    for (program, others) in PROGRAMS {
        let own = |key: &&String| !others.iter().any(|begins| key.starts_with(begins));
        let keys: Vec<&String> = sentences.keys().filter(own).collect();
        pack(&Path::new(&out).join(format!("{program}.keys")), keys.iter().map(|key| key.as_str()))?;
        for (at, language) in LANGUAGES.iter().enumerate() {
            let texts = keys.iter().map(|key| {
                let text = sentences.get(*key).and_then(|texts| texts.get(at)?.as_deref());
                text.ok_or_else(|| format!("{key} has no {language}"))
            });
            let texts: Vec<&str> = texts.collect::<Result<_, _>>()?;
            pack(&Path::new(&out).join(format!("{program}.{language}")), texts)?;
        }
    }
    Ok(())
}

/// Reads lines of two sorts: `key:`, and below it `  language: "sentence"`.
fn read(path: &Path, sentences: &mut Sentences) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let mut key = "";
    for line in text.lines().filter(|line| !line.starts_with(['#', '_']) && !line.is_empty()) {
        let at = || format!("{}: {line}", path.display());
        let (name, sentence) = line.split_once(':').ok_or_else(at)?;
        match name.strip_prefix("  ") {
            None => key = name,
            Some(language) => {
                let at_language = LANGUAGES.iter().position(|known| *known == language).ok_or_else(at)?;
                let sentence: String = serde_json::from_str(sentence.trim()).map_err(|_| at())?;
                let texts = sentences.entry(key.to_owned()).or_default();
                let place = texts.get_mut(at_language).ok_or_else(at)?;
                if sentence.contains('\0') || place.replace(sentence).is_some() {
                    return Err(format!("{}: twice", at()).into());
                }
            }
        }
    }
    Ok(())
}

/// Writes the texts, each with a zero behind it, deflated.
fn pack<'a>(to: &Path, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Box<dyn Error>> {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    for text in texts {
        packer.write_all(text.as_bytes())?;
        packer.write_all(&[0])?;
    }
    Ok(std::fs::write(to, packer.finish()?)?)
}

//! The architecture as a check: which room may name what, and which crate stands on which.
//!
//! Source: docs/ARCHITECTURE.md, Rooms and Arrows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::source::Source;
use crate::step::{self, Failed};

/// Words that only some rooms may use.
struct Rule {
    /// What the words stand for.
    what: &'static str,
    part: Part,
    words: &'static [&'static str],
    /// Where the rule holds: beginnings of paths.
    within: &'static [&'static str],
    /// The rooms that may: beginnings of paths.
    rooms: &'static [&'static str],
}

enum Part {
    Code,
    Text,
}

const PROGRAMS: &[&str] =
    &["src/", "records/src/", "sync-protocol/src/", "papers/src/", "pages/src/", "hq/src/"];
const PURE: &[&str] = &["records/src/", "sync-protocol/src/", "papers/src/"];

const RULES: &[Rule] = &[
    Rule {
        what: "sled",
        part: Part::Code,
        words: &["sled"],
        within: &[""],
        rooms: &["src/store.rs", "src/store/", "benches/peers/engines/"],
    },
    Rule {
        what: "the databases of headquarters",
        part: Part::Code,
        words: &["rusqlite", "postgres::", "refinery"],
        within: &[""],
        rooms: &["hq/src/store.rs", "hq/src/store/", "hq/tests/", "benches/peers/engines/"],
    },
    Rule {
        what: "SQL",
        part: Part::Text,
        words: &["SELECT", "INSERT INTO", "CREATE TABLE", "DELETE FROM"],
        within: PROGRAMS,
        rooms: &["hq/src/store.rs", "hq/src/store/"],
    },
    Rule {
        what: "the HTTP client",
        part: Part::Code,
        words: &["ureq"],
        within: PROGRAMS,
        rooms: &["src/transport"],
    },
    Rule {
        what: "the time",
        part: Part::Code,
        words: &["SystemTime::now", "Instant::now", "Utc::now", "Local::now"],
        within: &[
            "src/",
            "records/src/",
            "sync-protocol/src/",
            "papers/src/",
            "pages/src/",
            "hq/src/",
            "xtask/src/",
        ],
        rooms: &["src/clock.rs", "hq/src/clock.rs", "xtask/src/clock.rs"],
    },
    Rule {
        what: "the terminal",
        part: Part::Code,
        words: &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"],
        within: PROGRAMS,
        rooms: &["src/main.rs", "src/cli/", "hq/src/main.rs", "hq/src/cli/"],
    },
    Rule {
        what: "the world outside",
        part: Part::Code,
        words: &["fs::", "net::", "env::", "process::", "thread::", "SystemTime", "SystemRandom"],
        within: PURE,
        rooms: &[],
    },
];

/// Every crate of the workspace and the ones it stands on; tests may join more.
const CRATES: &[(&str, &[&str])] = &[
    ("fieldbook", &["locales", "pages", "papers", "records", "sync-protocol"]),
    ("fieldbook-hq", &["locales", "pages", "papers", "records", "sync-protocol"]),
    ("fuzz", &["fieldbook", "pages", "records", "sync-protocol"]),
    ("locales", &[]),
    ("pages", &["records"]),
    ("papers", &["records"]),
    ("records", &[]),
    ("sync-protocol", &["records"]),
    ("xtask", &[]),
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &["/root/", "/home/", "/Users/", "/work/"];

/// Checks the tree, as a chore of its own.
///
/// # Errors
/// [`Failed`] when something stands where it may not.
pub(crate) fn run(tree: &Path) -> Result<(), Failed> {
    check(tree)?;
    println!("every room and crate names only what it may");
    Ok(())
}

/// Checks the tree and prints each find as `file:line: what is wrong`.
///
/// # Errors
/// [`Failed`] when there was one.
pub(crate) fn check(tree: &Path) -> Result<(), Failed> {
    let mut finds = crate_finds(&step::output(
        tree,
        "cargo tree --locked --workspace --depth 1 --edges normal,build --prefix none",
    )?);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(tree).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        Some((name, std::fs::read_to_string(&path).ok()?))
    };
    let contents: Vec<(String, String)> = files(tree).into_iter().filter_map(read).collect();
    let tests: BTreeSet<String> = contents
        .iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .flat_map(|(name, content)| test_files(name, content))
        .collect();
    for (name, content) in &contents {
        if name.ends_with(".rs") {
            finds.extend(caption_finds(name, content));
        }
        if name.ends_with(".rs") && !tests.contains(name) {
            finds.extend(word_finds(name, content));
        }
        finds.extend(path_finds(tree, name, content));
    }
    for find in &finds {
        eprintln!("{find}");
    }
    if finds.is_empty() { Ok(()) } else { Err(Failed) }
}

/// Returns every file of the tree that people wrote.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let built = path.file_name().is_some_and(|name| name == "target" || name == ".git");
        if path.is_dir() && !built {
            found.extend(files(&path));
        } else if path.is_file() && !built {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns the files that `name` declares for its tests alone: they may measure, print and read.
fn test_files(name: &str, content: &str) -> Vec<String> {
    let folder = match name.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
        _ => name.trim_end_matches(".rs"),
    };
    let is_attribute = |line: &&str| line.starts_with("#[") && *line != "#[cfg(test)]";
    let lines: Vec<&str> = content.lines().map(str::trim).filter(|line| !is_attribute(line)).collect();
    let declared = |pair: &[&str]| match pair {
        ["#[cfg(test)]", line] => {
            let module = line.rsplit_once("mod ")?.1.strip_suffix(';')?;
            Some(format!("{folder}/{module}.rs"))
        }
        _ => None,
    };
    lines.windows(2).filter_map(declared).collect()
}

fn caption_finds(name: &str, content: &str) -> Option<String> {
    let opened = content.starts_with("//!") || content.starts_with("#!");
    let find = || format!("{name}:1: the file has no caption; open it with `//!` and one sentence");
    (!opened).then(find)
}

fn word_finds(name: &str, content: &str) -> Vec<String> {
    let source = Source::of(content);
    let mut finds = Vec::new();
    for rule in RULES.iter().filter(|rule| lies_in(name, rule.within) && !lies_in(name, rule.rooms)) {
        let part = match rule.part {
            Part::Code => &source.code,
            Part::Text => &source.text,
        };
        for (line, word) in
            part.lines().zip(1..).flat_map(|(line, n)| named(line, rule.words).map(move |w| (n, w)))
        {
            let rooms = if rule.rooms.is_empty() { "no room".to_owned() } else { rule.rooms.join(", ") };
            finds.push(format!("{name}:{line}: `{word}` names {}; here may: {rooms}", rule.what));
        }
    }
    finds
}

fn lies_in(name: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|beginning| name.starts_with(beginning))
}

/// Returns the words that stand in `line` by themselves, not inside a longer one.
fn named<'a>(line: &str, words: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    words.iter().copied().filter(move |word| {
        line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
            let open_ended = word.ends_with([':', '!']);
            !before.is_some_and(in_word) && (open_ended || !after.is_some_and(in_word))
        })
    })
}

/// Finds paths of one machine, and paths that climb out of the tree.
fn path_finds(tree: &Path, name: &str, content: &str) -> Vec<String> {
    // The list of forbidden beginnings is itself a list of them.
    if name == "xtask/src/arrows.rs" {
        return Vec::new();
    }
    let depth = name.matches('/').count();
    let mut finds = Vec::new();
    for (line, n) in content.lines().zip(1..) {
        for word in line.split(|letter: char| letter.is_whitespace() || "\"'`()<>[]=,".contains(letter)) {
            if MACHINE_PATHS.iter().any(|beginning| word.starts_with(beginning)) {
                finds.push(format!("{name}:{n}: `{word}` is a path of one machine"));
            }
            if climbs_out(tree, name, depth, word) {
                finds.push(format!("{name}:{n}: `{word}` leads out of the tree"));
            }
        }
    }
    finds
}

/// Returns whether `word`, read from the folder of `name`, begins with more `../` than there are folders,
/// or leads into the tree but to nothing that is there.
fn climbs_out(tree: &Path, name: &str, depth: usize, word: &str) -> bool {
    let mut rest = word;
    let mut climbs = 0;
    while let Some(shorter) = rest.strip_prefix("../") {
        rest = shorter;
        climbs += 1;
    }
    // Hostile file names in tests of the programs are no paths of ours.
    let ours = !name.ends_with(".rs") || rest.ends_with(".rs");
    let folder = Path::new(name).ancestors().nth(climbs + 1);
    let target = folder.map(|folder| tree.join(folder).join(rest.split('#').next().unwrap_or(rest)));
    // What a build writes is there once it has been built.
    let built = rest.starts_with("target/");
    climbs > 0 && ours && (climbs > depth || !(built || target.is_some_and(|target| target.exists())))
}

/// Reads `cargo tree --workspace --depth 1 --prefix none`: blocks of lines, each below its crate.
fn crate_finds(listing: &str) -> Vec<String> {
    let first_word = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let known: BTreeSet<&str> = CRATES.iter().map(|(name, _)| *name).collect();
    let mut finds = Vec::new();
    for block in listing.split("\n\n") {
        let mut lines = block.lines().map(first_word);
        let Some(from) = lines.next() else { continue };
        let Some((_, may)) = CRATES.iter().find(|(name, _)| *name == from) else {
            finds.push(format!("Cargo.toml: `{from}` is a crate without a place in the list of arrows"));
            continue;
        };
        for to in lines.filter(|to| known.contains(to.as_str()) && !may.contains(&to.as_str())) {
            finds.push(format!("Cargo.toml: `{from}` may not stand on `{to}`"));
        }
    }
    finds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, line: &str, finds: usize) {
        let content = format!("//! A room.\n{line}\n");
        let found = word_finds(name, &content);
        assert_eq!(found.len(), finds, "{found:?}");
    }

    #[test]
    fn only_the_store_names_sled() {
        check("src/store/journal.rs", "use sled::Tree;", 0);
        check("src/notebook/sheet.rs", "use sled::Tree;", 1);
        check("src/notebook/sheet.rs", "// sled keeps it\nlet bobsled = \"sled\";", 0);
    }

    #[test]
    fn sql_is_found_in_strings_and_not_in_code() {
        check("hq/src/intake.rs", "let q = \"SELECT 1\";", 1);
        check("hq/src/intake.rs", "const SELECT: u8 = 1;", 0);
        check("hq/src/store/op.rs", "let q = \"SELECT 1\";", 0);
    }

    #[test]
    fn the_pure_crates_touch_nothing() {
        check("records/src/money.rs", "std::fs::read(p)", 1);
        check("records/src/money.rs", "let offs = defs::of(x);", 0);
        check("sync-protocol/src/op.rs", "println!();", 1);
    }

    #[test]
    fn a_file_without_a_caption_is_found() {
        assert!(caption_finds("src/x.rs", "use a;\n").is_some());
        assert!(caption_finds("src/x.rs", "//! Receipts.\nuse a;\n").is_none());
    }

    #[test]
    fn a_file_for_tests_alone_is_told_by_its_declaration() {
        let declared = "mod journal;\n#[cfg(test)]\npub(crate) mod testing;\n#[cfg(test)]\nmod tests {\n}\n";
        assert_eq!(test_files("src/store.rs", declared), ["src/store/testing.rs"]);
        assert_eq!(test_files("src/lib.rs", declared), ["src/testing.rs"]);
    }

    #[test]
    fn an_arrow_that_goes_up_is_found() {
        assert!(
            crate_finds(
                "records v0.1.0 (/a)\nserde v1.0.0\n\nsync-protocol v0.1.0 (/b)\nrecords v0.1.0 (/a)"
            )
            .is_empty()
        );
        assert_eq!(crate_finds("records v0.1.0 (/a)\nsync-protocol v0.1.0 (/b)").len(), 1);
        assert_eq!(crate_finds("fieldbook v0.1.0 (/a)\nfieldbook-hq v0.1.0 (/b)").len(), 1);
        assert_eq!(crate_finds("prelude v0.1.0 (/a)").len(), 1);
    }

    #[test]
    fn a_path_out_of_the_tree_is_found() {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(path_finds(tree, "src/main.md", "see `../Cargo.toml`"), Vec::<String>::new());
        assert_eq!(path_finds(tree, "src/main.md", "see `../../elsewhere`").len(), 1);
        assert_eq!(path_finds(tree, "src/main.md", "see `../nothing-here`").len(), 1);
        assert_eq!(path_finds(tree, "README.md", "cd /root/project").len(), 1);
    }
}

//! Every kept input and some thousand cheap mutations of it, on stable Rust.
#![expect(clippy::unwrap_used, reason = "the corpus is a folder of the tree")]

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fuzz::mutation::Mutator;
use fuzz::{TARGETS, Target};

/// One test at a time: what another one holds meanwhile would be counted as the target's.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Mutations of each target, over all its inputs.
const MUTATIONS: usize = 2_000;
/// Bytes of mutated input of each target: so the long ones do not take the time of all others.
const MUTATED_BYTES: usize = 1 << 20;

/// The inputs of a target in the order of their names.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    files.into_iter().map(read).collect()
}

/// Holds `bytes`; a find is told with what it takes to see it again.
fn hold(target: &Target, bytes: &[u8], from: &Path) {
    let held = std::panic::catch_unwind(|| target.hold(bytes));
    assert!(held.is_ok(), "{} from {}: {}", target.name, from.display(), bytes.escape_ascii());
}

#[test]
fn every_target_holds_on_every_kept_input() {
    let _alone = alone();
    for target in TARGETS {
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "{} has no inputs", target.name);
        for (path, bytes) in corpus {
            hold(target, &bytes, &path);
        }
    }
}

#[test]
fn every_target_holds_on_some_thousand_mutations() {
    let _alone = alone();
    for target in TARGETS {
        let corpus = corpus(target);
        let mut mutator = Mutator::new(1);
        let mut mutated = 0;
        for at in 0..MUTATIONS {
            let (path, bytes) = &corpus[at % corpus.len()];
            let (_, other) = &corpus[at / corpus.len() % corpus.len()];
            let bytes = mutator.mutate(bytes, other);
            mutated += bytes.len();
            if mutated > MUTATED_BYTES {
                break;
            }
            hold(target, &bytes, path);
        }
    }
}

#[test]
fn every_target_has_a_program_and_every_folder_a_target() {
    let _alone = alone();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in TARGETS {
        let program = root.join("fuzz_targets").join(target.name).with_extension("rs");
        let code = std::fs::read_to_string(program).unwrap();
        assert!(code.contains(&format!("\"{}\"", target.name)));
    }
    for folder in std::fs::read_dir(root.join("corpus")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(Target::named(&name).is_some(), "corpus/{name} belongs to no target");
    }
}

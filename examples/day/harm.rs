//! Harm: a stolen tablet, bits that turned in its database, and what is left of both.

use std::path::{Path, PathBuf};

use crate::stage::{Player, Stage};
use crate::{say, word};

/// What stands in a customer's sheet, and is looked for in every file.
const PLANTED: &str = "Compressor of Mrs Lindqvist trips after ten minutes";
/// How many bits turn.
const BITS: usize = 64;
/// Six words: what a thief cannot try.
const PIN: &str = "otter lamp seven granite violin rain";

/// A thief finds nothing; a damaged database is made again, and nothing is lost. Returns whether that is so.
pub(crate) fn harm(stage: &Stage, player: Player) -> bool {
    say("13  Harm: the tablet is stolen; bits turn in its database");
    stage.new_sheet(player, "repair", &["customer=C002", &format!("problem={PLANTED}")]);
    stage.device_with_pin(player, PIN, &["pin", "set"]);
    stage.device(player, &["pin", "lock"]);
    println!("\n(the thief has the folder, not the PIN)");
    stage.device(player, &["sheet", "list"]);
    let files = files(Path::new(&stage.path(player.home)));
    let told = |file: &&PathBuf| {
        std::fs::read(file).unwrap().windows(PLANTED.len()).any(|at| at == PLANTED.as_bytes())
    };
    let telling = files.iter().filter(told).count();
    println!("   {} files; the customer's words stand in {telling} of them", files.len());

    println!("\n(the tablet is found again; {BITS} bits of its database have turned)");
    turn_bits(&Path::new(&stage.path(player.home)).join("sled").join("db"));
    let before = stage.device_with_pin(player, PIN, &["--json", "doctor"]);
    stage.device_with_pin(player, PIN, &["rebuild"]);
    stage.device_with_pin(player, PIN, &["sync"]);
    stage.device_with_pin(player, PIN, &["sync"]);
    let after = stage.device_with_pin(player, PIN, &["--json", "doctor"]);
    let found = stage.device_with_pin(player, PIN, &["--json", "search", "Lindqvist"]);
    let kept = found.as_array().is_some_and(|found| found.len() == 1);
    let whole = after["unsent_ops"] == 0 && after["views_ok"] == true;
    println!(
        "\ndamage seen: {}; the sheet is there again: {}; all of it at headquarters: {}",
        before["faults"],
        kept,
        word(whole)
    );
    telling == 0 && kept && whole
}

/// Returns all files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Turns bits all over a file.
fn turn_bits(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    (0..BITS).for_each(|n| bytes[written / BITS * n] ^= 0x10);
    std::fs::write(file, bytes).unwrap();
}

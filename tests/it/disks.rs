//! Small disks: a home that cannot fit is refused before anything is written, and a full one keeps what it saved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::company::{Company, LI, text};
use crate::mounts::Disk;
use crate::world::Device;

/// Returns 3,300 characters that do not pack well, others for each `n`.
fn long_text(n: usize) -> String {
    let letter = |at: usize| {
        let mixed = (n * 3300 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        char::from_u32(0x4e00 + u32::try_from(mixed % 0x5000).expect("small")).expect("a Chinese letter")
    };
    (0..3300).map(letter).collect()
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).expect("the folder").count()
}

#[test]
fn a_disk_of_2_mib_is_refused_before_anything_is_written_with_the_bytes_it_takes() {
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let device = Device::new();
    let Some(_disk) = Disk::over(device.home(), 2) else {
        return;
    };
    let refused = device.run(["enrol", &code]).ended(6);
    let needed = fieldbook::home::CREATE_BYTES_MIN.to_string();
    let free = fieldbook::home::free_bytes(device.home()).expect("free bytes").to_string();
    assert!(refused.stderr.contains(&needed) && refused.stderr.contains(&free), "{}", refused.stderr);
    assert!(refused.stderr.contains("\nhint: "), "{}", refused.stderr);
    assert_eq!(entries(device.home()), 0, "something was written");
    // The code is still good, on a disk with room.
    let roomy = Device::enrol(&code);
    roomy.make(["sheet", "new", "repair"]);
    assert_eq!(roomy.sync()["level"], true);
}

#[test]
fn a_disk_filled_while_saving_keeps_what_was_saved_and_still_reads_and_syncs() {
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let device = Device::new();
    let Some(disk) = Disk::over(device.home(), 32) else {
        return;
    };
    device.run(["enrol", &code]).ended(0);
    device.sync();
    let ballast = disk.fill(fieldbook::home::SAVE_BYTES_MIN + 48 * 1024, "ballast");
    let free = || fieldbook::home::free_bytes(device.home()).expect("free bytes");
    let reserve = device.home().join("reserve.bin");

    // Each sheet is some 10 KiB. What is left below the limit belongs to the sheets that are there.
    let mut saved: Vec<(String, usize)> = Vec::new();
    let work = |n: usize| format!("work_done={}", long_text(n));
    let no_more = loop {
        let n = saved.len();
        let answer = device.run(["--json", "sheet", "new", "repair", "--set", &work(n)]);
        if answer.code != Some(0) {
            break answer.ended(6).json();
        }
        saved.push((text(&answer.json()["id"]), n));
        assert!(n < 100, "the disk is never full");
    };
    assert!(!saved.is_empty() && text(&no_more["error"]["hint"]).contains("safe"), "{no_more}");

    // They can be worked on until the reserve, too, is given up: once, for the save in hand.
    let rest = disk.fill(fieldbook::home::SYNC_BYTES_MIN + 512 * 1024, "rest");
    let mut n = 100;
    let refused = loop {
        let had_reserve = reserve.exists();
        let at = n % saved.len();
        let answer = device.run(["sheet", "set", &saved[at].0, &work(n)]);
        if answer.code != Some(0) {
            assert!(!had_reserve, "refused while there was a reserve");
            break answer.ended(6);
        }
        assert!(had_reserve, "saved without a reserve");
        saved[at].1 = n;
        n += 1;
        assert!(n < 1000, "the disk is never full");
    };
    let numbers = refused.stderr.split(|letter: char| !letter.is_ascii_digit());
    let said: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
    assert_eq!(said.first(), Some(&fieldbook::home::SAVE_BYTES_MIN), "{}", refused.stderr);
    // The refused command still writes some blocks of its own when it ends.
    let near = |said: u64| said.abs_diff(free()) <= 64 * 1024;
    assert!(said.get(1).copied().is_some_and(near), "{} free: {}", free(), refused.stderr);
    assert!(refused.stderr.contains("\nhint: "), "{}", refused.stderr);
    assert!(n > 101, "the reserve helped nobody");

    let keeps = || {
        let listed = device.ask(["sheet", "list"]);
        assert_eq!(listed.as_array().map(Vec::len), Some(saved.len()), "{listed}");
        for (id, n) in saved.iter().take(3) {
            assert_eq!(device.ask(["sheet", "show", id])["fields"]["work_done"], long_text(*n));
        }
    };
    keeps();
    let ops = saved.len() + n - 100;
    assert_eq!(device.status()["unsent_ops"], ops);

    let report = device.sync();
    assert_eq!((&report["level"], &report["sent_ops"]), (&true.into(), &Value::from(ops)), "{report}");
    keeps();
    company.is_level_with(&[&device]);
    let at_hq = company.export("repair").into_iter().map(|row| (text(&row["id"]), text(&row["work_done"])));
    let here = saved.iter().map(|(id, n)| (id.clone(), long_text(*n)));
    assert_eq!(at_hq.collect::<BTreeMap<_, _>>(), here.collect());

    // With room again the work goes on as if nothing had been, and there is a reserve again.
    for file in [ballast, rest] {
        fs::remove_file(file).expect("our own ballast");
    }
    device.make(["sheet", "new", "repair", "--set", &work(7)]);
    assert!(reserve.exists());
    assert_eq!(device.sync()["level"], true);
    company.is_level_with(&[&device]);
}

#[test]
fn a_disk_that_others_filled_to_the_last_byte_still_reads_and_syncs_from_the_reserve() {
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let device = Device::new();
    let Some(disk) = Disk::over(device.home(), 32) else {
        return;
    };
    device.run(["enrol", &code]).ended(0);
    device.sync();
    let set = |n: usize| format!("work_done={}", long_text(n));
    for n in 0..25 {
        device.make(["sheet", "new", "repair", "--set", &set(n)]);
    }
    let listed = || device.ask(["sheet", "list"]).as_array().map(Vec::len);
    let ballast = disk.fill(0, "ballast");
    assert_eq!(device.status()["unsent_ops"], 25);

    // The reserve is gone. Of what it freed, all but the least that a sync takes is taken away, too.
    assert!(!device.home().join("reserve.bin").exists());
    let rest = disk.fill(fieldbook::home::SYNC_BYTES_MIN, "rest");
    assert_eq!(listed(), Some(25));
    assert_eq!(device.sync()["level"], true);
    assert_eq!(listed(), Some(25));
    company.is_level_with(&[&device]);
    device.run(["sheet", "new", "repair"]).ended(6);
    assert_eq!(device.sync()["level"], true);

    for file in [ballast, rest] {
        fs::remove_file(file).expect("our own ballast");
    }
    device.make(["sheet", "new", "repair"]);
    assert_eq!(device.sync()["level"], true);
    company.is_level_with(&[&device]);
}

/// The home's disk was named as full, with all the room that it had.
#[test]
fn a_backup_that_does_not_fit_names_its_own_file_and_leaves_nothing_of_it() {
    let company = Company::found();
    let device = company.device(LI);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(disk) = Disk::over(folder.path(), 1) else {
        return;
    };
    let file = folder.path().join("backup");
    let file = file.to_str().expect("a path of the tests");
    for left in [0, 16 * 1024] {
        let ballast = disk.fill(left, "ballast");
        let refused = device.run(["backup", file]).ended(6);
        assert!(
            refused.stderr.contains(file) && refused.stderr.contains("disk is full"),
            "{}",
            refused.stderr
        );
        assert_eq!(entries(folder.path()), 1, "something of it is left");
        fs::remove_file(ballast).expect("our own ballast");
    }
}

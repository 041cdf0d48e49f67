//! Full disks: a backup is whole or is not there, says which disk it was, and leaves nothing; a restore and a move too.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fieldbook_hq::data::Data;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::mounts::Disk;

const ORG: &str =
    "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre 1,service_center,B1\n";
const NO_SPACE: i32 = 6;
/// What a restore takes once, and a backup twice, in KiB: the customers below.
const BACKUP_KIB: std::ops::Range<u64> = 400..500;

/// A folder, and the program that is run in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A headquarters with some hundred customers, in the folder `hq`; where nothing is named, in SQLite.
    fn made(&self, server: Option<&str>) -> Data {
        let data = Data::at(&self.at("hq"));
        match server {
            None => data.init("http://127.0.0.1:7400").unwrap(),
            Some(url) => data.init_at_server("http://127.0.0.1:7400", url).unwrap(),
        }
        let customer = |n: usize| format!("K{n},Customer {n} of the tests {n:090}\n");
        let customers: String = (0..400).map(customer).collect();
        for (kind, table) in [("org", ORG), ("customer", &format!("code,name\n{customers}"))] {
            let file = self.at(kind);
            std::fs::write(&file, table).unwrap();
            assert_eq!(
                answer(&self.run("hq", &[kind, "import", file.to_str().unwrap()]))["refused"],
                serde_json::json!([])
            );
        }
        data
    }

    /// Runs a command of headquarters.
    fn run(&self, data: &str, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fieldbook-hq"));
        command.current_dir(self.0.path()).env_remove("FIELDBOOK_HQ_DATABASE");
        command.args(["--lang", "en", "--json", "--data", data]).args(words).output().unwrap()
    }

    /// Runs one for which there is no room, and returns what it says: that, and nothing of damage.
    #[track_caller]
    fn refused(&self, data: &str, words: &[&str], left: u64) -> String {
        let done = self.run(data, words);
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(NO_SPACE), "{words:?} with {left} bytes left: {said}");
        let hint = said.lines().find(|line| line.starts_with("hint: "));
        assert!(hint.is_some_and(|hint| hint.contains("ake room")), "{said}");
        said
    }

    fn backup(&self, data: &str, file: &str) -> Value {
        answer(&self.run(data, &["backup", file]))
    }
}

#[track_caller]
fn answer(done: &Output) -> Value {
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    serde_json::from_slice(&done.stdout).unwrap()
}

/// The names in a folder, sorted, but for the ballast and the lock of backups.
fn names(folder: &Path) -> Vec<String> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut all: Vec<String> = all.map(|name| name.into_string().unwrap()).collect();
    all.retain(|name| name != "ballast" && name != "backup.lock");
    all.sort();
    all
}

/// Asks the same of both engines.
fn on_both(law: impl Fn(&Place, &Data)) {
    for server in [None, Some(Cluster::shared().database())] {
        let place = Place::new();
        let data = place.made(server.as_deref());
        law(&place, &data);
    }
}

fn ops(data: &Data) -> u64 {
    data.open(false).unwrap().store.ops().unwrap()
}

fn backed_up(data: &Data) -> Option<u64> {
    data.open(false).unwrap().store.backup_order().unwrap()
}

/// The disk of the data folder was full and the backup whole beside it: it was told as failed with "nothing was
/// written", and the job of the night threw it away.
#[test]
fn a_backup_of_a_headquarters_on_a_full_disk_is_kept_and_only_its_mark_is_missing() {
    let place = Place::new();
    let data = place.made(None);
    let held = ops(&data);
    std::fs::rename(place.at("hq"), place.at("laid")).unwrap();
    let Some(disk) = Disk::over(&place.at("hq"), 8) else { return };
    // With no room at all SQLite cannot even make the index of its log.
    for left in [0, 4 << 10, 8 << 10, 36 << 10, 40 << 10, 44 << 10] {
        for name in names(&place.at("laid")) {
            std::fs::copy(place.at("laid").join(&name), disk.path().join(&name)).unwrap();
        }
        let ballast = disk.fill(left, "ballast");
        let done = place.backup("hq", "backup");
        assert_eq!(done["noted"], false, "{left} bytes left: {done}");
        assert_eq!(done["bytes"], std::fs::metadata(place.at("backup")).unwrap().len());
        std::fs::remove_file(ballast).unwrap();
        // Devices let go of nothing for a backup that headquarters does not remember.
        assert_eq!(backed_up(&data), None);
        assert_eq!(ops(&data), held);
        answer(&place.run("again", &["restore", "backup"]));
        assert_eq!(ops(&Data::at(&place.at("again"))), held);
        std::fs::remove_dir_all(place.at("again")).unwrap();
        names(disk.path()).iter().for_each(|name| std::fs::remove_file(disk.path().join(name)).unwrap());
    }
    for name in names(&place.at("laid")) {
        std::fs::copy(place.at("laid").join(&name), disk.path().join(&name)).unwrap();
    }
    assert_eq!(place.backup("hq", "backup")["noted"], true);
    assert!(backed_up(&data).is_some());
}

/// A server's backup for which there was no room left the log of its copy beside the target, and was told as damage of
/// the database.
#[test]
fn a_backup_without_room_leaves_the_earlier_file_and_nothing_beside_it() {
    on_both(|place, data| {
        let whole = place.backup("hq", "backup")["bytes"].as_u64().unwrap();
        assert!(BACKUP_KIB.contains(&(whole >> 10)), "{whole}");
        let order = backed_up(data);
        let Some(disk) = Disk::over(&place.at("disk"), 4) else { return };
        std::fs::write(disk.path().join("b"), b"the earlier one").unwrap();
        let lefts = (0..16).map(|n| n << 12).chain((1..30).map(|n| n << 15));
        let mut refused = 0;
        for left in lefts {
            let ballast = disk.fill(left, "ballast");
            if left < 2 * whole - (40 << 10) {
                let said = place.refused("hq", &["backup", "disk/b"], left);
                assert!(said.contains(" disk/b"), "{said}");
                assert_eq!(std::fs::read(disk.path().join("b")).unwrap(), b"the earlier one");
                refused += 1;
            }
            assert_eq!(names(disk.path()), ["b"], "{left} bytes left");
            std::fs::remove_file(ballast).unwrap();
        }
        assert!(refused > 30, "{refused}");
        assert_eq!(backed_up(data), order, "nothing was noted");
        let _ballast = disk.fill(2 * whole + (64 << 10), "ballast");
        assert_eq!(place.backup("hq", "disk/b")["noted"], true);
        assert_eq!(names(disk.path()), ["b"]);
    });
}

#[test]
fn a_backup_clears_away_what_one_that_was_killed_left_and_nothing_else() {
    on_both(|place, _| {
        let [mut ended, mut nobodys] = [(); 2].map(|()| Command::new("true").spawn().unwrap());
        ended.wait().unwrap();
        let (gone, dead, here) = (ended.id(), nobodys.id(), std::process::id());
        // Ended, and nobody has waited for it: a number that is not free.
        let state = || std::fs::read_to_string(format!("/proc/{dead}/stat")).unwrap();
        while !state().contains(") Z ") {
            std::thread::yield_now();
        }
        for end in ["", "-wal", "-shm", "-journal"] {
            std::fs::write(place.at(&format!("b.{gone}-0.part{end}")), b"left").unwrap();
            std::fs::write(place.at(&format!("b.{dead}-1.part{end}")), b"left").unwrap();
        }
        let stay = [
            format!("b.{here}-0.part"),
            format!("b.{gone}-0.part-mine"),
            format!("b.{gone}-0.parts"),
            format!("b.{gone}.part"),
            format!("bb.{gone}-0.part"),
        ];
        stay.iter().for_each(|name| std::fs::write(place.at(name), b"not ours").unwrap());
        let mut others = [&stay[..], &["b", "customer", "hq", "org"].map(String::from)].concat();
        others.sort();
        place.backup("hq", "b");
        nobodys.wait().unwrap();
        assert_eq!(names(place.0.path()), others);
    });
}

#[test]
fn a_restore_without_room_leaves_the_folder_as_it_was() {
    let place = Place::new();
    let data = place.made(None);
    let photo = format!("hq/files/ab/ab{:062}", 0);
    std::fs::create_dir_all(place.at("hq/files/ab")).unwrap();
    std::fs::write(place.at(&photo), vec![7; 60_000]).unwrap();
    let whole = place.backup("hq", "backup")["bytes"].as_u64().unwrap();
    let Some(disk) = Disk::over(&place.at("new"), 4) else { return };
    let mut refused = 0;
    // Up to where the file fits and the log of its database does not.
    for left in (0..60).map(|n| n << 14) {
        let ballast = disk.fill(left, "ballast");
        if place.run("new", &["restore", "backup"]).status.code() == Some(0) {
            assert!(left > whole, "{left}");
            assert_eq!(ops(&Data::at(disk.path())), ops(&data));
            std::fs::remove_dir_all(disk.path().join("files")).unwrap();
            names(disk.path()).iter().for_each(|name| std::fs::remove_file(disk.path().join(name)).unwrap());
        } else {
            place.refused("new", &["restore", "backup"], left);
            refused += 1;
            let files = disk.path().join("files");
            if files.exists() {
                std::fs::remove_dir(files.join("ab")).expect("nothing in it");
                std::fs::remove_dir(files).unwrap();
            }
            assert_eq!(names(disk.path()), Vec::<String>::new(), "{left} bytes left");
        }
        std::fs::remove_file(ballast).unwrap();
    }
    assert!((25..50).contains(&refused), "{refused}");
}

/// The server's address was to be noted in a file that was made and had no room for it: from then on every command asked
/// a server without a name, and `init` found a headquarters in the folder.
#[test]
fn a_headquarters_at_a_server_whose_folder_has_no_room_is_not_half_made() {
    let place = Place::new();
    let Some(disk) = Disk::over(&place.at("hq"), 2) else { return };
    let url = Cluster::shared().database();
    let init = ["--database", &url, "init", "--address", "http://127.0.0.1:7400"];
    for left in [0, 4 << 10] {
        let ballast = disk.fill(left, "ballast");
        place.refused("hq", &init, left);
        assert_eq!(names(disk.path()), Vec::<String>::new(), "{left} bytes left");
        std::fs::remove_file(ballast).unwrap();
    }
    answer(&place.run("hq", &init));
    assert_eq!(ops(&Data::at(disk.path())), 0);
}

/// It was told as damage of the database.
#[test]
fn a_move_out_of_a_full_folder_is_refused_whole_and_done_with_room() {
    let place = Place::new();
    let data = place.made(None);
    let held = ops(&data);
    std::fs::rename(place.at("hq"), place.at("laid")).unwrap();
    let Some(disk) = Disk::over(&place.at("hq"), 8) else { return };
    let url = Cluster::shared().database();
    for name in names(&place.at("laid")) {
        std::fs::copy(place.at("laid").join(&name), disk.path().join(&name)).unwrap();
    }
    let moving = ["--database", &url, "move", "--from", "sqlite", "--to", "postgres"];
    let before = names(disk.path());
    for left in (0..12).map(|n| n << 12) {
        let ballast = disk.fill(left, "ballast");
        let done = place.run("hq", &moving);
        std::fs::remove_file(ballast).unwrap();
        if done.status.code() != Some(0) {
            assert_eq!(
                done.status.code(),
                Some(NO_SPACE),
                "{left}: {}",
                String::from_utf8_lossy(&done.stderr)
            );
            assert_eq!(ops(&data), held, "it goes on where it was");
            assert_eq!(names(disk.path()), before, "{left} bytes left");
        } else {
            assert_eq!(data.server(), Some(url.clone()));
            break;
        }
        assert_eq!(data.server(), None);
    }
    assert_eq!(data.server(), Some(url), "with room it is done");
    assert_eq!(ops(&data), held);
}

#[test]
fn a_move_to_a_server_whose_disk_is_full_is_told_and_is_done_when_it_has_room() {
    let place = Place::new();
    let data = place.made(None);
    let held = ops(&data);
    let cluster = Cluster::start();
    let Some(disk) = Disk::over(&cluster.tables(), 16) else { return };
    let url = cluster.database_in_tables();
    let moving = ["--database", &url, "move", "--from", "sqlite", "--to", "postgres"];
    for left in [0, 64 << 10, 256 << 10, 700 << 10] {
        let ballast = disk.fill(left, "ballast");
        let said = place.refused("hq", &moving, left);
        assert!(said.contains("database server"), "{said}");
        assert_eq!((ops(&data), data.server()), (held, None));
        std::fs::remove_file(ballast).unwrap();
    }
    answer(&place.run("hq", &moving));
    assert_eq!(ops(&data), held);
}

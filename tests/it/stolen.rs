//! A stolen home: without its PIN nothing in it reads, no command opens it, and no unlock comes along.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flate2::{Decompress, FlushDecompress, Status};

use crate::company::{Company, LI, ZHAO};
use crate::world::Device;

/// A PIN that no file, no answer and no message holds.
const PIN: &str = "zq7-Perlach";

/// One thing that a thief looks for, and how it may lie in a file.
struct Planted {
    text: String,
    fen: Option<i64>,
}

impl Planted {
    fn text(text: String) -> Self {
        Self { text, fen: None }
    }

    fn amount(fen: i64) -> Self {
        Self { text: format!("{}.{:02}", fen / 100, fen % 100), fen: Some(fen) }
    }

    fn patterns(&self) -> Vec<Vec<u8>> {
        let utf16 = |to: fn(u16) -> [u8; 2]| self.text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        let mut patterns =
            vec![self.text.as_bytes().to_vec(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)];
        patterns.extend(self.fen.map(|fen| postcard::to_allocvec(&fen).expect("a number")));
        patterns.extend(self.fen.map(|fen| fen.to_le_bytes().to_vec()));
        patterns
    }
}

/// Twenty customers, fifteen serial numbers, fifteen amounts.
fn planted() -> Vec<Planted> {
    let english = (1..=10).map(|n| format!("Hartwick Foundry {n:02}"));
    let chinese = (1..=10).map(|n| format!("临安纺织第{n:02}分厂"));
    let serials = (1..=15).map(|n| format!("SNQX-7781-{n:03}K"));
    let texts = english.chain(chinese).chain(serials).map(Planted::text);
    texts.chain((1..=15).map(|n| Planted::amount(7_654_321_000 + n * 1_013))).collect()
}

/// Returns which of the planted things stand in some bytes, as they are or in a deflated stream inside them.
struct Search {
    patterns: Vec<(usize, Vec<u8>)>,
    found: BTreeSet<usize>,
}

impl Search {
    fn new(planted: &[Planted]) -> Self {
        let of = |(at, one): (usize, &Planted)| {
            one.patterns().into_iter().map(move |pattern| (at, pattern)).collect::<Vec<_>>()
        };
        Self { patterns: planted.iter().enumerate().flat_map(of).collect(), found: BTreeSet::new() }
    }

    fn raw(&mut self, bytes: &[u8]) {
        for (at, pattern) in &self.patterns {
            let mut rest = bytes;
            // The first byte is looked for alone: files are long and patterns rare.
            while let Some(next) = rest.iter().position(|byte| *byte == pattern[0]) {
                rest = &rest[next..];
                if rest.starts_with(pattern) {
                    self.found.insert(*at);
                    break;
                }
                rest = &rest[1..];
            }
        }
    }

    /// Inflates from every byte on, as far as that goes.
    fn inflated(&mut self, bytes: &[u8]) {
        let (mut machine, mut out) = (Decompress::new(false), vec![0; 64 * 1024]);
        for from in 0..bytes.len() {
            machine.reset(false);
            let done = machine.decompress(&bytes[from..], &mut out, FlushDecompress::None);
            let length = usize::try_from(machine.total_out()).expect("a buffer's length");
            let whole = matches!(done, Ok(Status::StreamEnd)) || length > 512;
            if whole && length >= 12 {
                let plain = out[..length].to_vec();
                self.raw(&plain);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let bytes = std::fs::read(path).expect("a file of the home");
        self.raw(path.to_string_lossy().as_bytes());
        self.raw(&bytes);
        // The reserve is random bytes, and nothing but.
        if path.file_name().is_some_and(|name| name != "reserve.bin") {
            self.inflated(&bytes);
        }
    }
}

#[test]
fn the_search_finds_each_thing_in_each_form_and_through_deflate() {
    let planted = planted();
    for (at, one) in planted.iter().enumerate() {
        for pattern in one.patterns() {
            let plain = [&[0x11; 100][..], &pattern, &[0x22; 100]].concat();
            let mut search = Search::new(&planted);
            search.raw(&plain);
            assert!(search.found.contains(&at), "{} as {pattern:?}", one.text);
        }
    }
    let plain = planted.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join("; ");
    let mut deflated = flate2::write::DeflateEncoder::new(vec![0x5a; 37], flate2::Compression::best());
    std::io::Write::write_all(&mut deflated, plain.as_bytes()).expect("a buffer");
    let bytes = [deflated.finish().expect("a buffer"), vec![0xa5; 41]].concat();
    let mut search = Search::new(&planted);
    search.raw(&bytes);
    assert_eq!(search.found.len(), 0, "deflated, none stands there as it is");
    search.inflated(&bytes);
    assert_eq!(search.found.len(), 50);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let to = to.join(path.strip_prefix(from).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(path, to).expect("a copy");
    }
}

/// A photo whose camera noted `text`.
fn photo(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 80);
    encoder.add_exif_metadata(text.as_bytes()).expect("room for a note");
    encoder.encode(&[90; 64 * 48 * 3], 64, 48, jpeg_encoder::ColorType::Rgb).expect("a picture");
    bytes
}

/// Li's device with everything planted, by every way that things come into a home.
fn full(company: &Company, planted: &[Planted]) -> Device {
    let device = company.device(LI);
    // Somebody to hand a job to must be known first.
    company.device(ZHAO).sync();
    device.sync();
    device.ask(["file", "originals", "keep"]);
    let at = |at: usize| planted[at].text.as_str();
    for n in 0..10 {
        let set = [
            format!("customer={}", at(n)),
            format!("product={}", at(20 + n)),
            format!("charge={}", at(35 + n)),
        ];
        let set = set.iter().flat_map(|pair| ["--set", pair.as_str()]);
        let sheet = device.make(["sheet", "new", "repair"].into_iter().chain(set));
        device.ask(["sheet", "add", &sheet, "note", at(n)]);
        if n < 3 {
            let file = device.file(&format!("{}.jpg", at(n)), &photo(at(20 + n)));
            device.ask([
                "sheet",
                "add",
                &sheet,
                "photo",
                &format!("file={file}"),
                &format!("caption={}", at(n)),
            ]);
        }
    }
    let rows = (10..20).map(|n| format!("{},{},{}\n", at(n), at(20 + n.min(14)), at(35 + n.min(14))));
    let rows = format!("customer,product,charge\n{}", rows.collect::<String>());
    let import = device.file("rows.csv", rows.as_bytes());
    device.ask(["import", &import, "--kind", "repair"]);
    for n in 35..40 {
        let receipt = device.file("receipt.jpg", &photo(at(n)));
        let amount = at(n);
        let add = [
            "voucher",
            "add",
            "--category",
            "meal",
            "--amount",
            amount,
            "--date",
            "2026-11-20",
            "--photo",
            &receipt,
        ];
        device.ask(add);
    }
    let now = fieldbook::clock::Clock::system().now();
    let mut store = fieldbook::store::Store::open(device.home(), now).expect("a whole home");
    store.put_setting("last.repair.customer", at(0).as_bytes().to_vec()).expect("a remembered answer");
    drop(store);
    device
}

#[test]
fn of_fifty_names_serials_and_amounts_a_thief_finds_none() {
    let company = Company::found();
    let planted = planted();
    assert_eq!(planted.len(), 50);
    let device = full(&company, &planted);
    let outside = tempfile::tempdir().expect("a folder");
    let path = |name: &str| outside.path().join(name).to_str().expect("a path").to_owned();
    let job = device.ask(["job", "list"])[0]["id"].as_str().expect("a job").to_owned();
    device.ask(["job", "accept", &job]);
    device.ask(["job", "hand-over", &job, "--to", ZHAO, "--file", &path("job.fbw")]);
    device.ask(["bundle", "write", &path("work.fbw")]);

    // What the search finds where there is something to find: the same fifty, in plain text and in deflated XML.
    for format in ["csv", "xlsx"] {
        let out = path(&format!("export.{format}"));
        device.ask(["export", "--kind", "repair", "--format", format, "--out", &out]);
        let mut search = Search::new(&planted);
        search.file(Path::new(&out));
        // A spreadsheet holds amounts as numbers, without the last zero.
        let least = if format == "csv" { 50 } else { 48 };
        assert!(search.found.len() >= least, "{format}: only {:?}", search.found);
        std::fs::remove_file(out).expect("a file of ours");
    }
    // And what keeps the thief out is the PIN: without one a copy opens.
    let open = Device::new();
    copy(device.home(), open.home());
    let shown = open.run(["sheet", "list"]).ended(0).stdout;
    assert!(planted.iter().any(|one| shown.contains(&one.text)), "{shown}");

    device.run_with(["pin", "set"], &format!("{PIN}\n")).ended(0);
    let sync = ["sync"];
    device.run_in(&[("FIELDBOOK_PIN", PIN)], sync, "").ended(0);
    device.ask(["backup", &path("home.backup")]);
    for folder in [device.home(), outside.path()] {
        for file in files(folder) {
            let mut search = Search::new(&planted);
            search.file(&file);
            let found: Vec<&str> = search.found.iter().map(|at| planted[*at].text.as_str()).collect();
            assert!(found.is_empty(), "{}: {found:?}", file.display());
            assert!(!find(&file, PIN), "{} holds the PIN", file.display());
        }
    }
    let thief = Device::new();
    copy(device.home(), thief.home());
    thief.run(["sheet", "list"]).ended(5);
    let owner = thief.run_in(&[("FIELDBOOK_PIN", PIN)], ["sheet", "list"], "").ended(0).stdout;
    assert_eq!(owner.lines().count(), shown.lines().count());
    let again = Device::new();
    again.ask(["restore", &path("home.backup")]);
    again.run(["status"]).ended(5);
    again.run_in(&[("FIELDBOOK_PIN", PIN)], ["status"], "").ended(0);
}

fn find(file: &Path, text: &str) -> bool {
    let bytes = std::fs::read(file).expect("a file of the home");
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Commands that read or write records, one at least for each that the help lists.
const LOCKED: [&str; 37] = [
    "",
    "status",
    "sheet list",
    "sheet new repair --set product=Pump",
    "sheet show X",
    "sheet history X",
    "voucher list",
    "voucher add --category meal --amount 3 --date 2026-11-20",
    "voucher scan",
    "job list",
    "job accept X",
    "trip list",
    "trip show 2026-11-H1",
    "claim list",
    "claim draft 2026-11-H1",
    "claim check X",
    "case list",
    "review list",
    "batch list",
    "sync",
    "bundle write nowhere.fbw",
    "bundle read Cargo.toml",
    "bundle receipts",
    "conflict list",
    "quarantine list",
    "file list",
    "file keep all",
    "print X --out nowhere.pdf",
    "search pump",
    "export --kind repair",
    "import Cargo.toml --kind repair",
    "doctor",
    "doctor --against-hq",
    "rebuild",
    "pin set",
    "pin remove",
    "pin unlock",
];

/// Commands that show no record: what is written stays sealed, or is no record at all.
const OTHERS: [&str; 8] = ["enrol", "policy", "backup", "restore", "schema", "completions", "man", "web"];

#[test]
fn no_command_opens_a_stolen_home_without_its_pin() {
    let company = Company::found();
    let device = company.device(LI);
    device.run_with(["pin", "set"], &format!("{PIN}\n")).ended(0);
    for line in LOCKED {
        let ran = device.run(line.split_whitespace());
        assert_eq!(ran.code, Some(5), "{line}: {}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.is_empty() && ran.stderr.contains("hint: "),
            "{line}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
    let json = device.run(["status", "--json"]).ended(5).json();
    assert_eq!(json["error"]["exit"], 5);
    let help = device.run(["--help"]).ended(0).stdout;
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let commands = listed.map_while(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let mut seen = 0;
    for command in commands.filter_map(|line| line.split_whitespace().next()) {
        let tried = LOCKED.iter().any(|line| line.split_whitespace().next() == Some(command));
        assert!(tried || OTHERS.contains(&command), "{command} is in neither list");
        seen += 1;
    }
    assert!(seen > 20, "{help}");
    device.run(["enrol", &company.hq.device_code(LI, &company.line.url())]).ended(1);
}

#[test]
fn no_answer_no_message_and_no_argument_holds_a_pin() {
    let company = Company::found();
    let device = company.device(LI);
    let out = device.home().join("../request");
    let out = out.to_str().expect("a path");
    let other = "zq7-Perlach-2";
    /// Arguments, standard input, environment, exit code.
    type Run<'a> = (&'a [&'a str], &'a str, &'a [(&'a str, &'a str)], i32);
    let runs: [Run<'_>; 12] = [
        (&["pin", "set"], "zq7\n", &[], 1),
        (&["pin", "set"], "zq7-P\n", &[], 0),
        (&["pin", "set"], "wrong-zq7-P\nzq7-Perlach\n", &[], 5),
        (&["pin", "set"], "zq7-P\nzq7-Perlach\n", &[], 0),
        (&["pin", "unlock"], "zq7-Perlach\n", &[], 0),
        (&["pin", "unlock"], "", &[("FIELDBOOK_PIN", "wrong-zq7-P")], 5),
        (&["pin", "lock"], "", &[], 0),
        (&["status"], "", &[("FIELDBOOK_PIN", PIN)], 0),
        (&["doctor", "--json"], "", &[("FIELDBOOK_PIN", PIN)], 0),
        (&["pin", "rescue", "--out", out], "", &[], 0),
        (&["pin", "set", "--json"], other, &[("FIELDBOOK_PIN", PIN)], 0),
        (&["pin", "remove"], other, &[], 0),
    ];
    for (args, input, env, code) in runs {
        let ran = device.run_in(env, args.iter().copied(), input).ended(code);
        assert!(!(ran.stdout + &ran.stderr).contains("zq7"), "{args:?} repeats the PIN");
    }
    std::fs::remove_file(out).expect("a file of ours");
    let told = device.run(["pin", "set", PIN]).ended(2);
    assert!(told.stderr.contains("argument") && !told.stderr.contains("zq7"), "{}", told.stderr);
}

#[test]
fn an_administrator_brings_a_forgotten_home_back_and_its_work_is_there() {
    let company = Company::found();
    let staff = company.hq.file("admin.csv", "code,name,unit,roles\nX101,徐,JL,admin\n");
    company.hq.run(["staff", "import", staff.to_str().expect("a path")]).ended(0);
    let device = company.device(LI);
    device.sync();
    device.make(["sheet", "new", "repair", "--set", "product=Pump"]);
    device.run_with(["pin", "set"], &format!("{PIN}\n")).ended(0);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let asked = device.ask(["pin", "rescue", "--out", &path("request")]);
    let words = [
        "--json",
        "device",
        "rescue",
        &path("request"),
        "--out",
        &path("answer"),
        "--as",
        "X101",
        "--reason",
        "forgotten",
    ];
    let given = company.hq.run(words).ended(0).json();
    assert_eq!((&given["replica"], &given["request"]), (&asked["replica"], &asked["request"]));
    let rescue = ["pin", "rescue", "--answer", &path("answer")];
    device.run_with(rescue, "quite-another-1\n").ended(0);
    device.run_with(rescue, "quite-another-2\n").ended(1);
    device.run_in(&[("FIELDBOOK_PIN", PIN)], ["status"], "").ended(5);
    let own = [("FIELDBOOK_PIN", "quite-another-1")];
    assert_eq!(device.run_in(&own, ["--json", "sheet", "list"], "").ended(0).json()[0]["kind"], "repair");
    device.run_in(&own, ["sync"], "").ended(0);
    let id = given["replica"].to_string();
    company.hq.run(["device", "lost", &id]).ended(0);
    company.hq.run(words).ended(1);
}

#[test]
#[cfg(target_os = "linux")]
fn an_unlock_stays_on_its_machine_in_its_folder_and_ends() {
    use std::os::unix::fs::PermissionsExt;
    let company = Company::found();
    let device = company.device(LI);
    device.run_with(["pin", "set"], &format!("{PIN}\n")).ended(0);
    let (runtime, elsewhere) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let env = |folder: &tempfile::TempDir| folder.path().to_str().expect("a path").to_owned();
    let (here, there) = (env(&runtime), env(&elsewhere));
    let (here, there) = ([("XDG_RUNTIME_DIR", here.as_str())], [("XDG_RUNTIME_DIR", there.as_str())]);
    let unlocked = device.run_in(&here, ["--json", "pin", "unlock"], PIN).ended(0).json();
    assert!(unlocked["unlocked_until"].is_string(), "{unlocked}");
    let status = device.run_in(&here, ["--json", "status"], "").ended(0).json();
    assert_eq!((&status["pin_set"], &status["unlocked_until"]), (&true.into(), &unlocked["unlocked_until"]));
    for half in files(runtime.path()).into_iter().chain([device.home().join("id/ticket")]) {
        if half.extension().is_some_and(|kind| kind == "ticket") || half.ends_with("ticket") {
            let mode = std::fs::metadata(&half).expect("a half of the unlock").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", half.display());
        }
    }
    let copied = Device::new();
    copy(device.home(), copied.home());
    copied.run_in(&here, ["status"], "").ended(5);
    device.run_in(&there, ["status"], "").ended(5);
    // Whoever finds one half without the other destroys it: the owner gives the PIN once more.
    device.run_in(&here, ["status"], "").ended(5);
    device.run_in(&here, ["pin", "unlock"], PIN).ended(0);
    device.run_in(&here, ["status"], "").ended(0);
    device.run_in(&here, ["pin", "lock"], "").ended(0);
    device.run_in(&here, ["status"], "").ended(5);
    assert!(!device.home().join("id/ticket").exists());
    device.run_in(&here, ["--now", "2026-11-20T08:00:00+08:00", "pin", "unlock"], PIN).ended(0);
    device.run_in(&here, ["--now", "2026-11-20T15:59:00+08:00", "status"], "").ended(0);
    device.run_in(&here, ["--now", "2026-11-20T16:00:00+08:00", "status"], "").ended(5);
    device.run_in(&here, ["--now", "2026-11-20T15:59:00+08:00", "status"], "").ended(5);
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_that_hears_that_it_is_lost_forgets_its_unlock_and_nothing_else() {
    let company = Company::found();
    let device = company.device(LI);
    device.make(["sheet", "new", "repair"]);
    device.run_with(["pin", "set"], &format!("{PIN}\n")).ended(0);
    let runtime = tempfile::tempdir().expect("a folder");
    let here = [("XDG_RUNTIME_DIR", runtime.path().to_str().expect("a path"))];
    device.run_in(&here, ["pin", "unlock"], PIN).ended(0);
    device.run_in(&here, ["sync"], "").ended(0);
    let status = device.run_in(&here, ["--json", "status"], "").ended(0).json();
    device.run_in(&here, ["sheet", "new", "repair"], "").ended(0);
    company.hq.run(["device", "lost", &status["replica"].to_string()]).ended(0);
    device.run_in(&here, ["status"], "").ended(0);
    device.run_in(&here, ["sync"], "").ended(0);
    device.run_in(&here, ["status"], "").ended(5);
    assert!(!device.home().join("id/ticket").exists());
    let halves = files(runtime.path())
        .into_iter()
        .filter(|half| half.extension().is_some_and(|kind| kind == "ticket"));
    assert_eq!(halves.count(), 0, "the half in the folder that a boot empties");
    let own = [("FIELDBOOK_PIN", PIN)];
    let listed = device.run_in(&own, ["--json", "sheet", "list"], "").ended(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
}

#[test]
#[cfg(target_os = "linux")]
fn no_secret_stands_where_the_machine_shows_a_process() {
    const PASSWORD: &str = "orchard-9-Kestrel";
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let (device, file) = (Device::new(), company.hq.file("code", &code));
    let file = file.to_str().expect("a path");
    let own = [("FIELDBOOK_PIN", PIN)];
    let set = format!("{PIN}\n");
    let seen = |(output, shown): (crate::world::Output, crate::watched::Shown)| {
        output.ended(0);
        shown
    };
    let holds = |all: &BTreeSet<String>, word: &str| all.iter().any(|shown| shown.contains(word));
    let mut all = vec![
        seen(device.run_watched(&[], ["enrol", "--file", file], "")),
        seen(device.run_watched(&[], ["sync"], "")),
    ];
    // After a kill another process reads the database first: what that one is started with is seen, too. It is gone in
    // some milliseconds, in which a busy machine may not let anybody look: it is started until it was seen.
    let tried = (0..100).map(|_| {
        killed(&device);
        seen(device.run_watched(&own, ["sheet", "new", "repair"], ""))
    });
    let tried = tried.filter(|shown| holds(&shown.arguments, "try-database") && !shown.handed_on.is_empty());
    // Control: what is a variable is seen.
    let mut asked = tried.filter(|shown| holds(&shown.environment, PIN));
    let asked = asked.next().expect("another process that reads the database");
    all.push(crate::watched::Shown { environment: BTreeSet::new(), ..asked });
    all.push(seen(device.run_watched(&[], ["pin", "set"], &set)));
    assert!(all.iter().any(|shown| holds(&shown.arguments, "pin set")), "{all:?}");
    all.push(seen(device.run_watched(&[], ["pin", "unlock"], &set)));
    all.push(seen(company.hq.run_watched(["user", "add", "--staff", LI], &set.replace(PIN, PASSWORD))));
    let sync = seen(device.run_watched(&own, ["sync"], ""));
    all.push(crate::watched::Shown { environment: BTreeSet::new(), ..sync });
    let secrets = [PIN, PASSWORD, code.as_str()];
    for shown in all.iter().flat_map(|shown| [&shown.arguments, &shown.handed_on, &shown.environment]) {
        assert!(!secrets.iter().any(|secret| holds(shown, secret)), "{shown:?}");
    }
    // Control: what is an argument is seen.
    let mut searched = (0..100).map(|_| device.run_watched(&own, ["search", PASSWORD], "").1);
    assert!(searched.any(|shown| holds(&shown.arguments, PASSWORD)), "an argument was not seen");
}

/// Kills the pages of a device while they hold its home.
#[cfg(target_os = "linux")]
fn killed(device: &Device) {
    let mut pages = device.start(["web", "--port", "0"]);
    let mut line = String::new();
    let stdout = pages.stdout.take().expect("a piped standard output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("its first line");
    pages.kill().expect("it is ours to end");
    pages.wait().expect("it has ended");
}

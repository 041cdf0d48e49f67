//! A day on site, played with the real programs: one headquarters, three devices and a copy, real repair texts.
//!
//! `cargo run --release --example day [-- --stay] [-- --lang zh-CN]`
//!
//! Every step is printed as the command a person would type, with what the program answered.
//! Nothing here knows a rule: the play only types, reads and compares.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a play prints, and stops where it goes wrong"
)]

use std::ffi::OsString;
#[path = "day/harm.rs"]
mod harm;
#[path = "../tests/it/port.rs"]
mod port;
#[path = "day/stage.rs"]
mod stage;

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use crate::harm::harm;
use crate::stage::{Player, Stage};

/// Li Jianguo, engineer in Hangzhou.
const LI: Player = Player { home: "li", clock: None };
/// Zhao Min, his supervisor; her laptop's clock stands two years back.
const ZHAO: Player = Player { home: "zhao", clock: Some("2024-11-20T08:00:00+08:00") };
/// Chen Zhiqiang, engineer in Nanjing.
const CHEN: Player = Player { home: "chen", clock: None };

/// The spare tablet that Li's home is copied to.
const SPARE: Player = Player { home: "li-spare", clock: None };

/// The smallest picture there is: one white point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\
    \0\0\0\nIDATx\x9cc\xf8\x0f\0\x01\x01\x01\0\xb18\xf6\x14\0\0\0\0IEND\xaeB`\x82";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    // The play starts itself again as each of the two programs, so that every step is a process of its own.
    match args.first().and_then(|first| first.to_str()) {
        Some("fieldbook") => return agent(args),
        Some("fieldbook-hq") => return fieldbook_hq::cli::run(&args).into(),
        _ => {}
    }
    let stay = args.iter().any(|arg| arg == "--stay");
    let lang = args.iter().skip_while(|arg| *arg != "--lang").nth(1);
    let lang = lang.and_then(|lang| lang.to_str()).unwrap_or("en");
    let mut stage = Stage::open(lang);
    headquarters(&mut stage);
    enrolment(&stage);
    offline(&stage);
    level(&mut stage);
    let shared = clash(&stage);
    settle(&stage, &shared);
    by_hand(&mut stage);
    copied(&mut stage);
    restored(&mut stage);
    let proven = proof(&stage, &shared);
    let paid = money(lang);
    let shown = faces(&mut stage);
    let unharmed = harm(&stage, CHEN);
    stage.close(stay);
    if proven && paid && shown && unharmed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Headquarters is made, and learns its units, people, customers, machines and jobs.
fn headquarters(stage: &mut Stage) {
    say("1  Headquarters: one folder, one file of SQLite");
    stage.hq(&["init"]);
    for (noun, file) in [
        ("org", "org.csv"),
        ("staff", "staff.csv"),
        ("customer", "customers.csv"),
        ("site", "sites.csv"),
        ("asset", "assets.csv"),
        ("job", "jobs.csv"),
    ] {
        stage.hq(&[noun, "import", &stage.sample(file)]);
    }
    let url = stage.serve();
    println!("{url}");
    for (staff, player) in [("T101", LI), ("S100", ZHAO), ("T201", CHEN)] {
        let code = stage.hq_json(&["device", "code", "--staff", staff, "--address", &url]);
        let code = text(&code, "code");
        std::fs::write(stage.path(&format!("{}.code", player.home)), &code).unwrap();
    }
    println!("(each code goes to its device as a QR, on paper or by mail)");
    stage.stop();
}

/// The devices start to work while headquarters is switched off.
fn enrolment(stage: &Stage) {
    say("2  Three devices, no network: headquarters is switched off");
    for player in [LI, ZHAO, CHEN] {
        let code = stage.path(&format!("{}.code", player.home));
        stage.device(player, &["enrol", "--file", &code]);
    }
}

/// A day's records, some hundred of them, on three devices that know nothing of each other.
fn offline(stage: &Stage) {
    say("3  Offline: installation, repair and inspection sheets, receipts");
    let set = [
        "customer=C001",
        "problem=排气压力不足，夜班有异响",
        "arrived=2026-11-23 08:35",
        "left=2026-11-23 10:05",
        "result=done",
    ];
    let sheet = stage.new_sheet(LI, "repair", &set);
    stage.device(LI, &["sheet", "add", &sheet, "part", "part=SP-6487", "qty=2"]);
    stage.device(LI, &["sheet", "add", &sheet, "time", "kind=labour", "min=90"]);
    stage.device(LI, &["sheet", "seal", &sheet, "--no-sign", "absent"]);
    stage.device(
        LI,
        &["voucher", "add", "--category", "city_transport", "--amount", "35.00", "--date", "2026-11-23"],
    );
    installation(stage);
    inspection(stage);
    let mapping = |name: &str| stage.mapping(name);
    stage.device(LI, &["import", &stage.sample("repairs.csv"), "--map", &mapping("openrepair.toml")]);
    stage.device(CHEN, &["import", &stage.sample("sheets.jsonl"), "--map", &mapping("workload-sheets.toml")]);
    stage
        .device(CHEN, &["import", &stage.sample("receipts.jsonl"), "--map", &mapping("sroie-receipts.toml")]);
    stage.device(
        ZHAO,
        &["import", &stage.sample("inspections.csv"), "--map", &mapping("detroit-inspections.toml")],
    );
    stage.device(LI, &["status"]);
}

/// An installation with a photo and the customer's signature.
fn installation(stage: &Stage) {
    let (photo, signature) = (stage.path("before.png"), stage.path("signature.png"));
    std::fs::write(&photo, PNG).unwrap();
    std::fs::write(&signature, PNG).unwrap();
    let set = [
        "customer=C006",
        "serial=JL-HP-20250905",
        "arrived=2026-11-23 14:00",
        "left=2026-11-23 16:40",
        "result=done",
    ];
    let sheet = stage.new_sheet(LI, "install", &set);
    stage.device(LI, &["sheet", "add", &sheet, "photo", &photo]);
    stage.device(LI, &["sheet", "seal", &sheet, "--signed-by", "王经理", "--signature", &signature]);
}

/// An inspection with a reading and an item that needs watching.
fn inspection(stage: &Stage) {
    let set = ["customer=C001", "arrived=2026-11-23 10:15", "left=2026-11-23 10:50", "result=done"];
    let sheet = stage.new_sheet(LI, "inspection", &set);
    stage.device(LI, &["sheet", "add", &sheet, "reading", "meter=hours", "value=4821.5 h"]);
    stage.device(
        LI,
        &["sheet", "add", &sheet, "item", "item=oil level", "result=watch", "note=top up in December"],
    );
    stage.device(LI, &["sheet", "seal", &sheet, "--no-sign", "unmanned_site"]);
}

/// Headquarters comes up, everybody syncs, jobs and master data arrive.
fn level(stage: &mut Stage) {
    say("4  A network: one request each way carries the day");
    let url = stage.serve();
    println!("{url}");
    for player in [LI, ZHAO, CHEN, ZHAO] {
        stage.device(player, &["sync"]);
    }
    stage.device(LI, &["job", "list"]);
}

/// One sheet, two people, both offline: one write of each merge class.
fn clash(stage: &Stage) -> String {
    say("5  Li and Zhao change the same sheet, offline; her clock is two years wrong");
    let set = ["customer=C001", "problem=Compressor trips at noon"];
    let sheet = stage.new_sheet(LI, "repair", &set);
    stage.device(LI, &["sync"]);
    stage.device(ZHAO, &["sync"]);
    for (player, changes) in [
        (LI, ["problem=Compressor trips at noon, oil is low", "charge=180.00", "checklist_tpl=repair"]),
        (ZHAO, ["problem=Compressor trips when the boiler starts", "charge=240.00", "checklist_tpl=chiller"]),
    ] {
        for change in changes {
            stage.device(player, &["sheet", "set", &sheet, change]);
        }
        let note = format!("text=Seen by {}", player.home);
        stage.device(player, &["sheet", "add", &sheet, "note", &note]);
        let tag = format!("tag={}", if player.home == "li" { "oil" } else { "power" });
        stage.device(player, &["sheet", "add", &sheet, "tag", &tag]);
    }
    // She cancels the journey; he stands at the machine already, so the cancel comes too late and says so.
    let job = stage.device_json(LI, &["job", "list"]);
    let job = text(&job[0], "code");
    stage.device(LI, &["job", "accept", &job]);
    stage.device(LI, &["job", "arrive", &job]);
    stage.device(ZHAO, &["job", "cancel", &job, "--reason", "customer called it off"]);
    for player in [LI, ZHAO, LI] {
        stage.device(player, &["sync"]);
    }
    sheet
}

/// What the merge did not choose is listed, and a person chooses.
fn settle(stage: &Stage, sheet: &str) {
    say("6  What the merge did not choose is shown; a person settles it, once for all");
    stage.device(LI, &["conflict", "list"]);
    stage.device(LI, &["conflict", "show", sheet]);
    stage.device(LI, &["sheet", "history", sheet]);
    let conflicts = stage.device_json(LI, &["conflict", "list"]);
    for conflict in conflicts.as_array().into_iter().flatten() {
        if conflict["values"].as_array().is_some_and(|values| values.len() > 1) {
            let take = text(&conflict["values"][0], "op");
            stage.device(LI, &["conflict", "settle", sheet, "--take", &take]);
        }
    }
    for player in [LI, ZHAO, CHEN] {
        stage.device(player, &["sync"]);
    }
}

/// A device that sees no network: its work goes by file, and the receipt comes back.
fn by_hand(stage: &mut Stage) {
    say("7  No network at all: the work goes on a USB stick, the receipt comes back");
    stage.stop();
    let set = ["customer=C003", "problem=Freezer door does not close"];
    let sheet = stage.new_sheet(CHEN, "repair", &set);
    stage.device(CHEN, &["sheet", "add", &sheet, "photo", &stage.path("before.png")]);
    let (work, receipt) = (stage.path("chen.fbw"), stage.path("receipt.fbw"));
    stage.device(CHEN, &["bundle", "write", &work]);
    stage.hq(&["bundle", "read", &work, "--receipt", &receipt]);
    stage.device(CHEN, &["bundle", "read", &receipt]);
    stage.device(CHEN, &["status"]);
}

/// A home is copied, and both homes write: they diverge under different names and nothing is renamed later.
fn copied(stage: &mut Stage) {
    say("8  Li's home is copied to a spare tablet; both are used, both sync");
    copy(Path::new(&stage.path(LI.home)), Path::new(&stage.path(SPARE.home)));
    stage.serve();
    for (player, problem) in [(LI, "Fan belt is worn"), (SPARE, "Filter is clogged")] {
        stage.new_sheet(player, "repair", &["customer=C001", &format!("problem={problem}")]);
    }
    for player in [LI, SPARE, LI, SPARE] {
        stage.device(player, &["sync"]);
    }
    stage.hq(&["device", "list"]);
}

/// Headquarters loses its disk and is made again from a backup: the devices give back what came after it.
fn restored(stage: &mut Stage) {
    say("9  Headquarters burns down after a backup; the devices give back what it lacks");
    let file = stage.path("headquarters.backup");
    stage.hq(&["backup", &file]);
    stage.new_sheet(LI, "repair", &["customer=C001", "problem=Oil separator leaks"]);
    stage.device(LI, &["sync"]);
    stage.stop();
    std::fs::remove_dir_all(stage.path("hq")).unwrap();
    stage.hq(&["restore", &file]);
    stage.serve();
    for player in [LI, SPARE, ZHAO, CHEN, LI, SPARE, ZHAO, CHEN] {
        stage.device(player, &["sync"]);
    }
}

/// Copies a folder as `cp -a` does.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// Each device's digest is the one headquarters computes for it; what two share is equal.
fn proof(stage: &Stage, sheet: &str) -> bool {
    say("10  Proof: the same digest on the device and at headquarters");
    let hq = stage.hq_json(&["doctor"]);
    let mut proven = hq["views_ok"] == true;
    for (staff, player) in [("T101", LI), ("T101", SPARE), ("S100", ZHAO), ("T201", CHEN)] {
        let here = stage.device_json(player, &["doctor"]);
        let there = hq["replicas"].as_array().into_iter().flatten();
        let mut there = there.filter(|replica| replica["staff"] == staff).map(|replica| &replica["digest"]);
        let equal = there.clone().any(|digest| *digest == here["digest"]) && here["unsent_ops"] == 0;
        println!(
            "{staff}  device {}  headquarters {}  {}",
            here["digest"],
            there.next_back().unwrap_or(&Value::Null),
            word(equal)
        );
        proven &= equal;
    }
    let seen = [LI, ZHAO].map(|player| stage.device_json(player, &["sheet", "show", sheet]));
    let equal = seen[0] == seen[1];
    println!("the sheet that two devices share: {}", word(equal));
    println!("\n{}", if proven && equal { "Nothing was lost." } else { "SOMETHING DIFFERS." });
    proven && equal
}

/// One claim from the receipts to the bank file: its people offline, the office by commands, in March 2025.
fn money(lang: &str) -> bool {
    say("11  Money: a half-month's receipts become a claim, and the claim is paid once");
    let mut stage = Stage::open(lang);
    stage.clock = Some("2025-03-16T08:00:00+08:00");
    stage.hq(&["init"]);
    for (noun, file) in [("org", "org.csv"), ("staff", "staff.csv"), ("account", "accounts.csv")] {
        stage.hq(&[noun, "import", &stage.sample(file)]);
    }
    let url = stage.serve();
    let on = |home, clock| Player { home, clock: Some(clock) };
    let [li, zhao, wu] = ["li", "zhao", "wu"].map(|home| on(home, "2025-03-16T09:00:00+08:00"));
    for (staff, player) in [("T101", li), ("S100", zhao), ("G100", wu)] {
        let code = stage.hq_json(&["device", "code", "--staff", staff, "--address", &url]);
        stage.device(player, &["enrol", &text(&code, "code")]);
        stage.device(player, &["sync"]);
    }
    let receipts = [
        ("courier", "31.00", "2025-03-04"),
        ("tools", "124.50", "2025-03-06"),
        ("phone", "60.00", "2025-03-12"),
    ];
    for (category, amount, date) in receipts {
        stage.device(li, &["voucher", "add", "--category", category, "--amount", amount, "--date", date]);
    }
    let claim = text(&stage.device_json(li, &["claim", "draft", "2025-03-H1"]), "code");
    stage.device(li, &["claim", "check", &claim]);
    let number = text(&stage.device_json(li, &["claim", "submit", &claim]), "number");
    stage.device(li, &["sync"]);
    stage.device(zhao, &["sync"]);
    stage.device(zhao, &["review", "approve", &number, "--vouchers", "2"]);
    stage.device(zhao, &["review", "approve", &number, "--vouchers", "3"]);
    stage.device(zhao, &["sync"]);
    stage.device(wu, &["sync"]);
    stage.device(wu, &["review", "approve", &number]);
    stage.device(wu, &["sync"]);
    let zhao = on("zhao", "2025-03-17T16:00:00+08:00");
    stage.device(zhao, &["sync"]);
    let batch = text(&stage.device_json(zhao, &["batch", "open", "2025-03-B"]), "code");
    for args in [vec!["add", "--all"], vec!["seal", &batch], vec!["dispatch", &batch, "--waybill", "SF1004"]]
    {
        stage.device(zhao, &[&["batch"], &args[..]].concat());
    }
    stage.device(zhao, &["sync"]);
    let office: [(&str, &[&str]); 7] = [
        ("2025-03-20T09:30:00+08:00", &["batch", "receive", "HZ-202503-B", "--all", "--as", "U001"]),
        ("2025-03-21T09:30:00+08:00", &["audit", "done", &number, "--as", "U001"]),
        ("2025-03-24T09:30:00+08:00", &["approve", &number, "--as", "M001"]),
        ("2025-03-24T09:40:00+08:00", &["audit", "hand-over", "--ready", "--as", "U001"]),
        ("2025-03-25T09:30:00+08:00", &["pay", "accept", "--all", "--as", "F001"]),
        ("2025-03-26T09:30:00+08:00", &["pay", "batch", "--as", "F001"]),
        ("2025-03-26T10:30:00+08:00", &["pay", "approve", "PAY-202503-001", "--as", "F002"]),
    ];
    for (now, args) in office {
        stage.clock = Some(now);
        stage.hq(args);
    }
    stage.clock = Some("2025-03-27T09:30:00+08:00");
    let pay = ["PAY-202503-001", "--as", "F001"];
    stage.hq(&[&["pay", "export"], &pay[..], &["--out", &stage.path("bank.csv")]].concat());
    stage.hq(&[&["pay", "confirm"], &pay[..]].concat());
    stage.hq(&["trail", "export", "--out", &stage.path("trail.jsonl")]);
    stage.hq(&["trail", "verify", &stage.path("trail.jsonl")]);
    let li = on("li", "2025-03-28T09:00:00+08:00");
    stage.device(li, &["sync"]);
    let state = text(&stage.device_json(li, &["claim", "show", &number]), "state");
    stage.close(false);
    state == "paid"
}

/// The same home and the same headquarters as pages: the tablet's, and the office's for whoever logs in.
fn faces(stage: &mut Stage) -> bool {
    say("12  Faces: the tablet's pages, and the office's console");
    let first = stage.web(LI);
    let (host, path) = first.trim_start_matches("http://").split_once('/').unwrap();
    let cookie = header(&fetch(host, &format!("/{path}"), ""), "set-cookie");
    let today = fetch(host, "/", cookie.split(';').next().unwrap());
    let sheets = today.matches("class=\"row\"").count();
    println!(
        "   the first page: {} bytes, {sheets} rows; without the address: {}",
        today.len(),
        status(&fetch(host, "/", ""))
    );
    println!("   a command gets the home while the pages are open:");
    stage.device(LI, &["search", "pump", "--limit", "1"]);
    let again = fetch(host, "/", cookie.split(';').next().unwrap());
    if stage.serving.is_none() {
        stage.serve();
    }
    stage.login("A001", "a password of the play");
    let console = stage.listen.unwrap().to_string();
    let door = fetch(&console, "/", "");
    println!("   the console at http://{console}: {}", status(&door));
    [&today, &again, &door].into_iter().all(|page| status(page) == "200")
}

/// Fetches a page as a browser does and returns its headers and text.
fn fetch(host: &str, path: &str, cookie: &str) -> String {
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let asked =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

fn header(answer: &str, name: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default().to_owned()
}

fn word(equal: bool) -> &'static str {
    if equal { "equal" } else { "DIFFERENT" }
}

/// Runs the agent as its own program does.
fn agent(args: Vec<OsString>) -> ExitCode {
    let pin = std::env::var("FIELDBOOK_PIN").ok().map(|pin| fieldbook::keys::secret::Pin::typed(&pin));
    let invocation =
        fieldbook::cli::Invocation { args, env: std::env::vars().collect(), pin, ..Default::default() };
    let (mut input, mut out, mut err) =
        (std::io::stdin().lock(), std::io::stdout().lock(), std::io::stderr().lock());
    let mut streams = fieldbook::cli::Streams { input: &mut input, out: &mut out, err: &mut err };
    fieldbook::cli::run(&invocation, &mut streams).into()
}

fn say(what: &str) {
    println!("\n\n── {what} ──");
}

fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().map(str::to_owned).unwrap_or_else(|| panic!("no {key} in {answer}"))
}

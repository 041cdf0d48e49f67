//! What is refused says why in one sentence and what to do in the next, in both languages, and leaves nothing half-done.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use sync_protocol::conversation::{Answer, RequestHash, write_answer};
use sync_protocol::cursor::{Cursor, Incarnation};
use sync_protocol::message::{Compared, PageEnd, PushAck};
use sync_protocol::sign::Signer;

use crate::company::{Company, LI, text};
use crate::world::{Device, Hq, Output};

/// Asserts that a refusal is one sentence with `value` in it, and one hint.
#[track_caller]
fn reads_well(output: &Output, value: &str) -> String {
    assert_eq!(output.stdout, "", "a refusal leaves standard output to the answers");
    let lines: Vec<&str> = output.stderr.lines().collect();
    let [sentence, points @ .., hint] = lines.as_slice() else {
        panic!("a sentence and a hint, not {:?}", output.stderr)
    };
    assert!(hint.starts_with("hint: ") && hint.len() > "hint: ".len(), "{:?}", output.stderr);
    assert!(points.iter().all(|point| point.starts_with("  ")), "{:?}", output.stderr);
    assert!(sentence.contains(value), "{value:?} is not named: {:?}", output.stderr);
    for word in ["panicked", "Error", "StoreError", "Some(", "%{", "::", "os error"] {
        assert!(!output.stderr.contains(word), "{word:?} in {:?}", output.stderr);
    }
    (*sentence).to_owned()
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
}

/// Asserts that a command is refused with that code in English and Chinese, and that nothing was written.
#[track_caller]
fn check(device: &Device, args: &[&str], code: i32, value: &str) -> String {
    let held = || {
        let status = device.status();
        ["ops", "documents", "unsent_ops", "next_sheet_no"].map(|key| status[key].clone())
    };
    let before = held();
    let english = device.run(args).ended(code);
    let sentence = reads_well(&english, value);
    assert!(!is_chinese(&sentence.replace(value, "")), "{sentence}");
    let chinese = device.run(["--lang", "zh-CN"].iter().chain(args)).ended(code);
    assert!(is_chinese(&reads_well(&chinese, value)), "{}", chinese.stderr);
    let json = device.run(["--json"].iter().chain(args)).ended(code).json();
    assert_eq!(json["error"]["exit"], code, "{json}");
    assert_eq!(held(), before, "{args:?} wrote something");
    sentence
}

#[test]
fn each_refused_input_has_its_own_sentence_and_exit_code_and_writes_nothing() {
    let company = Company::found();
    let device = company.device(LI);
    let code = |id: &str| text(&device.ask(["sheet", "show", id])["code"]);
    let draft = device.make(["sheet", "new", "repair", "--set", "problem=异响"]);
    let sealed = device.make([
        "sheet",
        "new",
        "repair",
        "--set",
        "arrived=2026-11-20 09:00",
        "--set",
        "left=2026-11-20 10:00",
        "--set",
        "result=done",
    ]);
    device.ask(["sheet", "seal", &sealed, "--no-sign", "absent"]);
    let code = code(&draft);
    let voucher =
        |amount, date| ["voucher", "add", "--category", "meal", "--amount", amount, "--date", date].to_vec();
    let cases: Vec<(Vec<&str>, i32, &str)> = vec![
        (voucher("12.345", "2026-11-20"), 1, "12.345"),
        (voucher("abc", "2026-11-20"), 1, "abc"),
        (voucher("12.00", "31/02"), 1, "31/02"),
        (voucher("0", "2026-11-20"), 1, "open"),
        (vec!["sheet", "set", &draft, "colour=red"], 1, "colour"),
        (vec!["sheet", "set", &draft, "runhours=many"], 1, "many"),
        (vec!["sheet", "set", &draft, "result=perfect"], 1, "perfect"),
        (vec!["sheet", "set", &draft, "arrived=yesterday"], 1, "yesterday"),
        (vec!["sheet", "set", &draft, "problem"], 2, "problem"),
        (vec!["sheet", "add", &draft, "wheel", "4"], 1, "wheel"),
        (vec!["sheet", "add", &draft, "photo", "/nowhere.jpg"], 2, "/nowhere.jpg"),
        (vec!["sheet", "set", &sealed, "work_done=x"], 1, "sealed"),
        (vec!["sheet", "seal", &sealed, "--no-sign", "absent"], 1, "Seal"),
        (vec!["sheet", "seal", &draft, "--no-sign", "absent"], 1, &code),
        (vec!["sheet", "show", "ZZZZZZZZ"], 1, "ZZZZZZZZ"),
        (vec!["voucher", "show", &draft], 1, &draft),
        (vec!["sheet", "new", "sheet"], 2, "sheet"),
        (vec!["sheet", "list", "--state", "lost"], 2, "lost"),
        (vec!["conflict", "settle", &draft, "--take", "7.7.7"], 1, ""),
        (vec!["frobnicate"], 2, "frobnicate"),
        (vec!["status", "--loud"], 2, "--loud"),
        (vec!["schema", "boat"], 2, "boat"),
        (vec!["--now", "noon", "status"], 2, "noon"),
        (vec!["export", "--kind", "ship"], 2, "ship"),
        (vec!["import", "/nowhere.csv", "--kind", "repair"], 2, "/nowhere.csv"),
    ];
    let mut sentences = BTreeSet::new();
    for (args, code, value) in &cases {
        // Words that are translated are not looked for in Chinese.
        let value = if ["sealed", "Seal", "open"].contains(value) { "" } else { value };
        let sentence = check(&device, args, *code, value);
        assert!(sentences.insert(sentence.clone()), "two refusals read the same: {sentence}");
    }
    let refused = device.run(["sheet", "seal", &draft, "--no-sign", "absent"]).ended(1);
    for rule in ["W-14", "S-01", "S-03"] {
        assert!(refused.stderr.contains(rule), "{}", refused.stderr);
    }
    assert_eq!(device.ask(["sheet", "show", &draft])["state"], "draft");
}

/// Readers of Chinese were told "No such file or directory (os error 2)" in the middle of a sentence of ours.
#[test]
fn what_the_system_says_of_a_file_is_said_in_the_language_of_the_reader() {
    let (device, hq) = (Device::new(), Hq::init());
    let there = device.file("there.csv", b"\xff\xfe\x80 no text");
    let folder = device.home().to_str().expect("a path of the tests");
    let files =
        [format!("{folder}/nothing.csv"), folder.to_owned(), format!("{there}/within.csv"), there.clone()];
    for (lang, said) in [
        ("zh-CN", ["找不到这个文件", "这是文件夹", "路径中有一段是文件", "不是应有的格式"]),
        ("zh-TW", ["找不到這個檔案", "這是資料夾", "路徑中有一段是檔案", "不是應有的格式"]),
        ("en", ["no such file", "a folder, not a file", "a part of its path", "not of the form"]),
    ] {
        for (file, said) in files.iter().zip(said) {
            let explain = ["--lang", lang, "policy", "explain", "audit", "--received", "2026-11-20"];
            let explained = device.run(explain.into_iter().chain(["--policy", file])).ended(2);
            let checked = hq.run(["--lang", lang, "policy", "check", file]).ended(2);
            for refused in [explained, checked] {
                let sentence = reads_well(&refused, file);
                assert!(sentence.contains(said), "{said:?} is not said: {sentence}");
                assert_eq!(is_chinese(&sentence.replace(file, "")), lang != "en", "{sentence}");
            }
        }
        let imported = hq.run(["--lang", lang, "staff", "import", &there]).ended(2);
        let sentence = reads_well(&imported, "staff").replace("staff", "");
        assert_eq!(sentence.chars().any(|letter| letter.is_ascii_alphabetic()), lang == "en", "{sentence}");
        // Opening a folder succeeds on some systems; what fails is the reading.
        let imported = hq.run(["--lang", lang, "staff", "import", folder]).ended(2);
        let sentence = reads_well(&imported, folder);
        assert!(sentence.contains(said[1]), "{sentence}");
    }
}

#[test]
fn a_code_that_is_cut_mistyped_used_up_or_expired_enrols_nobody() {
    let company = Company::found();
    let code = company.hq.device_code(LI, &company.line.url());
    let flipped = |at: usize| {
        let mut letters: Vec<char> = code.chars().collect();
        letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
        letters.into_iter().collect::<String>()
    };
    let device = Device::new();
    let half = &code[..code.len() / 2];
    let mut sentences = BTreeSet::new();
    for (wrong, what) in [
        (half.to_owned(), "cut"),
        (flipped(code.len() / 2), "mistyped"),
        (flipped(code.len() - 3), "mistyped"),
        ("hello".to_owned(), "not a code"),
    ] {
        for lang in ["en", "zh-CN"] {
            let refused = device.run(["--lang", lang, "enrol", &wrong]).ended(1);
            sentences.insert(reads_well(&refused, ""));
        }
        let left = std::fs::read_dir(device.home()).expect("the folder").count();
        assert_eq!(left, 0, "a {what} code left something behind");
    }
    assert_eq!(sentences.len(), 6, "{sentences:?}");
    let late = device.run(["--now", "2036-01-01T00:00:00+08:00", "enrol", &code]).ended(1);
    reads_well(&late, "2036-01-01");
    device.run(["status"]).ended(1);

    device.run(["enrol", &code]).ended(0);
    let replica = device.status()["replica"].clone();
    let again = device.run(["enrol", &company.hq.device_code(LI, &company.line.url())]).ended(1);
    reads_well(&again, &device.home().to_string_lossy());
    assert_eq!(device.status()["replica"], replica);
}

#[test]
fn the_clock_is_set_only_where_tests_are_allowed_to() {
    let company = Company::found();
    let device = company.device(LI);
    let now = ["--now", "2026-01-01T00:00:00+08:00", "sheet", "new", "repair"];
    let refused = device.run_in_earnest(now).ended(2);
    reads_well(&refused, "--now");
    assert_eq!(device.status()["ops"], 0);
    device.run(now).ended(0);
    assert_eq!(device.status()["ops"], 1);
}

#[test]
fn a_home_in_use_is_left_alone_and_its_holder_named() {
    let company = Company::found();
    let device = company.device(LI);
    let clock = fieldbook::clock::Clock::system();
    let held = fieldbook::store::Store::open(device.home(), clock.now()).expect("a whole home");
    let refused = device.run(["sheet", "new", "repair"]).ended(7);
    reads_well(&refused, &std::process::id().to_string());
    drop(held);
    assert_eq!(device.status()["ops"], 0);
}

#[test]
fn with_hq_down_or_strange_the_sync_ends_with_3_and_the_work_stays() {
    let mut company = Company::found();
    let device = company.device(LI);
    device.make(["sheet", "new", "repair"]);
    company.hq.kill();
    check(&device, &["sync"], 3, "127.0.0.1");

    // Another company's headquarters at the address: it knows no such device, and signs nothing.
    let mut other = Hq::init();
    other.serve();
    let strange = Device::enrol(&company.hq.device_code(LI, &other.url()));
    strange.make(["sheet", "new", "repair"]);
    check(&strange, &["sync"], 3, "127.0.0.1");

    // An impostor that answers everything properly, with a key of its own.
    let impostor = Device::enrol(&company.hq.device_code(LI, &impostor()));
    impostor.make(["sheet", "new", "repair"]);
    check(&impostor, &["sync"], 3, "127.0.0.1");
    let refused = impostor.run(["sync"]).ended(3);
    assert!(refused.stderr.contains("key"), "{}", refused.stderr);
}

/// Serves answers that acknowledge everything under a key that is not HQ's, and returns its URL.
fn impostor() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let address = listener.local_addr().expect("a bound address");
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let request = read_request(&mut stream);
            let body = write_answer(
                &nothing_new(),
                RequestHash::of(&request),
                &Signer::from_seed(&[7; 32]).expect("a key"),
            );
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            drop(stream.write_all(head.as_bytes()));
            drop(stream.write_all(&body));
        }
    });
    format!("http://{address}")
}

fn read_request(stream: &mut impl Read) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    drop(stream.read_exact(&mut body));
    body
}

fn nothing_new() -> Answer {
    let incarnation = Incarnation(1);
    Answer {
        ack: PushAck {
            incarnation,
            lease: [1; 8],
            held: Vec::new(),
            rulings: Vec::new(),
            digest: Compared::Not,
        },
        notices: Vec::new(),
        certificate: None,
        tells: Vec::new(),
        items: Vec::new(),
        rulings: Vec::new(),
        end: PageEnd { next: Cursor { incarnation, positions: Vec::new() }, more: false },
    }
}

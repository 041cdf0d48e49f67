//! Photos and papers on their way to headquarters: small, once each, and never a piece of them twice.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sync_protocol::asides::{Ask, Tell, pieces};
use sync_protocol::conversation::{Event, Reader, RequestHash, read_answer};
use sync_protocol::limits::BODY_BYTES_MAX;
use sync_protocol::sign::PublicKey;

use crate::company::{Company, LI, WANG, ZHAO, text};
use crate::proxy::{Cut, Passed, Way};
use crate::world::Device;

/// Returns a JPEG of a paper that fills the link: noise, `edge` pixels wide and high.
fn photo(edge: u16, seed: u64) -> Vec<u8> {
    let side = usize::from(edge);
    let bytes = noise(side * side * 3, seed);
    let mut out = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    encoder.encode(&bytes, edge, edge, jpeg_encoder::ColorType::Rgb).expect("a picture");
    out
}

/// Returns bytes that no code makes shorter.
fn noise(n: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(n).collect()
}

/// The whole files that HQ holds.
fn held(company: &Company) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(company.hq.files()).into_iter().flatten().flatten();
    let folders = folders.map(|folder| folder.path()).filter(|path| !path.ends_with("partial"));
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).expect("a folder of files").flatten());
    let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn voucher(device: &Device, photo: &str) -> String {
    let add = ["voucher", "add", "--category", "meal", "--amount", "20", "--date", "2026-11-20"];
    device.make(add.into_iter().chain(["--photo", photo]))
}

#[test]
fn a_photo_of_a_receipt_reaches_headquarters_with_its_thumbnail() {
    let company = Company::found();
    let device = company.device(LI);
    device.sync();
    let slip = device.file("slip.jpg", &photo(400, 1));
    let id = voucher(&device, &slip);
    assert_eq!(device.status()["files"]["here_only"], 2, "the photo and its thumbnail");
    let report = device.sync();
    assert_eq!((&report["files_sent"], &report["files_left"]), (&2.into(), &0.into()), "{report}");
    let photo = &device.ask(["voucher", "show", &id])["lists"]["photo"][0];
    let mut named = [text(&photo["file"]), text(&photo["thumb"])];
    named.sort();
    assert_eq!(held(&company).iter().map(|path| name(path)).collect::<Vec<_>>(), named, "{photo}");
    assert_eq!(device.status()["files"]["here_only"], 0);
    company.is_level_with(&[&device]);
}

/// Returns the bodies of the HTTP messages in one direction of a connection; the last one may be cut short.
fn bodies(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let body = &bytes[end + 4..];
        let length: usize = length.unwrap_or(0);
        out.push(&body[..length.min(body.len())]);
        bytes = &body[length.min(body.len())..];
    }
    out
}

/// A piece of a file: its hash and place.
type Name = ([u8; 32], u32);

/// Counts the pieces that passed the line whole though HQ had said before that it holds them, and all that passed.
fn sent_again(passed: &[Passed], hq: &PublicKey) -> (usize, usize) {
    let (mut held, mut again, mut all) = (BTreeSet::<Name>::new(), 0, 0);
    let mut totals = std::collections::BTreeMap::new();
    for connection in passed {
        let answers = bodies(&connection.down);
        for (at, request) in bodies(&connection.up).into_iter().enumerate() {
            for event in Reader::new(BODY_BYTES_MAX).push(request).expect("frames of the protocol") {
                match event {
                    Event::Ask(Ask::Chunk(chunk)) => {
                        all += 1;
                        again += usize::from(held.contains(&(chunk.hash, chunk.index)));
                    }
                    Event::Ask(Ask::Have(files)) => {
                        totals.extend(files.iter().map(|file| (file.hash, file.total)));
                    }
                    _ => {}
                }
            }
            let answer =
                answers.get(at).and_then(|answer| read_answer(answer, RequestHash::of(request), hq).ok());
            for tell in answer.map(|(answer, _)| answer.tells).unwrap_or_default() {
                let Tell::Held(files) = tell else { continue };
                for file in files {
                    let lacks = |n: u32| {
                        file.missing.iter().any(|(first, count)| (*first..first + count).contains(&n))
                    };
                    let here = (0..pieces(totals[&file.hash])).filter(|n| !lacks(*n));
                    held.extend(here.map(|n| (file.hash, n)));
                }
            }
        }
    }
    (again, all)
}

/// On a thin line every connection broke before a photo was through, and the upload began again at its first byte.
/// Headquarters keeps each piece as it comes and says what it lacks; nothing that it holds goes twice.
#[test]
fn a_large_file_over_a_line_that_cuts_every_300_kb_sends_no_kept_piece_twice() {
    let company = Company::found();
    let device = company.device(LI);
    device.sync();
    let id = voucher(&device, &device.file("slip.jpg", &photo(40, 1)));
    device.sync();
    let invoice = noise(20_000_000, 7);
    let path = device.file("invoice.pdf", &invoice);
    device.ask(["voucher", "attach", &id, "photo", &format!("file={path}"), "kind=invoice_file"]);
    company.line.record();
    company.line.cut(Cut::Every { way: Way::Up, after: 300_000 });
    let before = company.line.counts();
    let mut syncs = 0;
    while device.status()["files"]["here_only"] != 0 {
        syncs += 1;
        assert!(syncs < 20, "no end in sight");
        device.run(["sync"]);
    }
    let after = company.line.counts();
    let store = fieldbook::store::Store::open(device.home(), fieldbook::clock::Clock::system().now());
    let key = store.expect("a whole home").identity().enrolment.hq_key;
    let (again, all) = sent_again(&company.line.recorded(), &key);
    let overhead = after.bytes_up - before.bytes_up - 20_000_000;
    println!(
        "{syncs} syncs, {} connections, {all} pieces, {again} of them again, {overhead} bytes beside the file",
        after.connections - before.connections
    );
    assert_eq!(again, 0);
    let kept = held(&company)
        .into_iter()
        .find(|path| std::fs::metadata(path).is_ok_and(|meta| meta.len() == 20_000_000));
    assert_eq!(std::fs::read(kept.expect("the file is at headquarters")).expect("it reads"), invoice);
    company.line.cut(Cut::Never);
    company.is_level_with(&[&device]);
}

/// Two engineers photographed the same plate, and the second upload failed because the name was taken.
/// Files are named by what they hold: the second one is there already, and nothing of it goes over the line.
#[test]
fn two_equal_photos_like_odk_299() {
    let company = Company::found();
    let (li, zhao) = (company.device(LI), company.device(ZHAO));
    let plate = photo(500, 3);
    li.sync();
    zhao.sync();
    for device in [&li, &zhao] {
        for name in ["plate.jpg", "again.jpg"] {
            voucher(device, &device.file(name, &plate));
        }
    }
    let first = li.sync();
    assert_eq!((&first["files_sent"], &first["files_left"]), (&2.into(), &0.into()), "{first}");
    let before = company.line.counts().bytes_up;
    let second = zhao.sync();
    assert_eq!((&second["files_sent"], &second["files_left"]), (&2.into(), &0.into()), "{second}");
    let up = company.line.counts().bytes_up - before;
    assert!(up < 3_000, "{up} bytes went up for two vouchers and no photo");
    assert_eq!(held(&company).len(), 2, "one photo and one thumbnail");
    company.is_level_with(&[&li, &zhao]);
}

/// Returns the entry of the first photo of a voucher.
fn first_photo(device: &Device, id: &str) -> serde_json::Value {
    device.ask(["voucher", "show", id])["lists"]["photo"][0].clone()
}

#[test]
fn a_supervisor_gets_thumbnails_by_himself_and_a_whole_photo_when_he_asks() {
    let company = Company::found();
    let (li, wang) = (company.device(LI), company.device(WANG));
    let slip = li.file("slip.jpg", &photo(1800, 5));
    let id = voucher(&li, &slip);
    li.sync();
    let report = wang.sync();
    assert_eq!(report["files_received"], 1, "{report}");
    let photo = first_photo(&li, &id);
    let (file, thumb) = (text(&photo["file"]), text(&photo["thumb"]));
    let got = |name: &str, out: &str| {
        let path = wang.file(out, b"");
        wang.ask(["file", "get", name, "--out", &path]);
        std::fs::read(path).expect("a file that was written out")
    };
    company.hq.listens_at();
    let before = company.line.counts().connections;
    let small = got(&thumb, "thumb.jpg");
    assert_eq!(company.line.counts().connections, before, "it was here");
    assert!(small.len() <= 8192, "{}", small.len());
    let whole = got(&file[..12], "whole.jpg");
    assert!(whole.len() > 131_072, "several pieces: {}", whole.len());
    assert_eq!(whole, std::fs::read(company.hq.files().join(&file[..2]).join(&file)).expect("HQ's copy"));
    // Nobody in another branch may have it, even if he knows its name.
    let sun = company.device(crate::company::SUN);
    sun.sync();
    let path = sun.file("stolen.jpg", b"");
    sun.run(["file", "get", &file, "--out", &path]).ended(1);
}

#[test]
fn headquarters_asks_for_a_photo_as_the_camera_made_it_and_gets_it_byte_for_byte() {
    let company = Company::found();
    let device = company.device(LI);
    device.ask(["file", "originals", "keep"]);
    let camera = photo(1700, 9);
    let id = voucher(&device, &device.file("camera.jpg", &camera));
    device.sync();
    let entry = first_photo(&device, &id);
    assert_eq!(entry["original_kept"], true, "{entry}");
    assert_eq!((&entry["width"], &entry["height"]), (&1600.into(), &1600.into()), "{entry}");
    assert_eq!(held(&company).len(), 2, "the small photo and its thumbnail");
    let original = text(&entry["original"]);
    let asked = company.hq.run(["--json", "file", "ask", &original[..10]]).ended(0).json();
    assert_eq!(asked["asked"].as_array().map(Vec::len), Some(1), "{asked}");
    let report = device.sync();
    assert_eq!(report["files_sent"], 1, "{report}");
    let out = device.file("out.jpg", b"");
    company.hq.run(["file", "get", &original, "--out", &out]).ended(0);
    assert_eq!(std::fs::read(out).expect("a file that was written out"), camera);
    let again = company.hq.run(["--json", "file", "ask", &original]).ended(0).json();
    assert_eq!(again["here"], true, "{again}");
    assert_eq!(device.sync()["files_sent"], 0);
}

#[test]
fn with_few_bytes_records_go_first_then_thumbnails_and_the_list_tells_what_is_left() {
    let company = Company::found();
    let device = company.device(LI);
    device.sync();
    let id = voucher(&device, &device.file("slip.jpg", &photo(900, 11)));
    let report = device.ask(["sync", "--max-bytes", "40000"]);
    assert_eq!((&report["level"], &report["files_sent"]), (&true.into(), &1.into()), "{report}");
    assert_eq!(report["files_left"], 1, "{report}");
    let entry = first_photo(&device, &id);
    assert_eq!(held(&company).iter().map(|path| name(path)).collect::<Vec<_>>(), [text(&entry["thumb"])]);
    let files = |device: &Device| device.ask(["voucher", "list"])[0]["files"].clone();
    assert_eq!(files(&device), serde_json::json!({"all": 1, "at_hq": 0, "here": 1}));
    let missing = company.hq.run(["--json", "file", "list", "--missing"]).ended(0).json();
    assert_eq!(missing[0]["hash"], entry["file"], "{missing}");
    device.sync();
    assert_eq!(files(&device), serde_json::json!({"all": 1, "at_hq": 1, "here": 1}));
    assert_eq!(company.doctor()["files"]["missing"], 0);
}

#[test]
fn a_photo_that_is_lost_on_both_sides_is_named_and_stops_nothing() {
    let company = Company::found();
    let device = company.device(LI);
    device.sync();
    let id = voucher(&device, &device.file("slip.jpg", &photo(300, 13)));
    let file = text(&first_photo(&device, &id)["file"]);
    std::fs::remove_file(device.home().join("blobs").join(&file[..2]).join(&file))
        .expect("the photo was here");
    let other = voucher(&device, &device.file("other.jpg", &photo(300, 14)));
    let report = device.sync();
    assert_eq!((&report["level"], &report["files_sent"]), (&true.into(), &3.into()), "{report}");
    let status = device.status();
    assert_eq!(
        (&status["files"]["missing"], &status["files"]["here_only"]),
        (&1.into(), &0.into()),
        "{status}"
    );
    let quiet = device.sync();
    assert_eq!(quiet["requests"], 1, "{quiet}");
    assert_eq!(device.ask(["voucher", "show", &other])["files"]["at_hq"], 1);
    let found = device.run(["--json", "doctor"]).ended(4).json();
    assert!(found["faults"].to_string().contains(&file[..12]), "{found}");
}

#[test]
fn without_any_network_photos_go_by_bundle_and_are_receipted() {
    let company = Company::found();
    let device = company.device(LI);
    let id = voucher(&device, &device.file("slip.jpg", &photo(1200, 21)));
    let (work, receipt) = (device.file("work.fbw", b""), device.file("receipt.fbw", b""));
    let written = device.ask(["bundle", "write", &work]);
    assert_eq!(written["files"], 2, "{written}");
    // In any order and twice: nothing changes.
    for _ in 0..2 {
        company.hq.run(["bundle", "read", &work, "--receipt", &receipt]).ended(0);
        assert_eq!(held(&company).len(), 2);
    }
    assert_eq!(device.status()["files"]["here_only"], 2, "not before the receipt");
    device.ask(["bundle", "read", &receipt]);
    assert_eq!(device.status()["files"]["here_only"], 0);
    assert_eq!(device.ask(["voucher", "show", &id])["files"]["at_hq"], 1);
    let without = device.ask(["bundle", "write", &work, "--records"]);
    assert_eq!(without["files"], 0, "{without}");
    let report = device.sync();
    assert_eq!((&report["files_sent"], &report["files_left"]), (&0.into(), &0.into()), "{report}");
}

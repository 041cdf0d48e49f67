//! Photos and papers on their way to headquarters: small, once each, and never a piece of them twice.

use std::path::{Path, PathBuf};

use crate::company::{Company, LI, text};
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

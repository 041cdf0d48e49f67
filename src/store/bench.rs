//! What the store costs, on this machine: run with `FIELDBOOK_BENCH=10000 cargo test --release --lib store::bench -- --nocapture`.

use std::io::Write as _;
use std::path::Path;

use records::id::DocId;
use records::kinds::number::REPAIR;
use records::schema::{Class, Tag};
use sync_protocol::op::Write;

use crate::clock::{Clock, Now};
use crate::store::Store;
use crate::store::testing::{NOW, enrolment};
use crate::store::write::{NewOp, On};

fn monotonic_us() -> u128 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    u128::try_from(time.tv_sec).unwrap() * 1_000_000 + u128::try_from(time.tv_nsec).unwrap() / 1000
}

fn folder_bytes(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).unwrap().flatten();
    let bytes = |entry: std::fs::DirEntry| {
        let meta = entry.metadata().unwrap();
        if meta.is_dir() {
            folder_bytes(&entry.path())
        } else {
            std::os::unix::fs::MetadataExt::blocks(&meta) * 512
        }
    };
    entries.map(bytes).sum()
}

fn peak_kib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status
        .lines()
        .filter(|line| line.starts_with("VmHWM") || line.starts_with("VmRSS"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// About 265 bytes that do not all repeat, as a real sheet's.
fn sheet(i: u64) -> Vec<Write> {
    let words = [
        "pump", "valve", "filter", "fan", "motor", "belt", "leak", "noise", "replaced", "cleaned",
    ];
    let mut seed = i
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap()
    };
    (2..12)
        .map(|group| {
            let text: Vec<&str> = (0..3).map(|_| words[next() % words.len()]).collect();
            let bytes = format!("{}{}", text.join(" "), next() % 10_000).into_bytes();
            Write {
                tag: Tag::new(group + 40, Class::Last),
                bytes,
            }
        })
        .collect()
}

fn seal() -> Vec<Write> {
    vec![Write {
        tag: Tag::new(60, Class::Contested),
        bytes: crate::keys::random::<60>().unwrap().to_vec(),
    }]
}

fn raw_append_p50(folder: &Path, n: u64) -> u128 {
    let mut file = std::fs::File::create(folder.join("raw")).unwrap();
    let mut times: Vec<u128> = (0..n)
        .map(|_| {
            let start = monotonic_us();
            file.write_all(&[7; 400]).unwrap();
            file.sync_data().unwrap();
            monotonic_us() - start
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn op(on: On, writes: Vec<Write>) -> NewOp {
    NewOp {
        kind: REPAIR,
        schema: 1,
        on,
        writes,
        local: None,
    }
}

#[test]
fn saves_are_fast_and_small() {
    let Some(n) = std::env::var("FIELDBOOK_BENCH")
        .ok()
        .and_then(|n| n.parse::<u64>().ok())
    else {
        return;
    };
    let base = std::env::var("FIELDBOOK_BENCH_DIR").unwrap_or_else(|_| "/tmp".into());
    let dir = tempfile::tempdir_in(base).unwrap();
    let home = dir.path().join("home");
    let mut store = Store::create(&home, &enrolment(), NOW).unwrap();
    println!("empty home {} bytes", folder_bytes(&home));
    let raw = raw_append_p50(dir.path(), 1000);
    let mut times = Vec::new();
    for i in 0..n {
        let now = Now {
            wall: records::time::Ts(NOW.wall.0 + i64::try_from(i).unwrap() * 60_000),
            ..NOW
        };
        let start = monotonic_us();
        let id = store.save(vec![op(On::Create, sheet(i))], now).unwrap()[0];
        times.push(monotonic_us() - start);
        store
            .save(vec![op(On::Document(DocId(id)), seal())], now)
            .unwrap();
    }
    let raw = (raw + raw_append_p50(dir.path(), 1000)) / 2;
    for part in times.chunks(times.len().div_ceil(5)) {
        let mut part = part.to_vec();
        part.sort_unstable();
        println!(
            "save p50 {} us p99 {} us, raw append+fdatasync p50 {raw}",
            part[part.len() / 2],
            part[part.len() * 99 / 100]
        );
    }
    store.checkpoint().unwrap();
    println!("after saves: {}", peak_kib());
    let start = monotonic_us();
    let segments = store.unsent(usize::MAX, usize::MAX).unwrap();
    println!(
        "{} segments signed in {} us",
        segments.len(),
        monotonic_us() - start
    );
    let start = monotonic_us();
    let mut seen = 0;
    store
        .each(None, &mut |_| {
            seen += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    println!(
        "{seen} documents folded in {} us; {}",
        monotonic_us() - start,
        peak_kib()
    );
    drop(store);
    for part in ["", "sled", "journal"] {
        println!("{part:8} {} bytes a sheet", folder_bytes(&home.join(part)) / n);
    }
    println!("home is {}", home.display());
    for _ in 0..3 {
        let start = monotonic_us();
        let store = Store::open(&home, Clock::system().now()).unwrap();
        let counts = store.counts().unwrap();
        println!("open and counts {} us: {counts:?}", monotonic_us() - start);
    }
}

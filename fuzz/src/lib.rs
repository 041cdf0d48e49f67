//! Bytes from strangers against everything that reads them: each target takes any bytes and holds its laws.
//!
//! The laws: nothing panics; what decodes is written again as the same bytes; no more memory is held than a target's
//! [`Memory`] says for so many bytes.
//! `cargo xtask fuzz` runs a target under libFuzzer; `tests/corpus.rs` runs every kept input and its mutations on
//! stable Rust.
//!
//! Source: docs/SECURITY.md, Hostile bytes.

mod bundles;
mod forms;
mod memory;
pub mod mutation;
mod photos;
mod sheets;
mod texts;
mod wire;

use memory::Memory;

/// Something that reads strangers' bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of its program in `fuzz_targets/` and of its folder in `corpus/`.
    pub name: &'static str,
    run: fn(&[u8]),
    memory: Memory,
}

/// Every target, in the order of docs/SECURITY.md.
pub const TARGETS: &[Target] = &[
    Target { name: "frame", run: wire::frame, memory: Memory { times: 4, plus: 16 << 10 } },
    // Each opens the segments that it brings, one after the other: see `segment`.
    Target { name: "request", run: wire::request, memory: Memory { times: 400, plus: 5 << 20 } },
    Target { name: "answer", run: wire::answer, memory: Memory { times: 400, plus: 5 << 20 } },
    Target { name: "message", run: wire::message, memory: Memory { times: 200, plus: 64 << 10 } },
    // 200 bytes may tell 256 rows with 64 KiB, and a row's smallest write takes twenty times its bytes in memory.
    Target { name: "segment", run: wire::segment, memory: Memory { times: 400, plus: 4 << 20 } },
    Target { name: "row", run: wire::row, memory: Memory { times: 400, plus: 64 << 10 } },
    // An empty part has five bytes, stands in a vector that doubles as it grows, and is held twice here to be compared.
    Target { name: "bundle", run: bundles::bundle, memory: Memory { times: 200, plus: 64 << 10 } },
    Target { name: "parcel", run: bundles::parcel, memory: Memory { times: 10, plus: 64 << 10 } },
    Target { name: "archive", run: bundles::archive, memory: Memory { times: 10, plus: 256 << 10 } },
    Target { name: "enrolment", run: texts::enrolment, memory: Memory { times: 40, plus: 64 << 10 } },
    Target { name: "invoice", run: texts::invoice, memory: Memory { times: 20, plus: 16 << 10 } },
    Target { name: "policy", run: texts::policy, memory: Memory { times: 400, plus: 1 << 20 } },
    Target { name: "mapping", run: texts::mapping, memory: Memory { times: 400, plus: 1 << 20 } },
    Target { name: "calendar", run: texts::calendar, memory: Memory { times: 400, plus: 1 << 20 } },
    Target { name: "import", run: sheets::import, memory: Memory { times: 400, plus: 8 << 20 } },
    Target { name: "photo", run: photos::photo, memory: Memory { times: 64, plus: 32 << 20 } },
    Target { name: "form", run: forms::form, memory: Memory { times: 20, plus: 512 << 10 } },
    Target { name: "address", run: forms::address, memory: Memory { times: 20, plus: 256 << 10 } },
];

impl Target {
    /// Returns the target of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Gives `bytes` to the target.
    ///
    /// # Panics
    /// Where a law does not hold: that is a find.
    pub fn hold(&self, bytes: &[u8]) {
        self.memory.hold(self.name, bytes.len(), || (self.run)(bytes));
    }
}

/// Gives `bytes` to the target of that name, as its program in `fuzz_targets/` does.
///
/// # Panics
/// As [`Target::hold`], and where there is no target of that name.
pub fn hold(name: &str, bytes: &[u8]) {
    let target = Target::named(name);
    assert!(target.is_some(), "there is no target {name}");
    target.into_iter().for_each(|target| target.hold(bytes));
}

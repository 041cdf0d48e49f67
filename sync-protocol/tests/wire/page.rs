//! The examples of `docs/PROTOCOL.md` are bytes that this build writes, and every message has one.
//!
//! An example is a block that begins with three backticks, `hex` and the vector's name; each line is bytes, two blanks
//! or more, and what they say. `06*32` stands for 32 bytes 06.

use std::collections::BTreeMap;
use std::path::Path;

use sync_protocol::conversation::{Event, Reader};
use sync_protocol::envelope::{self, Message, Moved, Notices, Page, Push, Raw, Rulings};
use sync_protocol::message::{Certificate, Enrol, Hello, PushAck};

use crate::{golden, sample};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PROTOCOL.md")).unwrap()
}

/// Returns the page's examples by name.
fn examples() -> BTreeMap<String, Vec<u8>> {
    let page = page();
    let blocks = page.split("```hex ").skip(1).map(|block| block.split("```").next().unwrap());
    blocks
        .map(|block| {
            let (name, lines) = block.split_once('\n').unwrap();
            (name.to_owned(), lines.lines().flat_map(bytes).collect())
        })
        .collect()
}

fn bytes(line: &str) -> Vec<u8> {
    let hex = line.split("  ").next().unwrap();
    let one = |token: &str| {
        let (byte, times) = token.split_once('*').unwrap_or((token, "1"));
        vec![u8::from_str_radix(byte, 16).unwrap(); times.parse().unwrap()]
    };
    hex.split_whitespace().flat_map(one).collect()
}

fn reads<M: Message>(raw: &Raw<'_>) -> bool {
    raw.is::<M>() && raw.read::<M>().is_ok()
}

#[test]
fn every_message_of_the_page_is_a_vector_and_reads() {
    let examples = examples();
    for (name, vector) in golden::kept("messages.hex") {
        let example = examples.get(&name).unwrap_or_else(|| panic!("docs/PROTOCOL.md lacks {name}"));
        assert_eq!(*example, vector, "{name}");
        let raws = envelope::split(example).unwrap();
        let [raw] = raws.as_slice() else { panic!("{name} is one message") };
        let known = reads::<Hello>(raw)
            || reads::<Enrol>(raw)
            || reads::<Push>(raw)
            || reads::<PushAck>(raw)
            || reads::<Notices>(raw)
            || reads::<Certificate>(raw)
            || reads::<Page>(raw)
            || reads::<Moved>(raw)
            || reads::<Rulings>(raw);
        assert!(known, "{name} does not read");
    }
}

#[test]
fn every_aside_of_the_page_is_a_vector_and_reads() {
    let examples = examples();
    let kept = golden::kept("asides.hex");
    for (name, vector) in &kept {
        let example = examples.get(name).unwrap_or_else(|| panic!("docs/PROTOCOL.md lacks {name}"));
        assert_eq!(example, vector, "{name}");
    }
    for ask in sample::asks() {
        let mut control = Vec::new();
        envelope::write(&sample::hello(), &mut control);
        control.extend(kept.values().find(|vector| vector[0] == number(|out| ask.write(out))).unwrap());
        let length = postcard::to_allocvec(&control.len()).unwrap();
        let mut reader = Reader::new(1 << 20);
        let events = reader.push(&[&[0][..], &length, &control, &[0; 64]].concat()).unwrap();
        assert_eq!(events.last(), Some(&Event::Ask(ask)));
    }
}

fn number(write: impl FnOnce(&mut Vec<u8>)) -> u8 {
    let mut out = Vec::new();
    write(&mut out);
    out[0]
}

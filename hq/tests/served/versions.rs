//! Devices whose protocol or coding this headquarters does not read yet.

use fieldbook_hq::intake::desk::Desk;
use fieldbook_hq::store::StoreError;
use records::kinds::repair::REPAIR;
use sync_protocol::asides::{Ask, Tell};
use sync_protocol::columns;
use sync_protocol::conversation::{Request, write_request};
use sync_protocol::message::{Item, Notice, VERSIONS};
use sync_protocol::op::Row;
use sync_protocol::segment::Body;
use sync_protocol::tables::Tables;

use crate::Hq;
use crate::device::{Device, post, text};

/// Sends a request as it is and takes the answer.
fn say(device: &mut Device, hq: &Hq, request: &Request) -> sync_protocol::conversation::Answer {
    let body = write_request(request, &device.signer);
    let (status, answer) = post(hq.address, &body);
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    device.take(&body, &answer)
}

/// Makes the database one that an earlier program folded, and opens it as an upgrade does.
fn upgrade(hq: &Hq) {
    let earlier = postcard::to_allocvec(&(Tables::default(), VERSIONS)).unwrap();
    let mut desk = hq.desk();
    desk.transact(|desk: &mut Desk| {
        desk.store.set("tables", &earlier)?;
        desk.read_again()
    })
    .unwrap();
    assert!(!desk.is_upgraded().unwrap());
}

#[test]
fn without_a_version_in_common_segments_are_kept_and_taken_in_after_the_upgrade() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    device.sync(hq.address, 0);
    device.sheet("noisy");
    let mut request = device.request(0);
    request.hello.versions = (VERSIONS.1 + 1, VERSIONS.1 + 1);
    for _ in 0..2 {
        let answer = say(&mut device, &hq, &request);
        assert!(
            answer.notices.contains(&Notice::UpgradeNeeded { versions: VERSIONS }),
            "{:?}",
            answer.notices
        );
        assert!(
            answer.ack.held.is_empty() && answer.items.is_empty() && answer.end.next.positions.is_empty()
        );
    }
    let replica = device.enrolment.replica;
    assert_eq!(hq.desk().store.held_back(replica).unwrap().len(), 1, "the same one twice is kept once");
    upgrade(&hq);
    assert_eq!(hq.desk().store.held_back(replica).unwrap(), []);
    let answer = device.sync(hq.address, 0);
    assert_eq!(answer.ack.held[0].up_to, 1);
}

#[test]
fn whoever_lists_no_tables_is_given_rows_that_need_none_and_then_hears_what_is_read_here() {
    let hq = Hq::start();
    let (mut author, mut reader) = (Device::scan(&hq.code("E1"), 1), Device::scan(&hq.code("E1"), 2));
    for at in 0..12 {
        author.sheet(&format!("noisy {at}"));
    }
    author.sync(hq.address, 0);
    let asked = |device: &Device, asks: Vec<Ask>| {
        let mut request = Request { asks, ..device.request(0) };
        request.hello.schemas = Tables::default().hash();
        request
    };
    let request = asked(&reader, Vec::new());
    let answer = say(&mut reader, &hq, &request);
    assert!(answer.tells.contains(&Tell::Tables(Tables::own())), "{:?}", answer.tells);
    let mut found = 0;
    for item in &answer.items {
        let Item::Extract(extract) = item else {
            let Item::Segment(segment) = item else { panic!("{item:?}") };
            assert!(columns::is_plain(&Body::from_bytes(&segment.body).unwrap().rows));
            continue;
        };
        let rows: Vec<Row> = extract.open().unwrap().into_iter().map(|(_, row)| row).collect();
        found += rows.iter().filter(|row| row.kind == REPAIR.number).count();
        let line = (extract.replica, extract.epoch);
        let bare = columns::encode_for(&rows, line, &extract.seqs, &Tables::default());
        assert!(columns::is_plain(&extract.rows) || extract.rows == bare);
    }
    assert_eq!(found, 12, "{:?}", answer.items);
    let answer = reader.sync(hq.address, 0);
    assert!(answer.tells.iter().all(|tell| !matches!(tell, Tell::Tables(_))), "{:?}", answer.tells);
}

#[test]
fn a_database_of_a_newer_program_is_refused_and_what_wanted_it_is_judged_again_by_it() {
    let hq = Hq::start();
    let mut device = Device::scan(&hq.code("E1"), 1);
    let later = Tables::of(vec![(4_000, 1)]);
    let mark = postcard::to_allocvec(&(later, VERSIONS)).unwrap();
    let desk = hq.desk();
    desk.store.set("tables", &mark).unwrap();
    assert!(matches!(desk.is_upgraded(), Err(StoreError::Newer)));
    let own = postcard::to_allocvec(&(Tables::own(), VERSIONS)).unwrap();
    desk.store.set("tables", &own).unwrap();
    // A kind that must be understood: nothing is built on it here.
    device.write(1 << 15 | 4_000, None, Vec::new(), vec![text("x")]);
    let answer = device.sync(hq.address, 0);
    assert_eq!(answer.ack.rulings.len(), 1, "{:?}", answer.ack.rulings);
    upgrade(&hq);
    // Judged again by a program that does not read it either, it stays where it is, under the next version.
    let rulings = device.sync(hq.address, 1).rulings;
    let versions: Vec<u8> = rulings.iter().map(|ruling| ruling.version).collect();
    assert!(versions.contains(&2), "{rulings:?}");
}

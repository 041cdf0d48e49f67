//! What the two ends hold differently is found, read again, and told where that does not help; nothing is wiped.

use fieldbook::clock::Clock;
use fieldbook::store::Store;
use fieldbook_hq::data::Data;
use fieldbook_hq::store::StoreError;
use records::id::DocId;

use crate::company::{Company, LI, WANG, text};
use crate::world::Device;

/// Takes records out of a device's views behind its back, as a fault of the program or of the disk would.
fn lose(device: &Device, docs: &[String]) {
    let mut store = Store::open(device.home(), Clock::system().now()).expect("a whole home");
    let mut work = store.work();
    for doc in docs {
        let doc: DocId = doc.parse().expect("an id");
        work.forget(&store, doc).expect("a readable record").expect("a record that is here");
    }
    store.commit(work).expect("a writable home");
    store.checkpoint().expect("a writable disk");
}

#[test]
fn a_record_that_a_device_lost_comes_back_with_the_next_sync() {
    let company = Company::found();
    let (li, wang) = (company.device(LI), company.device(WANG));
    let sheets: Vec<String> =
        (0..5).map(|_| li.make(["sheet", "new", "repair", "--set", "problem=x"])).collect();
    li.sync();
    wang.sync();
    // His own note on one of them is in his own log: it has to be found there again.
    wang.ask(["sheet", "add", &sheets[1], "note", "seen"]);
    for device in [&wang, &li, &wang] {
        device.sync();
    }
    let whole = wang.ask(["sheet", "show", &sheets[1]]);
    lose(&wang, &sheets[..2]);
    wang.run(["sheet", "show", &sheets[1]]).ended(1);

    let report = wang.sync();
    assert_eq!((&report["digest_equal"], &report["reread"]), (&true.into(), &2.into()), "{report}");
    assert_eq!(report["requests"], 4, "which differ, give them again, compare: {report}");
    assert_eq!(wang.ask(["sheet", "show", &sheets[1]]), whole);
    assert_eq!(wang.status()["differing"], 0);
    company.is_level_with(&[&li, &wang]);
    let quiet = wang.sync();
    assert_eq!((&quiet["requests"], &quiet["reread"]), (&1.into(), &0.into()), "{quiet}");
}

#[test]
fn what_headquarters_lost_stays_on_the_device_and_is_a_report_until_it_is_mended() {
    let mut company = Company::found();
    let li = company.device(LI);
    let sheet = li.make(["sheet", "new", "repair", "--set", "problem=x"]);
    li.sync();
    assert_eq!(li.ask(["doctor", "--against-hq"])["against_hq"]["equal"], true);

    company.hq.kill();
    let mut desk = Data::at(&company.hq.folder()).open(true).expect("HQ's data");
    desk.transact(|desk| desk.store.documents_clear()).unwrap_or_else(|error: StoreError| panic!("{error}"));
    drop(desk);
    company.hq.serve();
    let report = li.sync();
    assert_eq!((&report["digest_equal"], &report["evicted"]), (&false.into(), &0.into()), "{report}");
    assert_eq!(li.ask(["sheet", "show", &sheet])["fields"]["problem"], "x", "nothing is wiped");
    assert!(li.status()["differing"].as_u64() > Some(1), "{}", li.status());

    let found = li.doctor();
    let documents = found["against_hq"]["documents"].as_array().expect("a list");
    let own = documents.iter().find(|found| found["id"] == sheet.as_str()).expect("his sheet");
    assert!(own["here"].is_string() && own["hq"].is_null(), "{own}");
    assert_eq!(text(&own["only_here"][0]), sheet);
    // What is reported already costs no further request.
    assert_eq!(li.sync()["requests"], 1);

    company.hq.kill();
    company.hq.run(["rebuild"]).ended(0);
    company.hq.serve();
    let mended = li.ask(["doctor", "--against-hq"]);
    assert_eq!(mended["against_hq"]["equal"], true, "{mended}");
    assert_eq!(li.status()["differing"], 0);
    company.is_level_with(&[&li]);
}

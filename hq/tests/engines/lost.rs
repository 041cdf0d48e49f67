//! A server that goes away: what was acknowledged is there, the rest is an error, and the next one goes on.

use fieldbook_hq::store::Store;

use crate::cluster::Cluster;
use crate::server;

#[test]
fn a_server_that_was_restarted_or_crashed_is_heard_again_and_keeps_what_was_acknowledged() {
    let cluster = Cluster::start();
    for away in [Cluster::stop, Cluster::abort, Cluster::kill] {
        let address = server(&cluster.database());
        let store = Store::create(address.clone()).unwrap();
        store.begin().unwrap();
        store.set("kept", b"1").unwrap();
        store.commit().unwrap();
        store.begin().unwrap();
        store.set("lost", b"1").unwrap();
        away(&cluster);
        let refused = store.commit();
        assert!(refused.as_ref().is_err_and(fieldbook_hq::store::StoreError::is_lost), "{refused:?}");
        assert!(store.begin().is_err_and(|error| error.is_lost()), "the server is still away");
        assert!(Store::open(address).is_err_and(|error| error.is_lost()));
        cluster.go();
        store.begin().unwrap();
        store.set("after", b"1").unwrap();
        store.commit().unwrap();
        let held = ["kept", "lost", "after"].map(|key| store.setting(key).unwrap().is_some());
        assert_eq!(held, [true, false, true]);
        away(&cluster);
        cluster.go();
        assert!(store.setting("after").unwrap().is_some(), "a reader does not notice it");
    }
}

//! Coming in at a database server: who is refused leaves nothing half made, and hears why.

use fieldbook_hq::data::{Data, DataError};
use fieldbook_hq::store::address::{Address, Server};
use fieldbook_hq::store::{Store, StoreError};

use crate::cluster::Cluster;

#[test]
fn whom_the_server_does_not_let_in_may_begin_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(&folder.path().join("hq"));
    let url = Cluster::shared().database();
    for address in ["http://127.0.0.1:7400", "https://127.0.0.1:7400"] {
        let stranger = url.replace("postgres://hq@", "postgres://stranger@");
        let refused = data.init_at_server(address, &stranger);
        let Err(DataError::Store(error @ StoreError::NotLetIn(_))) = refused else { panic!("{refused:?}") };
        assert!(error.is_lost() && error.to_string().contains("stranger"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path().join("hq")).unwrap().count(), 0, "{address}");
    }
    data.init_at_server("https://127.0.0.1:7400", &url).unwrap();
    assert!(data.open(false).is_ok());
}

#[test]
fn a_server_is_known_by_its_certificate_and_nothing_goes_to_it_in_the_clear() {
    let (_cluster, port, certificate) = Cluster::encrypted();
    let folder = tempfile::tempdir().unwrap();
    let of_another = folder.path().join("another.pem");
    fieldbook_hq::tls::create(&of_another, &folder.path().join("another.key"), "localhost").unwrap();
    let url = format!("postgres://hq@localhost:{port}/postgres");
    let at = |roots: Option<&std::path::Path>| {
        let roots = roots.map(|file| file.to_string_lossy().into_owned());
        let environment = |name: &str| roots.clone().filter(|_| name == "PGSSLROOTCERT");
        Address::Server(Box::new(Server::read(&url, environment).unwrap()))
    };
    let clear = Store::create(at(None)).err();
    assert!(matches!(clear, Some(StoreError::NotLetIn(_))), "{clear:?}");
    let stranger = Store::create(at(Some(&of_another))).err();
    assert!(stranger.as_ref().is_some_and(StoreError::is_lost), "{stranger:?}");
    let store = Store::create(at(Some(&certificate))).unwrap();
    store.begin().unwrap();
    store.set("address", b"http://127.0.0.1:7400").unwrap();
    store.commit().unwrap();
    let again = Store::open(at(Some(&certificate))).unwrap();
    assert_eq!(again.setting("address").unwrap().as_deref(), Some(&b"http://127.0.0.1:7400"[..]));
}

#[test]
fn a_key_without_a_database_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hq.key"), [7; 32]).unwrap();
    let refused = Data::at(folder.path()).init("http://127.0.0.1:7400");
    assert!(matches!(refused, Err(DataError::Half { .. })), "{refused:?}");
    assert_eq!(std::fs::read(folder.path().join("hq.key")).unwrap(), [7; 32]);
}

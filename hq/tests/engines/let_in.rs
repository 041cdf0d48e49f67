//! Coming in at a database server: who is refused leaves nothing half made, and hears why.

use fieldbook_hq::data::{Data, DataError};
use fieldbook_hq::store::StoreError;

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
fn a_key_without_a_database_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hq.key"), [7; 32]).unwrap();
    let refused = Data::at(folder.path()).init("http://127.0.0.1:7400");
    assert!(matches!(refused, Err(DataError::Half { .. })), "{refused:?}");
    assert_eq!(std::fs::read(folder.path().join("hq.key")).unwrap(), [7; 32]);
}

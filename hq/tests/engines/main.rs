//! What the store promises, asked of both engines.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../cluster/mod.rs"]
mod cluster;
#[path = "../served/device.rs"]
#[allow(dead_code, clippy::panic, reason = "this device does less than those of the served tests")]
mod device;
#[path = "../../../tests/it/mounts.rs"]
#[allow(clippy::print_stdout, reason = "where nothing can be mounted, it says what it did not test")]
mod mounts;

mod archive;
mod carried;
mod full;
mod laws;
mod let_in;
mod lost;
mod moves;
mod pages;

use fieldbook_hq::store::Store;
use fieldbook_hq::store::address::{Address, Server};

use crate::cluster::Cluster;

/// An empty place for tables.
pub(crate) struct Place {
    pub(crate) address: Address,
    /// Of a server's database.
    url: Option<String>,
    _folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { address: Address::File(folder.path().join("hq.sqlite")), url: None, _folder: folder }
    }

    pub(crate) fn postgres() -> Self {
        let url = Cluster::shared().database();
        Self { address: server(&url), url: Some(url), _folder: tempfile::tempdir().unwrap() }
    }

    /// Tells the database something that the store never says.
    pub(crate) fn tell(&self, sql: &str) {
        if let Address::File(file) = &self.address {
            rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
        }
        if let Some(url) = &self.url {
            postgres::Client::connect(url, postgres::NoTls).unwrap().batch_execute(sql).unwrap();
        }
    }

    pub(crate) fn create(&self) -> Store {
        Store::create(self.address.clone()).unwrap()
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(self.address.clone()).unwrap()
    }
}

pub(crate) fn server(url: &str) -> Address {
    Address::Server(Box::new(Server::read(url, |_| None).unwrap()))
}

/// Asks the same of both.
pub(crate) fn both(law: impl Fn(&Place)) {
    law(&Place::sqlite());
    law(&Place::postgres());
}

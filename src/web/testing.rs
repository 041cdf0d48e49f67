//! A device's pages as a browser meets them, on a home in a temporary folder.

use pages::reply::{Body, Reply};
use pages::visit::{Upload, Visit};

use crate::cli::lang::Lang;
use crate::cli::testing::{Device, NOW};
use crate::clock::Clock;
use crate::web::courier::Courier;
use crate::web::desk::Desk;
use crate::web::held::Held;
use crate::web::kept::Kept;
use crate::web::routes;

/// Visits the pages of a device.
pub(crate) struct Browser<'a> {
    device: &'a Device,
    kept: Kept,
}

impl<'a> Browser<'a> {
    /// Returns a browser on that device; commands and pages may take turns.
    pub(crate) fn of(device: &'a Device) -> Self {
        Self { device, kept: Kept::default() }
    }

    /// Answers a visit as somebody who was let in.
    pub(crate) fn answer(&self, visit: &Visit) -> Reply {
        let clock = Clock::frozen(records::time::Ts::parse(NOW, records::time::Zone::SHANGHAI).unwrap());
        let held = Held::new(self.device.dir.path().join("home"), clock);
        let visit = &*self.kept.again(visit);
        let desk = Desk {
            visit,
            held: &held,
            lang: Lang::En,
            clock,
            token: "T",
            font_folders: &[],
            courier: &Courier::default(),
            kept: &self.kept,
        };
        routes::answer(&desk)
    }

    /// Returns a page; it must be there.
    pub(crate) fn get(&self, address: &str) -> String {
        let reply = self.answer(&Visit::to(address));
        assert_eq!(reply.status, 200, "{address}: {:?}", reply.body);
        text(reply)
    }

    /// Sends a form and returns where it leads; it must be done.
    pub(crate) fn send(&self, address: &str, fields: &[(&str, &str)]) -> String {
        self.send_with(address, fields, &[])
    }

    /// Sends a form with files.
    pub(crate) fn send_with(
        &self,
        address: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> String {
        match self.answer(&bringing(address, fields, files)) {
            Reply { body: Body::Go(to), .. } => to,
            reply => panic!("{address} {fields:?}: {}", told(&text(reply))),
        }
    }

    /// Sends a form that is refused, and returns the page that says so.
    pub(crate) fn refused(&self, address: &str, fields: &[(&str, &str)]) -> String {
        self.refused_with(address, fields, &[])
    }

    /// Sends a form with files that is refused.
    pub(crate) fn refused_with(
        &self,
        address: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> String {
        let reply = self.answer(&bringing(address, fields, files));
        assert_eq!(reply.status, 422, "{address} {fields:?}: {:?}", reply.body);
        text(reply)
    }
}

fn bringing(address: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Visit {
    let mut visit = Visit::to(address).sending(fields);
    let file = |(field, name, bytes): &(&str, &str, &[u8])| Upload {
        field: (*field).to_owned(),
        name: (*name).to_owned(),
        bytes: bytes.to_vec(),
    };
    visit.files = files.iter().map(file).collect();
    visit
}

/// Returns what a page says went wrong.
fn told(page: &str) -> String {
    page.split_once("role=\"alert\"").map_or(page, |(_, rest)| rest).chars().take(600).collect()
}

fn text(reply: Reply) -> String {
    match reply.body {
        Body::Page(page) => page,
        Body::File { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        Body::Go(to) => to,
        Body::Unchanged => String::new(),
    }
}

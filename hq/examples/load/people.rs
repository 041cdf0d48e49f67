//! Whom a company is made of: people, branches, and a code for the device of each.

use std::fmt::Write as _;

use fieldbook_hq::clock::Clock;
use fieldbook_hq::enrol::Reach;
use fieldbook_hq::intake::desk::Desk;

use crate::device::Device;

/// Codes that are issued in one transaction.
const CODES: usize = 500;

/// How large a company is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Engineers, each with a device.
    pub(crate) devices: u32,
    /// Branches, each with a supervisor who has a device.
    pub(crate) branches: u32,
}

/// Brings a company to a new headquarters. Returns its devices, none of which has said a word: the engineers', the
/// supervisors', and last a second one of the first engineer's.
pub(crate) fn people(desk: &mut Desk, size: Size) -> Vec<Device> {
    let now_ms = Clock::REAL.now_ms();
    let mut org = "code,name,kind,parent\nCO,Company,company,\n".to_owned();
    let mut staff = "code,name,unit,roles\n".to_owned();
    for branch in 0..size.branches {
        write!(
            org,
            "B{branch},Branch {branch},branch,CO\nC{branch},Centre {branch},service_center,B{branch}\n"
        )
        .unwrap();
        writeln!(staff, "S{branch},Supervisor {branch},C{branch},supervisor").unwrap();
    }
    for engineer in 0..size.devices {
        writeln!(staff, "E{engineer},Engineer {engineer},C{},engineer", engineer % size.branches).unwrap();
    }
    for (kind, file) in [("org", &org), ("staff", &staff)] {
        let kind = records::kinds::by_name(kind).unwrap();
        let done = desk.transact(|desk| desk.import(file.as_bytes(), kind, now_ms)).unwrap();
        assert!(done.refused.is_empty(), "{:?}", done.refused);
    }
    let engineers = (0..size.devices).map(|n| format!("E{n}"));
    let supervisors = (0..size.branches).map(|n| format!("S{n}"));
    let names: Vec<String> = engineers.chain(supervisors).chain(["E0".to_owned()]).collect();
    let mut devices = Vec::new();
    for names in names.chunks(CODES) {
        let issued = desk.transact(|desk| {
            let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
            names.iter().map(|name| desk.issue_code(name, &reach, now_ms)).collect::<Result<Vec<_>, _>>()
        });
        for code in issued.unwrap() {
            devices.push(Device::new(u32::try_from(devices.len()).unwrap(), code));
        }
    }
    devices
}

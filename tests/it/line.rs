//! What a bad line and bad people do to headquarters: damaged, forged and repeated requests, and cuts at any byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::Value;
use sync_protocol::conversation::{Request, write_request};
use sync_protocol::limits::BODY_OPS_MAX;
use sync_protocol::segment::Segment;
use sync_protocol::sign::Signer;

use crate::company::{Company, LI, SUN, text};
use crate::proxy::{Cut, Proxy, Way};
use crate::world::Device;

/// Posts a body as it is and returns the status, without a look at the answer.
fn post(hq: SocketAddr, body: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(hq).expect("HQ listens");
    let head = format!(
        "POST /v1/sync HTTP/1.1\r\nhost: hq\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // HQ may answer and hang up before it has heard all.
    drop(stream.write_all(head.as_bytes()));
    drop(stream.write_all(body));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no status in {answer:?}"))
}

/// A device's next request, its key, and its body as the device would send it.
struct Letter {
    request: Request,
    signer: Signer,
}

impl Letter {
    fn of(device: &Device) -> Self {
        let now = fieldbook::clock::Clock::system().now();
        let store = fieldbook::store::Store::open(device.home(), now).expect("a whole home");
        Self {
            request: Request {
                hello: store.hello(now).expect("a hello"),
                enrol: None,
                asks: Vec::new(),
                segments: store.unsent(1 << 20, BODY_OPS_MAX).expect("segments"),
            },
            signer: store.signer().expect("the device's key"),
        }
    }

    fn body(&self) -> Vec<u8> {
        write_request(&self.request, &self.signer)
    }
}

/// Returns a body in the protocol's plain form: form, no first words, frames, and room for a signature.
fn plain(frames: &[u8]) -> Vec<u8> {
    [&[0, 0], frames, &[0; 64]].concat()
}

fn frame_head(length: u32) -> Vec<u8> {
    let mut head = Vec::new();
    sync_protocol::frame::write(sync_protocol::frame::PUSH, &[], &mut head);
    head[4..8].copy_from_slice(&length.to_le_bytes());
    head
}

/// What HQ holds: a refused request changes none of it.
fn held(company: &Company) -> Value {
    let doctor = company.doctor();
    serde_json::json!([doctor["ops"], doctor["documents"], doctor["digest"], doctor["quarantined"]])
}

/// Li's device with one finished sync behind it, and a sheet that HQ has not.
fn with_news(company: &Company) -> Device {
    let device = company.device(LI);
    device.sync();
    let id = device.make(["sheet", "new", "repair", "--set", "problem=异响"]);
    device.ask(["sheet", "add", &id, "note", "first"]);
    device
}

#[test]
fn damaged_and_hostile_requests_are_refused_and_store_nothing() {
    let company = Company::found();
    let hq = company.hq.listens_at();
    let device = with_news(&company);
    let letter = Letter::of(&device);
    let good = letter.body();
    let before = held(&company);

    let forged = write_request(
        &Request { segments: Vec::new(), ..letter.request.clone() },
        &Signer::from_seed(&[9; 32]).expect("a key"),
    );
    let mut bomb = DeflateEncoder::new(vec![1], Compression::best());
    bomb.write_all(&vec![0; 64 << 20]).expect("memory");
    let bomb = [bomb.finish().expect("memory"), vec![0; 64]].concat();
    let hostile: Vec<(&str, Vec<u8>)> = vec![
        ("nothing at all", Vec::new()),
        ("not a request", b"GET / HTTP/1.1".repeat(20)),
        ("a frame of 1 GiB", plain(&frame_head(1 << 30))),
        ("a frame of 4 GiB", plain(&frame_head(u32::MAX))),
        ("a bomb of 64 MiB", bomb),
        ("5 MiB of noise", vec![0xa5; 5 << 20]),
        ("another key under a hello", forged),
    ];
    for (what, body) in &hostile {
        let status = post(hq, body);
        assert!((400..500).contains(&status), "{what}: {status}");
        assert_eq!(held(&company), before, "{what}");
    }

    // Cut short anywhere before its last segment is complete, or bent in any bit of it.
    for at in (0..good.len()).step_by(good.len() / 12) {
        let status = post(hq, &good[..at]);
        assert!((400..500).contains(&status), "cut at {at}: {status}");
    }
    let news_end = good.len() - 64;
    for at in (0..news_end).step_by(news_end / 24) {
        let mut bent = good.clone();
        bent[at] ^= 1 << (at % 8);
        let status = post(hq, &bent);
        assert!((400..500).contains(&status), "bit {at}: {status}");
    }
    // The device itself is not hurt by any of it.
    let report = device.sync();
    assert_eq!(report["verdicts"]["accepted"], 2, "{report}");
    company.is_level_with(&[&device]);
    assert_eq!(company.export("repair").len(), 1);
}

#[test]
fn nobody_writes_in_the_name_of_another_device() {
    let company = Company::found();
    let hq = company.hq.listens_at();
    let li = with_news(&company);
    let sun = company.device(SUN);
    sun.sync();
    let (li_letter, sun_letter) = (Letter::of(&li), Letter::of(&sun));
    let before = held(&company);
    // Sun's key under Li's hello.
    let hello = Request { segments: Vec::new(), ..li_letter.request.clone() };
    assert_eq!(post(hq, &write_request(&hello, &sun_letter.signer)), 401);
    // Li's ops under Sun's name, then Li's segments changed on the way, in a request that is Sun's own:
    // he gets his answer, and it tells him that they were refused.
    let renamed = li_letter
        .request
        .segments
        .iter()
        .cloned()
        .map(|segment| Segment { replica: sun_letter.request.hello.replica, ..segment });
    let bent = li_letter.request.segments.iter().cloned().map(|mut segment| {
        segment.body[1] ^= 1;
        segment
    });
    for segments in [renamed.collect(), bent.collect()] {
        let request = Request { segments, ..sun_letter.request.clone() };
        assert_eq!(post(hq, &write_request(&request, &sun_letter.signer)), 200);
        assert_eq!(held(&company), before);
    }
    let report = li.sync();
    assert_eq!(report["level"], true, "{report}");
    company.is_level_with(&[&li]);
    assert_eq!(company.export("repair").len(), 1);
}

#[test]
fn a_request_heard_twice_is_written_once() {
    let company = Company::found();
    let hq = company.hq.listens_at();
    let device = with_news(&company);
    let body = Letter::of(&device).body();
    assert_eq!(post(hq, &body), 200);
    let once = held(&company);
    for _ in 0..3 {
        assert_eq!(post(hq, &body), 200);
        assert_eq!(held(&company), once);
    }
    let report = device.sync();
    assert_eq!((&report["level"], &report["new_quarantine"]), (&true.into(), &0.into()), "{report}");
    company.is_level_with(&[&device]);
    assert_eq!(company.export("repair").len(), 1);
}

#[test]
fn a_line_cut_at_any_byte_doubles_and_loses_nothing() {
    let company = Company::found();
    let device = company.device(LI);
    let mut sheets = 0;
    for way in [Way::Up, Way::Down] {
        // What a sync of this size moves, so that the cuts spread over all of it.
        for after in [0, 1, 40, 150, 190, 230, 300, 400] {
            let id = device.make(["sheet", "new", "repair", "--set", "problem=异响"]);
            device.ask(["sheet", "add", &id, "note", "门卫登记"]);
            sheets += 1;
            company.line.cut(Cut::Once { way, after });
            let report = device.sync();
            assert_eq!(report["level"], true, "{way:?} cut after {after}: {report}");
            assert_eq!(report["sent_ops"], 2, "{way:?} cut after {after}: {report}");
            company.line.cut(Cut::Never);
        }
    }
    assert_eq!(company.export("repair").len(), sheets);
    company.is_level_with(&[&device]);
}

#[test]
fn while_every_connection_breaks_the_sync_ends_with_3_and_the_next_one_completes() {
    let company = Company::found();
    let device = with_news(&company);
    for (way, after) in [(Way::Up, 100), (Way::Down, 0)] {
        company.line.cut(Cut::Every { way, after });
        device.run(["sync"]).ended(3);
        let status = device.status();
        assert_eq!(status["unsent_ops"], 2, "{way:?}: {status}");
    }
    // The lost replies told the device nothing, and headquarters has it all the same.
    let rows = company.export("repair");
    assert_eq!(rows.len(), 1, "{rows:?}");
    company.line.cut(Cut::Never);
    let report = device.sync();
    assert_eq!((&report["sent_ops"], &report["new_quarantine"]), (&2.into(), &0.into()), "{report}");
    assert_eq!(company.export("repair").len(), 1);
    assert_eq!(text(&company.export("repair")[0]["problem"]), "异响");
    company.is_level_with(&[&device]);
}

/// A device whose line is its own, with so many sheets that HQ has not.
fn with_sheets(company: &Company, n: usize) -> (Device, Proxy) {
    let line = Proxy::to(company.hq.listens_at());
    let device = Device::enrol(&company.hq.device_code(LI, &line.url()));
    device.sync();
    // Text that does not pack, so that many sheets are many bytes.
    let text = |at: usize| records::hex::of(&sync_protocol::chain::sha256(&[&at.to_le_bytes()]));
    let rows: String = (0..n).map(|at| format!("{n}/{at} {}\n", text(at))).collect();
    let file = device.file("rows.csv", format!("problem\n{rows}").as_bytes());
    device.ask(["import", &file, "--kind", "repair"]);
    (device, line)
}

/// Who hangs up between the last byte of his request and the answer was once taken for one who never asked.
#[test]
fn a_device_that_hangs_up_before_the_answer_finds_all_its_work_kept_and_doubles_none() {
    let company = Company::found();
    let sizes = [1, 40, 700];
    let devices = sizes.map(|n| with_sheets(&company, n));
    for (_, line) in &devices {
        line.cut(Cut::Unanswered);
        line.record();
    }
    // Each says it once, whole; whatever it says after that does not leave its side.
    let syncs = devices.each_ref().map(|(device, _)| device.start(["sync"]));
    for mut sync in syncs {
        assert_eq!(sync.wait().expect("the sync ends").code(), Some(3));
    }
    let mut sent = 0;
    for (n, (device, line)) in sizes.into_iter().zip(&devices) {
        let passed = line.recorded();
        assert!(passed.iter().all(|passed| passed.down.is_empty()), "{n}: something came down");
        sent += passed.iter().filter(|passed| !passed.up.is_empty()).count();
        assert_eq!(device.status()["unsent_ops"], n, "nothing was acknowledged");
    }
    assert_eq!(sent, sizes.len(), "one request each");

    // HQ goes on by itself, a moment longer than the devices look: on a busy machine a long one.
    let all: usize = sizes.iter().sum();
    let kept = (0..5_000).map(|_| company.export("repair").len()).find(|kept| *kept == all);
    assert_eq!(kept, Some(all), "headquarters has {} of {all}", company.export("repair").len());
    let before = held(&company);
    for (n, (device, line)) in sizes.into_iter().zip(&devices) {
        line.cut(Cut::Never);
        let report = device.sync();
        let of = |name: &str| report[name].clone();
        assert_eq!(
            (of("level"), of("sent_ops"), of("new_quarantine")),
            (true.into(), n.into(), 0.into()),
            "{report}"
        );
    }
    assert_eq!(held(&company), before, "something was written twice");
    company.is_level_with(&devices.each_ref().map(|(device, _)| device));
}

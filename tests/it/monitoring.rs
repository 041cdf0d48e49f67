//! A server as whoever watches it sees it: numbers on a listener of their own, one JSON object a line in the log.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::company::{Company, LI};
use crate::port::free_address;

fn get(at: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn a_watched_server_tells_numbers_and_ids_and_no_customers() {
    let mut company = Company::found();
    company.hq.kill();
    let metrics = free_address();
    let at = company.hq.serve_with(&["--metrics", &metrics.to_string(), "--log", "info"]);
    let li = company.device(LI);
    li.make(["sheet", "new", "repair", "--set", "problem=钱塘纺织停机"]);
    let status = li.status();
    li.sync();
    let backup = company.hq.folder().with_file_name("backup.fbb");
    company.hq.run(["backup", backup.to_str().unwrap()]).ended(0);
    let text = get(metrics, "/metrics");
    let backed_up = |line: &&str| line.starts_with("fieldbook_backup_age_seconds ");
    assert!(text.lines().any(|line| backed_up(&line)), "{text}");
    assert!(text.contains("fieldbook_ops_total{verdict=\"accepted\"} 1"), "{text}");
    assert!(!get(at, "/metrics").contains("fieldbook_ops_total"), "not where devices sync");
    assert!(get(at, "/healthz").starts_with("HTTP/1.1 200"));
    let log = company.hq.told();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let synced = lines.iter().find(|line| line["fields"]["status"] == 200).expect("a line of the sync");
    assert_eq!(synced["fields"]["device"], status["replica"], "{synced}");
    assert!(synced["fields"]["request"].is_string() && synced["fields"]["took_ms"].is_u64(), "{synced}");
    for name in ["钱塘", "李雷", LI, "停机"] {
        assert!(!log.contains(name) && !text.contains(name), "{name}");
    }
}

//! What somebody may try at the pages, of a device and of headquarters; each attempt beside the same thing done honestly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;

use crate::company::{Company, LI, WANG};
use crate::world::Device;

/// What came back.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The lines of one header.
    fn all(&self, name: &str) -> Vec<String> {
        let start = format!("{name}: ");
        let lines = self.head.lines().filter(|line| line.to_ascii_lowercase().starts_with(&start));
        lines.map(|line| line[start.len()..].to_owned()).collect()
    }

    fn cookie(&self) -> String {
        let line = self.all("set-cookie").pop().expect("a cookie");
        line.split(';').next().unwrap().to_owned()
    }

    /// The token that each form of the page carries.
    fn token(&self) -> String {
        let page = self.text();
        let (_, rest) = page.split_once("name=\"token\" value=\"").expect("a form with a token");
        rest.split('"').next().unwrap().to_owned()
    }
}

/// Sends a request as it is written here, headers and all.
fn send(to: SocketAddr, verb: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(to).unwrap();
    let host = format!("127.0.0.1:{}", to.port());
    let named = headers.iter().any(|(name, _)| *name == "Host");
    let mut head = format!("{verb} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !named {
        head.push_str(&format!("Host: {host}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if verb == "POST" {
        head.push_str(&format!(
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("headers");
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body: bytes[split + 4..].to_vec() }
}

fn get(to: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(to, "GET", path, headers, "")
}

/// The pages of a device, and the browser that was let in.
struct Pages {
    process: Child,
    at: SocketAddr,
    cookie: String,
}

impl Pages {
    fn of(device: &Device) -> Self {
        let mut process = device.start(["web", "--port", "0"]);
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").expect("the first address").to_owned();
        let (at, path) = address.split_once('/').expect("an address with a key");
        let at = at.parse().unwrap();
        let cookie = get(at, &format!("/{path}"), &[]).cookie();
        Self { process, at, cookie }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn another_sites_page_and_another_hosts_name_move_nothing_on_a_device() {
    let company = Company::found();
    let device = company.device(LI);
    let pages = Pages::of(&device);
    let cookie = ("Cookie", pages.cookie.as_str());
    let open = get(pages.at, "/", &[cookie]);
    assert_eq!(open.status, 200);
    let token = get(pages.at, "/sync", &[cookie]).token();
    let form = format!("token={token}");
    let own = format!("http://127.0.0.1:{}", pages.at.port());
    let status = |headers: &[(&str, &str)], form: &str| send(pages.at, "POST", "/sync", headers, form).status;
    // DNS rebinding: the browser holds the page of a stranger's name that leads here.
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.1", ""] {
        assert_eq!(get(pages.at, "/", &[("Host", host), cookie]).status, 403, "{host}");
        assert_eq!(status(&[("Host", host), cookie], &form), 403, "{host}");
    }
    // A form on another site, with and without what browsers say of it, and without the token.
    assert_eq!(status(&[cookie, ("Origin", "http://evil.example")], &form), 403);
    assert_eq!(status(&[cookie, ("Origin", "null")], &form), 403);
    assert_eq!(status(&[cookie, ("Sec-Fetch-Site", "cross-site")], &form), 403);
    assert_eq!(status(&[cookie, ("Sec-Fetch-Site", "same-site")], &form), 403);
    assert_eq!(status(&[cookie, ("Origin", &own)], ""), 403);
    assert_eq!(status(&[cookie, ("Origin", &own)], "token=guessed"), 403);
    assert_eq!(status(&[("Origin", &own)], &form), 403, "nobody's browser");
    assert_eq!(get(pages.at, "/", &[("Cookie", "fieldbook=guessed")]).status, 403);
    // Control: the page's own form.
    let done = send(
        pages.at,
        "POST",
        "/sync",
        &[cookie, ("Origin", &own), ("Sec-Fetch-Site", "same-origin")],
        &form,
    );
    assert!([200, 303].contains(&done.status), "{}", done.head);
}

/// Logs somebody in, as a browser that may have a cookie already.
fn log_in(at: SocketAddr, code: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    send(at, "POST", "/login", headers, &format!("code={code}&password={password}&back=/"))
}

fn with_login() -> (Company, SocketAddr) {
    let company = Company::found();
    company.hq.run_with(["user", "add", "--staff", WANG], "correct horse\n").ended(0);
    let at = company.hq.listens_at();
    (company, at)
}

#[test]
fn a_session_begins_with_the_login_and_with_no_cookie_from_before() {
    let (_company, at) = with_login();
    let planted = ("Cookie", "fieldbook_hq=00112233445566778899aabbccddeeff");
    let first = log_in(at, WANG, "correct+horse", &[planted]);
    assert_eq!(first.status, 303, "{}", first.head);
    assert!(!first.cookie().contains("00112233"), "{}", first.cookie());
    assert_eq!(get(at, "/lists", &[planted]).status, 401, "the planted one is nobody's");
    let line = first.all("set-cookie").pop().unwrap();
    assert!(
        line.contains("HttpOnly") && line.contains("SameSite=Strict") && line.contains("Path=/"),
        "{line}"
    );
    let second = log_in(at, WANG, "correct+horse", &[("Cookie", &first.cookie())]);
    assert_ne!(first.cookie(), second.cookie(), "each login has its own");
    // Control.
    assert_eq!(get(at, "/lists", &[("Cookie", &first.cookie())]).status, 200);
    // After the logout the cookie is nobody's.
    let cookie = first.cookie();
    let token = get(at, "/", &[("Cookie", &cookie)]).token();
    assert_ne!(send(at, "POST", "/logout", &[("Cookie", &cookie)], "token=guessed").status, 303);
    assert_eq!(get(at, "/lists", &[("Cookie", &cookie)]).status, 200, "without the token nothing happened");
    send(at, "POST", "/logout", &[("Cookie", &cookie)], &format!("token={token}"));
    assert_eq!(get(at, "/lists", &[("Cookie", &cookie)]).status, 401);
}

#[test]
fn a_login_from_another_site_is_not_heard_and_leads_nowhere_else() {
    let (_company, at) = with_login();
    assert_eq!(log_in(at, WANG, "correct+horse", &[("Origin", "http://evil.example")]).status, 403);
    for back in ["https://evil.example", "//evil.example", "/%09/evil.example", "/%5Cevil.example"] {
        let form = format!("code={WANG}&password=correct+horse&back={back}");
        let led = send(at, "POST", "/login", &[], &form);
        assert_eq!((led.status, led.all("location")), (303, vec!["/".to_owned()]), "{back}");
    }
    // Control.
    let led = send(at, "POST", "/login", &[], &format!("code={WANG}&password=correct+horse&back=/lists"));
    assert_eq!(led.all("location"), ["/lists"]);
}

#[test]
fn a_staff_code_that_nobody_has_is_answered_like_one_with_a_wrong_password() {
    let (_company, at) = with_login();
    // Said without what was typed into the form, which stands in the page again, and without the seconds to wait, of
    // which one may have passed between the two.
    let told = |code: &str| {
        let answer = log_in(at, code, "wrong-wrong", &[]);
        let text = answer.text().replace(code, "CODE").replace(|letter: char| letter.is_ascii_digit(), "");
        (answer.status, answer.all("retry-after").len(), text)
    };
    for round in 0..6 {
        assert_eq!(told(WANG), told("NOBODY"), "round {round}");
    }
    assert_eq!(told(WANG).0, 429, "guessing waits");
    // A wait keeps the right password out too; another person's login does not wait.
    assert_eq!(log_in(at, WANG, "correct+horse", &[]).status, 429);
    _company.hq.run_with(["user", "add", "--staff", LI], "another horse\n").ended(0);
    assert_eq!(log_in(at, LI, "another+horse", &[]).status, 303);
}

#[test]
fn every_page_says_what_may_run_in_it_and_none_may_be_framed() {
    let (company, at) = with_login();
    let cookie = log_in(at, WANG, "correct+horse", &[]).cookie();
    let device = company.device(LI);
    let pages = Pages::of(&device);
    let office = ["/", "/lists", "/lists/repair", "/jobs", "/search?q=x", "/charts", "/nowhere", "/admin"];
    let own = ["/", "/sync", "/sheets", "/nowhere", "/more"];
    let office = office.iter().map(|path| (at, *path, cookie.clone()));
    let strangers = ["/", "/lists"].iter().map(|path| (at, *path, String::new()));
    let own = own.iter().map(|path| (pages.at, *path, pages.cookie.clone()));
    for (at, path, cookie) in office.chain(strangers).chain(own) {
        let page = get(at, path, &[("Cookie", &cookie)]);
        let policy = page.all("content-security-policy").join("");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.all("x-content-type-options"), ["nosniff"], "{path}");
        assert_eq!(page.all("cache-control"), ["no-store"], "{path}");
        let text = page.text();
        for inline in ["<script>", " onclick=", " style=", "javascript:"] {
            assert!(!text.contains(inline), "{path}: {inline}");
        }
    }
}

const DROP: &str = "Robert'); DROP TABLE documents;--";
const LINK: &str = "=HYPERLINK(\"http://evil.example\",\"click\")";
const SCRIPT: &str = "<script>alert(1)</script>";

#[test]
fn names_that_are_commands_elsewhere_are_names_here() {
    let (company, at) = with_login();
    let table = format!(
        "code,name,kind\nX1,{DROP},company\nX2,\"{}\",company\nX3,{SCRIPT},company\nX4,钱塘,company\n",
        LINK.replace('"', "\"\"")
    );
    let file = company.hq.file("names.csv", &table);
    company.hq.run(["customer", "import", file.to_str().unwrap()]).ended(0);
    // SQL: the search with the same words finds the record, and the tables are there.
    let cookie = log_in(at, WANG, "correct+horse", &[]).cookie();
    let search = |words: &str| {
        let words: String = words.bytes().map(|byte| format!("%{byte:02x}")).collect();
        get(at, &format!("/search?q={words}"), &[("Cookie", &cookie)])
    };
    for words in [DROP, "' OR '1'='1", "\" OR 1=1 --", "%' UNION SELECT hash FROM logins --"] {
        let page = search(words);
        assert_eq!(page.status, 200, "{words}");
        assert!(!page.text().contains("$argon2"), "{words}");
    }
    assert!(search(DROP).text().contains("DROP TABLE"), "the name is found as a name");
    company.doctor();
    // HTML: escaped wherever it is shown.
    let shown = get(at, "/lists/customer", &[("Cookie", &cookie)]).text();
    assert!(shown.contains("&lt;script&gt;alert(1)") && !shown.contains(SCRIPT), "{shown}");
    // Formulas: neutralised in files that a spreadsheet opens, as they are in JSON.
    let export =
        |form: &str| company.hq.run(["export", "--kind", "customer", "--format", form]).ended(0).stdout;
    let csv = export("csv");
    assert!(csv.contains("'=HYPERLINK") && !csv.contains(",=") && !csv.contains("\"="), "{csv}");
    assert!(csv.contains("钱塘"), "control: a plain name stays as it is");
    assert!(export("jsonl").contains("\"=HYPERLINK"), "control: the record itself is not changed");
    let book = get(at, "/lists/customer/xlsx", &[("Cookie", &cookie)]);
    assert_eq!(book.status, 200);
    let sheets = unzipped(&book.body);
    assert!(
        sheets.contains("=HYPERLINK") && !sheets.contains("<f>") && !sheets.contains("<hyperlink"),
        "{sheets}"
    );
}

/// The text of all files in an archive whose entries are deflated, by its central directory.
fn unzipped(archive: &[u8]) -> String {
    let number = |at: usize, n: usize| {
        archive[at..at + n].iter().rev().fold(0_usize, |all, byte| all << 8 | usize::from(*byte))
    };
    let mut text = String::new();
    let entries = archive.windows(4).enumerate().filter(|(_, four)| *four == b"PK\x01\x02").map(|(at, _)| at);
    for at in entries {
        let (packed, start) = (number(at + 20, 4), number(at + 42, 4));
        let data = start + 30 + number(start + 26, 2) + number(start + 28, 2);
        let mut inflate = flate2::read::DeflateDecoder::new(&archive[data..data + packed]);
        let _ = inflate.read_to_string(&mut text);
    }
    text
}

#[test]
fn the_name_of_a_file_leads_nowhere_but_into_the_record() {
    let company = Company::found();
    let device = company.device(LI);
    let sheet = device.make(["sheet", "new", "repair"]);
    let pages = Pages::of(&device);
    let cookie = ("Cookie", pages.cookie.as_str());
    for path in [
        "/../id/identity.a",
        "/assets/../../id/key.a",
        "/files/../../../etc/passwd",
        "/files/%2e%2e%2fid%2fkey.a",
    ] {
        let answer = get(pages.at, path, &[cookie]);
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.text().contains("root:"), "{path}");
    }
    assert_eq!(get(pages.at, "/", &[cookie]).status, 200, "control");
    drop(pages);
    // A file that calls itself something with steps in it is kept under its hash.
    let inside = device.home().parent().unwrap().join("planted.png");
    let photo = include_bytes!("../../pages/assets/icon-192.png");
    let file = device.file("..%2f..%2fplanted.png", photo);
    device.ask(["sheet", "add", &sheet, "photo", &file]);
    assert!(!inside.exists());
    // Control: the photo is in the record.
    assert!(device.ask(["sheet", "show", &sheet]).to_string().contains("photo"));
}

/// The code that an authenticator shows for the address that it was given.
fn shown_by_authenticator(uri: &str, step: u64) -> String {
    let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String =
        secret.chars().map(|letter| format!("{:05b}", letters.find(letter).unwrap())).collect();
    let byte = |at: usize| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap();
    let key: Vec<u8> = (0..bits.len() / 8).map(byte).collect();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = ring::hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let four: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

#[test]
fn a_password_alone_lets_nobody_in_who_has_an_authenticator_and_a_code_is_good_once() {
    // 2026-11-22 06:26:40 in Shanghai.
    let mut company = Company::found_with(crate::world::Hq::init_at(Some("2026-11-22T06:26:40+08:00")));
    company.hq.run_with(["user", "add", "--staff", WANG], "correct horse\n").ended(0);
    let uri = company.hq.run(["--json", "user", "totp", "--staff", WANG]).ended(0).json();
    let uri = uri["uri"].as_str().unwrap().to_owned();
    let at = company.hq.listens_at();
    let with = |code: &str| {
        let form = format!("code={WANG}&password=correct+horse&one_time={code}&back=/");
        send(at, "POST", "/login", &[], &form)
    };
    let step = 1_795_300_000 / 30;
    let code = shown_by_authenticator(&uri, step);
    assert_eq!(log_in(at, WANG, "correct+horse", &[]).status, 403);
    assert_eq!(with("000000").status, 403);
    assert_eq!(with(&shown_by_authenticator(&uri, step - 9)).status, 403, "an old one");
    // Control.
    assert_eq!(with(&code).status, 303, "{code}");
    assert_eq!(with(&code).status, 403, "used up");
    company.hq.run(["user", "totp", "--staff", WANG, "--off"]).ended(0);
    company.restart();
    let at = company.hq.listens_at();
    let again = log_in(at, WANG, "correct+horse", &[]);
    assert_eq!(again.status, 303, "without one again: {}", again.head);
}

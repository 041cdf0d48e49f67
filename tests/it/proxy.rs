//! A line between a device and HQ: it counts the bytes that pass and breaks where a test says so.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// What has passed since the line was laid, both ways, headers included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) connections: u64,
    pub(crate) bytes_up: u64,
    pub(crate) bytes_down: u64,
}

/// What passed in one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) up: Vec<u8>,
    pub(crate) down: Vec<u8>,
}

/// The way a byte goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the device to HQ.
    Up,
    /// From HQ to the device.
    Down,
}

/// Where the line breaks; exactly `after` bytes pass, the next one finds both sides closed.
///
/// `Once { way: Way::Down, after: 0 }` is the lost reply: HQ has worked, the device never hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Never,
    /// One break, counted over all connections from the moment it was set; the line is whole afterwards.
    Once {
        way: Way,
        after: u64,
    },
    /// A break in every connection, each counted from its own first byte.
    Every {
        way: Way,
        after: u64,
    },
    /// One request goes up whole, and the line breaks right behind its last byte: no byte of an answer comes down.
    /// From then on it is [`Cut::Dead`].
    Unanswered,
    /// Nothing passes, either way.
    Dead,
}

/// A TCP proxy on a loopback port of its own; dropped, it closes every connection.
pub(crate) struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
}

impl Proxy {
    /// Lays a line to `upstream`.
    pub(crate) fn to(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let line = Arc::new(Line { upstream, state: Mutex::new(State::new()) });
        let accepting = Arc::clone(&line);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, line }
    }

    /// Returns what goes into an enrolment code instead of HQ's own address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Keeps what passes from now on, connection by connection.
    pub(crate) fn record(&self) {
        self.line.state().recorded = Some(Vec::new());
    }

    /// Returns what passed in each connection since [`Self::record`], in the order in which they were opened.
    pub(crate) fn recorded(&self) -> Vec<Passed> {
        self.line.state().recorded.clone().unwrap_or_default()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.line.state().counts
    }

    /// Sets where the line breaks, from the next byte on.
    pub(crate) fn cut(&self, cut: Cut) {
        let mut state = self.line.state();
        state.cut = cut;
        state.towards_cut = 0;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.line.state();
        state.closed = true;
        for stream in &state.open {
            hang_up(stream);
        }
        drop(state);
        // Wakes the accepting thread, which then sees that the line is closed.
        drop(TcpStream::connect(self.address));
    }
}

struct Line {
    upstream: SocketAddr,
    state: Mutex<State>,
}

struct State {
    counts: Counts,
    cut: Cut,
    /// Bytes passed towards a [`Cut::Once`].
    towards_cut: u64,
    open: Vec<TcpStream>,
    closed: bool,
    recorded: Option<Vec<Passed>>,
}

impl State {
    fn new() -> Self {
        Self {
            counts: Counts::default(),
            cut: Cut::Never,
            towards_cut: 0,
            open: Vec::new(),
            closed: false,
            recorded: None,
        }
    }

    /// Returns how many of `n` bytes may pass `way` when `passed` of this connection already have.
    fn room(&self, way: Way, passed: u64, n: u64) -> u64 {
        match self.cut {
            Cut::Once { way: cut, after } if cut == way => n.min(after.saturating_sub(self.towards_cut)),
            Cut::Every { way: cut, after } if cut == way => n.min(after.saturating_sub(passed)),
            Cut::Dead => 0,
            Cut::Unanswered if way == Way::Down => 0,
            Cut::Never | Cut::Once { .. } | Cut::Every { .. } | Cut::Unanswered => n,
        }
    }

    fn count(&mut self, way: Way, n: u64) {
        match way {
            Way::Up => self.counts.bytes_up += n,
            Way::Down => self.counts.bytes_down += n,
        }
        if matches!(self.cut, Cut::Once { way: cut, .. } if cut == way) {
            self.towards_cut += n;
        }
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the line panics while it holds the state")
    }
}

fn accept(listener: &TcpListener, line: &Arc<Line>) {
    for device in listener.incoming().map_while(Result::ok) {
        if line.state().closed {
            return;
        }
        // HQ down: the device sees its connection closed at once.
        if let Ok(hq) = TcpStream::connect(line.upstream) {
            connect(line, &device, &hq);
        }
    }
}

fn connect(line: &Arc<Line>, device: &TcpStream, hq: &TcpStream) {
    let copy = |stream: &TcpStream| stream.try_clone().expect("a second handle of a socket");
    let mut state = line.state();
    state.counts.connections += 1;
    state.open.extend([copy(device), copy(hq)]);
    let recorded = state.recorded.as_mut().map(|recorded| {
        recorded.push(Passed::default());
        recorded.len() - 1
    });
    drop(state);
    for (way, from, to) in [(Way::Up, device, hq), (Way::Down, hq, device)] {
        let (line, from, to) = (Arc::clone(line), copy(from), copy(to));
        thread::spawn(move || pump(&line, (way, recorded), from, to));
    }
}

/// Passes bytes on until one end closes or the line breaks.
fn pump(line: &Line, (way, recorded): (Way, Option<usize>), mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    let mut passed = 0;
    let mut request = Vec::new();
    loop {
        let n = from.read(&mut buffer).unwrap_or(0);
        if n == 0 {
            // The other way may still have bytes to bring.
            drop(to.shutdown(Shutdown::Write));
            return;
        }
        let mut state = line.state();
        let room = state.room(way, passed, n as u64);
        state.count(way, room);
        let mut broken = room < n as u64;
        if broken && matches!(state.cut, Cut::Once { .. }) {
            state.cut = Cut::Never;
        }
        if state.cut == Cut::Unanswered && way == Way::Up {
            request.extend_from_slice(&buffer[..n]);
            broken = is_whole(&request);
            if broken {
                state.cut = Cut::Dead;
            }
        }
        let room = usize::try_from(room).expect("at most one buffer");
        if let Some(passed) = recorded.and_then(|at| state.recorded.as_mut()?.get_mut(at)) {
            let kept = if way == Way::Up { &mut passed.up } else { &mut passed.down };
            kept.extend_from_slice(&buffer[..room]);
        }
        drop(state);
        let written = to.write_all(&buffer[..room]);
        if broken || written.is_err() {
            hang_up(&from);
            hang_up(&to);
            return;
        }
        passed += room as u64;
    }
}

/// Returns whether a request is there with all the body that its head announces.
fn is_whole(request: &[u8]) -> bool {
    let Some(head) = request.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let words = String::from_utf8_lossy(&request[..head]).to_lowercase();
    let length = words.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    request.len() >= head + 4 + length.unwrap_or(0)
}

/// Closes both ways; a socket that is already gone is what we want.
fn hang_up(stream: &TcpStream) {
    drop(stream.shutdown(Shutdown::Both));
}

/// A peer that sends back, once its caller has finished sending, all that it was sent.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut heard = Vec::new();
            drop(stream.read_to_end(&mut heard));
            drop(stream.write_all(&heard));
        }
    });
    address
}

/// Sends `bytes` through the line and returns what came back before it closed.
fn through(proxy: &Proxy, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(proxy.address).unwrap();
    drop(stream.write_all(bytes));
    drop(stream.shutdown(Shutdown::Write));
    let mut back = Vec::new();
    drop(stream.read_to_end(&mut back));
    back
}

#[test]
fn the_line_counts_every_byte_of_every_connection() {
    let proxy = Proxy::to(echo());
    assert_eq!(through(&proxy, b"meter 12345"), b"meter 12345");
    assert_eq!(through(&proxy, &[7; 100_000]).len(), 100_000);
    assert_eq!(proxy.counts(), Counts { connections: 2, bytes_up: 100_011, bytes_down: 100_011 });
}

#[test]
fn a_lost_reply_is_lost_once() {
    let proxy = Proxy::to(echo());
    proxy.cut(Cut::Once { way: Way::Down, after: 0 });
    assert_eq!(through(&proxy, b"claim"), b"");
    assert_eq!(through(&proxy, b"claim"), b"claim");
    assert_eq!(proxy.counts(), Counts { connections: 2, bytes_up: 10, bytes_down: 5 });
}

#[test]
fn an_unanswered_request_goes_up_whole_and_nothing_after_it() {
    let proxy = Proxy::to(echo());
    proxy.cut(Cut::Unanswered);
    let request = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nclaim";
    assert_eq!(through(&proxy, request), b"");
    assert_eq!(through(&proxy, request), b"");
    let up = request.len() as u64;
    assert_eq!(proxy.counts(), Counts { connections: 2, bytes_up: up, bytes_down: 0 });
    proxy.cut(Cut::Never);
    assert_eq!(through(&proxy, request), request);
}

#[test]
fn one_break_is_counted_over_connections_and_a_break_in_each_from_its_own_start() {
    let proxy = Proxy::to(echo());
    proxy.cut(Cut::Once { way: Way::Down, after: 8 });
    assert_eq!(through(&proxy, b"claim"), b"claim");
    assert_eq!(through(&proxy, b"claim"), b"cla");
    assert_eq!(through(&proxy, b"claim"), b"claim");
    proxy.cut(Cut::Every { way: Way::Down, after: 2 });
    assert_eq!(through(&proxy, b"claim"), b"cl");
    assert_eq!(through(&proxy, b"claim"), b"cl");
}

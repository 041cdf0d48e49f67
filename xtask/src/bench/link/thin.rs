//! A thin link on the loopback: every connection through it feels the modelled one, in real time.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::bench::link::tcp::{Chance, Link, Way};
use crate::bench::table::micros;
use crate::clock::Stopwatch;
use crate::step::Failed;

/// Bytes that a socket, and the link's sender, take on at once.
const BUFFER: usize = 16 * 1024;

/// A proxy whose connections feel a link; without one they pass as they are.
pub(crate) struct Thin {
    address: SocketAddr,
    feel: Arc<Mutex<Option<(Link, u64)>>>,
}

impl Thin {
    /// Lays a line to `upstream` that feels nothing yet.
    ///
    /// # Errors
    /// [`Failed`] where there is no port.
    pub(crate) fn to(upstream: SocketAddr) -> Result<Self, Failed> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|_gone| Failed)?;
        // What a connection takes on before its bytes are on the link is little, as a sender's own buffer is.
        rustix::net::sockopt::set_socket_recv_buffer_size(&listener, BUFFER).map_err(|_gone| Failed)?;
        let address = listener.local_addr().map_err(|_gone| Failed)?;
        let feel = Arc::new(Mutex::new(None));
        let felt = Arc::clone(&feel);
        std::thread::spawn(move || {
            for device in listener.incoming().map_while(Result::ok) {
                let feel = felt.lock().map_or(None, |feel| *feel);
                if let Ok(hq) = TcpStream::connect(upstream) {
                    drop(join(&device, &hq, feel));
                }
            }
        });
        Ok(Self { address, feel })
    }

    /// Returns where devices connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what connections from now on feel; their chance comes from the seed.
    pub(crate) fn feel(&self, link: Option<(Link, u64)>) {
        if let Ok(mut feel) = self.feel.lock() {
            *feel = link;
        }
    }
}

/// Joins both sockets, each way in threads of its own.
fn join(device: &TcpStream, hq: &TcpStream, feel: Option<(Link, u64)>) -> std::io::Result<()> {
    let (link, seed) = feel.unwrap_or((Link { bits_per_s: u64::MAX, round_trip: 0, lost_permille: 0 }, 0));
    let mut chance = Chance::of(seed);
    let from = if feel.is_some() { link.greeting(&mut chance) } else { 0 };
    for (n, from_end, to_end) in [(1, device, hq), (2, hq, device)] {
        to_end.set_nodelay(true)?;
        let (mut source, target) = (from_end.try_clone()?, to_end.try_clone()?);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let way = feel.map(|_| Way::new(link, Chance::of(seed.wrapping_mul(1009).wrapping_add(n)), from));
        std::thread::spawn(move || listen(&mut source, &sender));
        std::thread::spawn(move || pass(&receiver, target, way));
    }
    Ok(())
}

fn listen(source: &mut TcpStream, sender: &SyncSender<Vec<u8>>) {
    let mut buffer = [0; BUFFER];
    while let Some(read) = source.read(&mut buffer).ok().filter(|n| *n > 0).and_then(|n| buffer.get(..n)) {
        if sender.send(read.to_vec()).is_err() {
            return;
        }
    }
}

/// Hands over what has come through, when it has come through; closes behind the last byte.
fn pass(receiver: &Receiver<Vec<u8>>, mut target: TcpStream, mut way: Option<Way>) {
    let watch = Stopwatch::start();
    let mut open = true;
    while open || way.as_ref().is_some_and(|way| !way.is_through()) {
        let now = micros(watch.read());
        let wait =
            way.as_ref().and_then(Way::next_event).map(|at| Duration::from_micros(at.saturating_sub(now)));
        let takes = open && way.as_ref().is_none_or(|way| way.waiting() < BUFFER);
        let heard = if takes { wait_for(receiver, wait) } else { Err(RecvTimeoutError::Timeout) };
        if !takes {
            std::thread::sleep(wait.unwrap_or_default());
        }
        let now = micros(watch.read());
        let through = match (heard, &mut way) {
            (Ok(bytes), Some(way)) => {
                way.push(now, &bytes);
                way.advance(now)
            }
            (Ok(bytes), None) => bytes,
            (Err(RecvTimeoutError::Timeout), way) => {
                way.as_mut().map(|way| way.advance(now)).unwrap_or_default()
            }
            (Err(RecvTimeoutError::Disconnected), way) => {
                open = false;
                way.as_mut().map(|way| way.advance(now)).unwrap_or_default()
            }
        };
        if target.write_all(&through).is_err() {
            break;
        }
    }
    drop(target.shutdown(Shutdown::Write));
}

fn wait_for(receiver: &Receiver<Vec<u8>>, wait: Option<Duration>) -> Result<Vec<u8>, RecvTimeoutError> {
    match wait {
        Some(wait) => receiver.recv_timeout(wait),
        None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_takes_the_distance_there_and_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let thin = Thin::to(listener.local_addr().unwrap()).unwrap();
        thin.feel(Some((Link { bits_per_s: 640_000, round_trip: 60_000, lost_permille: 0 }, 1)));
        std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut byte = [0];
            peer.read_exact(&mut byte).unwrap();
            peer.write_all(&byte).unwrap();
        });
        let watch = Stopwatch::start();
        let mut device = TcpStream::connect(thin.address()).unwrap();
        device.write_all(b"7").unwrap();
        let mut back = Vec::new();
        device.read_to_end(&mut back).unwrap();
        assert_eq!(back, b"7");
        // The greeting and the byte's own way: two round trips.
        assert!(watch.read() >= Duration::from_millis(120));
    }
}

//! Ports for servers that are ended and come back to the address they had.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Returns a free address of the loopback that stays free while nobody listens there.
///
/// Its port lies below those that a system gives to whoever asks for any (from 32,768 on Linux, 49,152 elsewhere), so that neither another server nor one end of a connection takes it meanwhile.
pub(crate) fn free_address() -> SocketAddr {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Each process begins elsewhere, should several run at once.
    let begin = u16::try_from(std::process::id().wrapping_mul(61) % u32::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|_| (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .map(|step| SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + step)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a free port of the loopback")
}

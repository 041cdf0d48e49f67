//! Ports for servers that are ended and come back to the address they had, or that are told theirs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Returns a free address of the loopback that stays free while nobody listens there.
///
/// Its port lies below those that the system gives to whoever asks for any, where it leaves as many there, so that neither another server nor one end of a connection takes it meanwhile.
pub(crate) fn free_address() -> SocketAddr {
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = first_given().checked_sub(COUNT).filter(|first| *first >= 1_024).unwrap_or(20_000);
    // Each process begins elsewhere, should several run at once.
    let begin = u16::try_from(std::process::id().wrapping_mul(61) % u32::from(COUNT)).unwrap_or(0);
    (0..COUNT)
        .map(|_| (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .map(|step| SocketAddr::from((Ipv4Addr::LOCALHOST, first + step)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a free port of the loopback")
}

/// The first port that the system gives to whoever asks for any.
fn first_given() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(49_152)
}

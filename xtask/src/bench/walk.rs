//! One sync as it was seen from outside: bytes on the line, requests, time, CPU of both ends, memory.

use std::time::Duration;

use crate::bench::program::{self, Ran};
use crate::bench::proxy::{Passed, Proxy};
use crate::step::Failed;

/// What one sync took, whoever's it is.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    /// Bytes from the device, headers included.
    pub(crate) bytes_up: u64,
    /// Bytes to the device, headers included.
    pub(crate) bytes_down: u64,
    /// Connections that were opened.
    pub(crate) connections: u64,
    /// HTTP requests; the driver's own count of round trips where it speaks something else.
    pub(crate) requests: u64,
    /// From the start of the device's program to its end.
    pub(crate) took: Duration,
    /// CPU of the device's program, its start included.
    pub(crate) device_cpu: Duration,
    /// CPU of the server meanwhile.
    pub(crate) server_cpu: Duration,
    /// The most memory of the device's program, in KiB.
    pub(crate) peak_kib: u64,
}

impl Walk {
    /// Returns the bytes both ways.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes_up + self.bytes_down
    }
}

/// Runs a device's sync over `line` to the server of process `pid`.
///
/// # Errors
/// What `sync` returns, or [`Failed`] where the server has gone.
pub(crate) fn walk(
    line: &Proxy,
    pid: u32,
    sync: impl FnOnce() -> Result<Ran, Failed>,
) -> Result<(Ran, Walk), Failed> {
    let (before, cpu_before) = (line.counts(), program::cpu(pid)?);
    line.record();
    let ran = sync()?;
    let (after, cpu_after) = (line.counts(), program::cpu(pid)?);
    let walk = Walk {
        bytes_up: after.bytes_up - before.bytes_up,
        bytes_down: after.bytes_down - before.bytes_down,
        connections: after.connections - before.connections,
        requests: line.recorded().iter().map(requests).sum(),
        took: ran.took,
        device_cpu: ran.cpu,
        server_cpu: cpu_after.saturating_sub(cpu_before),
        peak_kib: ran.peak_kib,
    };
    Ok((ran, walk))
}

/// Returns the request lines of a connection without TLS.
fn requests(passed: &Passed) -> u64 {
    const MARK: &[u8] = b" HTTP/1.1\r\n";
    let found = passed.up.windows(MARK.len()).filter(|window| *window == MARK).count();
    u64::try_from(found).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_may_carry_more_than_one_request() {
        let up = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nPOST /b HTTP/1.1\r\n\r\n{}".to_vec();
        assert_eq!(requests(&Passed { up, down: Vec::new() }), 2);
    }
}

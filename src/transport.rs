//! The one room that opens sockets: a body goes to HQ, a body comes back.
//!
//! Over HTTPS HQ is known by the pin of its own key and by nothing else; see [`pinned`].
//! What a body says is proven by signatures in it, over HTTP too. When to try again is the caller's question.

pub mod pinned;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::{ErrorKind, Read};
use std::time::Duration;

use sync_protocol::limits::BODY_BYTES_MAX;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};

use crate::transport::pinned::{Pinned, WrongKey};

/// The type of a body.
const CONTENT_TYPE: &str = "application/x-fieldbook";
/// Until a connection stands, its handshake included.
const CONNECT_SECONDS: u64 = 10;
/// Until the next byte moves. There is no limit on the whole: a thin line may take long.
const IDLE_SECONDS: u64 = 30;
/// What the slowest line carries that one large request is meant for.
const SLOW_BYTES_A_SECOND: u64 = 4 * 1024;
/// Until a server of this machine has answered.
const LOCAL_SECONDS: u64 = 2;
/// The longest answer: what it may inflate to, its form and its signature.
const ANSWER_BYTES_MAX: usize = BODY_BYTES_MAX + 65;

/// Why HQ did not answer.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum TransportError {
    /// The address is not `http://` or `https://` with a host.
    #[error("HQ's address is not http:// or https:// with a host")]
    Address,
    /// HTTPS without a pin: nobody would know whose key it is.
    #[error("HQ's address is https:// and the enrolment has no pin of its key")]
    NoPin,
    /// No line to HQ, or it broke.
    #[error("HQ cannot be reached: {0}")]
    Unreachable(Fault),
    /// Somebody answered with another key than HQ's.
    #[error("the key at HQ's address is not HQ's")]
    WrongKey,
    /// HQ's server refused the request before reading what it says.
    #[error("HQ's server answered with status {0}")]
    Status(u16),
    /// HQ asks to come again later.
    #[error("HQ asks to come again in {seconds} s")]
    Later {
        /// When.
        seconds: u32,
    },
    /// The answer passes the limit.
    #[error("HQ's answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

/// Where the line to HQ broke.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum Fault {
    /// The host's name leads nowhere.
    #[error("the name of its host is not known")]
    Name,
    /// Nobody listens there.
    #[error("nobody listens at its address")]
    Refused,
    /// Nothing came for too long.
    #[error("nothing came in time")]
    TimedOut,
    /// The line broke in the middle.
    #[error("the line broke")]
    Broken,
}

/// Takes a body to HQ and brings the body of its answer.
pub type Carrier<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, TransportError> + 'a;

/// The way to one HQ.
pub struct Transport<'a> {
    way: Way<'a>,
    up: Cell<u64>,
    down: Cell<u64>,
}

enum Way<'a> {
    Socket { agent: ureq::Agent, url: String },
    Carrier(Box<Carrier<'a>>),
}

impl std::fmt::Debug for Transport<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transport({} up, {} down)", self.up.get(), self.down.get())
    }
}

impl<'a> Transport<'a> {
    /// Returns a way without a socket: whatever `carrier` does with a body.
    #[must_use]
    pub fn by(carrier: Box<Carrier<'a>>) -> Self {
        Self { way: Way::Carrier(carrier), up: Cell::new(0), down: Cell::new(0) }
    }

    /// Returns the way to the HQ at `address`; nothing is opened yet.
    ///
    /// `pins` are SHA-256 of the subject public key info of its TLS certificates; only looked at for `https://`.
    ///
    /// # Errors
    /// [`TransportError::Address`], [`TransportError::NoPin`].
    pub fn new(address: &str, pins: &[[u8; 32]]) -> Result<Self, TransportError> {
        let url = format!("{}/v1/sync", address.trim_end_matches('/'));
        let uri: ureq::http::Uri = url.parse().map_err(|_| TransportError::Address)?;
        let secure = match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(_)) => false,
            (Some("https"), Some(_)) => true,
            _ => return Err(TransportError::Address),
        };
        if secure && pins.is_empty() {
            return Err(TransportError::NoPin);
        }
        let connector = ().chain(TcpConnector::default()).chain(Pinned::new(pins));
        let agent = ureq::Agent::with_parts(config(), connector, DefaultResolver::default());
        Ok(Self { way: Way::Socket { agent, url }, up: Cell::new(0), down: Cell::new(0) })
    }

    /// Sends a body and returns the body of the answer.
    ///
    /// # Errors
    /// [`TransportError`]. After [`TransportError::Unreachable`] HQ may have taken in all of the request or a part.
    pub fn post(&self, body: &[u8]) -> Result<Vec<u8>, TransportError> {
        match &self.way {
            Way::Socket { agent, url } => self.post_by_http(agent, url, body),
            Way::Carrier(carrier) => {
                self.up.set(self.up.get().saturating_add(bytes(body)));
                let answer = carrier(body)?;
                self.down.set(self.down.get().saturating_add(bytes(&answer)));
                Ok(answer)
            }
        }
    }

    fn post_by_http(&self, agent: &ureq::Agent, url: &str, body: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut counted = Counted { inner: body, bytes: &self.up };
        let wait = Some(patience(body.len()));
        let request = agent.post(url).config().timeout_per_read(wait).build().content_type(CONTENT_TYPE);
        let sent = request
            .header("content-length", body.len().to_string())
            .send(ureq::SendBody::from_reader(&mut counted));
        let mut response = sent.map_err(|error| judge(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(match later(response.headers()).filter(|_| matches!(status, 429 | 503)) {
                Some(seconds) => TransportError::Later { seconds },
                None => TransportError::Status(status),
            });
        }
        let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
        let mut counted =
            Counted { inner: response.body_mut().with_config().limit(limit).reader(), bytes: &self.down };
        let mut answer = Vec::new();
        match counted.read_to_end(&mut answer) {
            Ok(_) => Ok(answer),
            Err(error) => Err(judge(&ureq::Error::from(error))),
        }
    }

    /// Returns how many bytes of bodies went up and came down so far, those of broken requests included.
    #[must_use]
    pub fn moved(&self) -> (u64, u64) {
        (self.up.get(), self.down.get())
    }
}

/// Returns how long the answer to so many bytes may keep silent: the system takes them at once, a slow line does not.
fn patience(bytes: usize) -> Duration {
    let under_way = u64::try_from(bytes).unwrap_or(u64::MAX) / SLOW_BYTES_A_SECOND;
    Duration::from_secs(IDLE_SECONDS.saturating_add(under_way))
}

/// Returns how many seconds a server asks to be left alone.
fn later(headers: &ureq::http::HeaderMap) -> Option<u32> {
    headers.get("retry-after")?.to_str().ok()?.parse().ok()
}

fn bytes(body: &[u8]) -> u64 {
    u64::try_from(body.len()).unwrap_or(u64::MAX)
}

/// Counts what is read through it.
struct Counted<'a, R> {
    inner: R,
    bytes: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(out)?;
        let more = u64::try_from(read).unwrap_or(u64::MAX);
        self.bytes.set(self.bytes.get().saturating_add(more));
        Ok(read)
    }
}

/// Sends a form to a server of this machine, waits two seconds at most, and returns the HTTP status of its answer.
///
/// # Errors
/// [`TransportError`]; nobody may be there.
pub fn ask_local(port: u16, path: &str, form: &[(&str, &str)]) -> Result<u16, TransportError> {
    let agent = ureq::Agent::new_with_config(
        config_builder().timeout_global(Some(Duration::from_secs(LOCAL_SECONDS))).build(),
    );
    let form = form.iter().map(|(name, value)| (*name, *value));
    let asked = agent.post(format!("http://127.0.0.1:{port}{path}")).send_form(form);
    asked.map(|answer| answer.status().as_u16()).map_err(|error| judge(&error))
}

fn config() -> ureq::config::Config {
    config_builder().build()
}

fn config_builder() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    let idle = Some(Duration::from_secs(IDLE_SECONDS));
    ureq::config::Config::builder()
        .timeout_resolve(Some(Duration::from_secs(CONNECT_SECONDS)))
        .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS)))
        .timeout_per_read(idle)
        .timeout_per_write(idle)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent("")
        .accept("")
}

fn judge(error: &ureq::Error) -> TransportError {
    match error {
        ureq::Error::Other(other) if other.is::<WrongKey>() => TransportError::WrongKey,
        ureq::Error::BodyExceedsLimit(_) => TransportError::TooLong,
        ureq::Error::HostNotFound => TransportError::Unreachable(Fault::Name),
        ureq::Error::Timeout(_) => TransportError::Unreachable(Fault::TimedOut),
        ureq::Error::Io(io) => TransportError::Unreachable(match io.kind() {
            ErrorKind::ConnectionRefused => Fault::Refused,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Fault::TimedOut,
            _ => Fault::Broken,
        }),
        _ => TransportError::Unreachable(Fault::Broken),
    }
}

//! The one port: devices sync at `/v1/sync`, monitors look at `/healthz`, people log in at everything else.
//!
//! Limits: a body of 4 MiB; how often, how many and how long, see [`crate::porter`].

pub mod watch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use hyper::body::Frame;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use records::id::Replica;
use sync_protocol::body::BodyError;
use sync_protocol::conversation::ReadError;
use sync_protocol::limits::{BODY_BYTES_MAX, inflate_max};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::lines::{Held, Lines};
use crate::meter::Spoken;
use crate::porter::{Later, Origin, Place};
use crate::server::watch::Health;
use crate::session::{Office, Session, SessionError};
use crate::web::console::Console;

/// What a stopping server gives its conversations.
const GRACE: Duration = Duration::from_secs(10);
/// When a device comes again that found every turn taken.
const BUSY_S: u32 = 15;
/// So long no byte came that the device may have gone, and come again on another connection.
const STILL: Duration = Duration::from_millis(250);
/// Connections at a time.
const CONNECTIONS_MAX: usize = 4096;

/// What all requests share.
#[derive(Debug, Clone)]
struct Shared {
    office: Office,
    sessions: Arc<Semaphore>,
    /// For those that speak and those that wait for their turn.
    places: Arc<Semaphore>,
    lines: Arc<Lines>,
    console: Arc<Console>,
    health: Arc<Health>,
}

/// The address that a connection came from.
#[derive(Debug, Clone, Copy)]
struct Peer(SocketAddr);

/// Serves until `stop` is there, then lets running conversations end.
///
/// # Errors
/// Where the listener breaks.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    console: Arc<Console>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let office = console.office.clone();
    let porter = Arc::clone(&office.porter);
    let shared = Shared {
        office,
        sessions: Arc::new(Semaphore::new(porter.limits.sessions)),
        places: Arc::new(Semaphore::new(porter.limits.sessions.saturating_add(porter.limits.waiting))),
        lines: Arc::default(),
        console,
        health: Arc::default(),
    };
    let app = Router::new()
        .route("/v1/sync", post(sync))
        .route("/healthz", get(health))
        .fallback(page)
        .with_state(shared);
    let headers = porter.limits.headers;
    let acceptor = tls.map(TlsAcceptor::from);
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = Arc::new(GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of descriptors, or a client gone already: neither ends the server.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else {
            continue;
        };
        let Some(seat) = porter.seat(Place::Connection, Origin::from(peer.ip())) else {
            continue;
        };
        let app = app.clone().layer(axum::Extension(Peer(peer)));
        let (app, acceptor, watcher) = (app, acceptor.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _held = (permit, seat);
            match acceptor {
                None => connection(stream, app, headers, watcher).await,
                Some(acceptor) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(headers, acceptor.accept(stream)).await {
                        connection(stream, app, headers, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    if let Ok(graceful) = Arc::try_unwrap(graceful) {
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }
    Ok(())
}

async fn connection<S>(
    stream: S,
    app: Router,
    headers: Duration,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(headers).max_buf_size(64 * 1024);
    // Else whoever hangs up behind his last byte is dropped with it, before anybody has looked at the request.
    http.half_close(true);
    let serving = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    // A connection that breaks has been told all that it could hear.
    let _ = watcher.watch(serving).await;
}

/// Returns the URL of what is listened on.
#[must_use]
pub fn url(address: SocketAddr, tls: bool) -> String {
    format!("{}://{address}", if tls { "https" } else { "http" })
}

/// Whether work can be kept.
async fn health(State(shared): State<Shared>, request: Request<Body>) -> Response {
    if let Err(later) = welcome(&shared, &request) {
        return Refused::from(later).into_response();
    }
    let looked = tokio::task::spawn_blocking(move || shared.health.look(&shared.console)).await;
    match looked {
        Ok(StatusCode::OK) => "ok\n".into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database takes no writes\n").into_response(),
    }
}

/// One conversation, counted and told in the log under a name of its own, which the answer carries too.
async fn sync(State(shared): State<Shared>, request: Request<Body>) -> Response {
    let (office, began_ms) = (shared.office.clone(), shared.office.clock.now_ms());
    let id = crate::keys::random::<4>().map_or(0, u32::from_be_bytes);
    let mut told = Told::default();
    let mut response = match admitted(&shared, request, &mut told).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/octet-stream")], answer).into_response(),
        Err(refused) => refused.into_response(),
    };
    let took_ms = office.clock.now_ms().saturating_sub(began_ms);
    let (status, Told { replica, spoken }) = (response.status().as_u16(), told);
    office.porter.meter.spoke(status, took_ms, spoken);
    let name = format!("{id:08x}");
    let device = replica.map_or(0, |replica| replica.0);
    let Spoken { bytes_in, bytes_out, new_ops, quarantined } = spoken;
    if response.status().is_server_error() {
        tracing::error!(request = name, device, status, took_ms, bytes_in, "sync");
    } else if response.status().is_success() {
        tracing::info!(
            request = name,
            device,
            status,
            took_ms,
            bytes_in,
            bytes_out,
            new_ops,
            quarantined,
            "sync"
        );
    } else {
        tracing::warn!(request = name, device, status, took_ms, bytes_in, "sync");
    }
    if let Ok(value) = header::HeaderValue::from_str(&name) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// What a conversation came to.
#[derive(Debug, Default)]
struct Told {
    replica: Option<Replica>,
    spoken: Spoken,
}

async fn admitted(shared: &Shared, request: Request<Body>, told: &mut Told) -> Result<Vec<u8>, Refused> {
    welcome(shared, &request)?;
    let porter = &shared.office.porter;
    let from = request.extensions().get::<Peer>().map(|peer| Origin::from(peer.0.ip()));
    let Some(_seat) = from.and_then(|from| porter.seat(Place::Session, from)) else {
        return Err(Refused::busy());
    };
    // Whoever would wait behind too many is told so while it costs next to nothing.
    let Ok(_place) = shared.places.try_acquire() else {
        porter.meter.turned_away("session");
        return Err(Refused::busy());
    };
    let Ok(Ok(_permit)) = tokio::time::timeout(porter.limits.turn, shared.sessions.acquire()).await else {
        porter.meter.turned_away("session");
        return Err(Refused::busy());
    };
    converse(shared, request, told).await
}

/// Takes a turn of the address that a request comes from.
fn welcome(shared: &Shared, request: &Request<Body>) -> Result<(), Later> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>() else { return Ok(()) };
    shared.office.porter.address(Origin::from(peer.ip()), shared.office.clock.now_ms())
}

/// Answers somebody's browser.
async fn page(State(shared): State<Shared>, request: Request<Body>) -> Response {
    if let Err(later) = welcome(&shared, &request) {
        return Refused::from(later).into_response();
    }
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string());
    let visit = match pages::http::read(request, peer.unwrap_or_default()).await {
        Ok(visit) => visit,
        Err(error) => return (error.status(), format!("{error}\n")).into_response(),
    };
    let answered = tokio::task::spawn_blocking(move || shared.console.answer(&visit)).await;
    match answered {
        Ok(reply) => pages::http::write(reply).map(Body::new),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A refusal without a signed answer: a status and a sentence that reflects nothing.
struct Refused {
    status: StatusCode,
    said: &'static str,
    retry_after_s: Option<u32>,
}

impl Refused {
    const fn new(status: StatusCode, said: &'static str) -> Self {
        Self { status, said, retry_after_s: None }
    }

    const fn busy() -> Self {
        let refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, "every turn is taken; come again");
        Self { retry_after_s: Some(BUSY_S), ..refused }
    }

    const fn not_kept() -> Self {
        // A full disk, as a rule: the device keeps it and comes again.
        let refused = Self::new(StatusCode::SERVICE_UNAVAILABLE, "headquarters could not keep it; try again");
        Self { retry_after_s: Some(BUSY_S), ..refused }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.said)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Later> for Refused {
    fn from(later: Later) -> Self {
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, "too many requests; come again");
        Self { retry_after_s: Some(later.seconds), ..refused }
    }
}

impl From<SessionError> for Refused {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Read(ReadError::Signature) => {
                Self::new(StatusCode::UNAUTHORIZED, "not signed by this device")
            }
            SessionError::Read(ReadError::TooManyOps | ReadError::Body(BodyError::TooLarge { .. })) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is beyond the limits")
            }
            SessionError::Read(_) | SessionError::Order => {
                Self::new(StatusCode::BAD_REQUEST, "the request cannot be read")
            }
            SessionError::Unknown => Self::new(StatusCode::FORBIDDEN, "no device of this name, or no proof"),
            SessionError::Later(later) => later.into(),
            SessionError::Store(_) | SessionError::NotKept(_) | SessionError::Enrol(_) => Self::not_kept(),
        }
    }
}

async fn converse(shared: &Shared, request: Request<Body>, told: &mut Told) -> Result<Vec<u8>, Refused> {
    let sent = length(request.headers());
    let too_long = || Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is beyond the limits");
    if sent.is_some_and(|sent| sent > BODY_BYTES_MAX) {
        return Err(too_long());
    }
    let limits = shared.office.porter.limits;
    let mut session = Session::new(shared.office.clone(), inflate_max(sent.unwrap_or(BODY_BYTES_MAX)));
    let mut body = request.into_body();
    let mut line = None;
    let mut taken = 0_usize;
    let mut last = Bytes::new();
    while let Some(frame) = next_frame(&mut body, limits.idle, &mut line).await? {
        let Ok(bytes) = frame.into_data() else { continue };
        taken = taken.saturating_add(bytes.len());
        if taken > BODY_BYTES_MAX {
            return Err(too_long());
        }
        told.spoken.bytes_in = u64::try_from(taken).unwrap_or(u64::MAX);
        if let (None, true, Some(replica)) = (&line, session.has_pushed(), session.replica()) {
            line = shared.lines.hold(replica, limits.turn).await;
        }
        if body.is_end_stream() {
            last = bytes;
            break;
        }
        let (spoke, pushed) = blocking(move || {
            let pushed = session.push(&bytes);
            (session, pushed)
        })
        .await?;
        session = spoke;
        told.replica = session.replica();
        pushed?;
    }
    let lines = Arc::clone(&shared.lines);
    let (replica, ended) = blocking(move || end(session, &last, line, &lines)).await?;
    told.replica = replica;
    let (answer, new_ops, quarantined) = match ended? {
        End::Said(said) => said,
        End::Waits(session, replica) => {
            let line = shared.lines.hold(replica, limits.turn).await;
            blocking(move || session.finish_counted().map(|said| (said, drop(line)).0)).await??
        }
    };
    let bytes_out = u64::try_from(answer.len()).unwrap_or(u64::MAX);
    told.spoken = Spoken { bytes_out, new_ops, quarantined, ..told.spoken };
    Ok(answer)
}

/// What the last bytes of a request led to.
enum End {
    /// The answer, how many ops were new, how many of those were refused and kept.
    Said((Vec<u8>, u64, u64)),
    /// All that came is kept; the answer waits until another conversation of the same device lets go of its line.
    Waits(Box<Session>, Replica),
}

/// Takes the last bytes and answers, in one go: nobody who hangs up meanwhile makes it lose what came whole.
fn end(
    mut session: Session,
    last: &[u8],
    line: Option<Held>,
    lines: &Lines,
) -> (Option<Replica>, Result<End, SessionError>) {
    let pushed = session.push_last(last);
    let replica = session.replica();
    let free = |replica| if line.is_some() { line } else { lines.take(replica) };
    let ended = pushed.and_then(|()| match replica.map(|replica| (replica, free(replica))) {
        Some((replica, None)) => session.keep().map(|()| End::Waits(Box::new(session), replica)),
        Some((_, Some(_))) | None => session.finish_counted().map(End::Said),
    });
    (replica, ended)
}

/// Waits for the next part of a body, and lets go of the line where it does not come soon; `None` at the end.
async fn next_frame(
    body: &mut Body,
    idle: Duration,
    line: &mut Option<Held>,
) -> Result<Option<Frame<Bytes>>, Refused> {
    let frame = match tokio::time::timeout(STILL.min(idle), body.frame()).await {
        Ok(frame) => frame,
        Err(_) => {
            *line = None;
            tokio::time::timeout(idle.saturating_sub(STILL), body.frame())
                .await
                .map_err(|_| Refused::new(StatusCode::REQUEST_TIMEOUT, "nothing came for too long"))?
        }
    };
    frame.transpose().map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "the request breaks off"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Refused::not_kept())
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

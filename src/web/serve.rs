//! The server: one thread for sockets, the home's jobs on others; only 127.0.0.1 is listened on.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use pages::http;
use pages::reply::{Body, Reply};
use pages::visit::{Verb, Visit};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::web::courier::Courier;
use crate::web::desk::Desk;
use crate::web::door::Door;
use crate::web::held::Held;
use crate::web::{routes, unlock};

/// Until the headers of a request are there.
const HEADERS: Duration = Duration::from_secs(10);
/// What a stopping server gives the requests that run.
const GRACE: Duration = Duration::from_secs(5);
/// Between two looks whether the home is to be locked.
const LOOK_IDLE: Duration = Duration::from_secs(10);
/// Connections at a time: one person's browser.
const CONNECTIONS_MAX: usize = 64;

/// What all requests share.
#[derive(Debug)]
pub struct Shared {
    /// The home.
    pub held: Held,
    /// Who may come in.
    pub door: Door,
    /// The clock.
    pub clock: Clock,
    /// Where the system keeps its fonts.
    pub font_folders: Vec<PathBuf>,
    /// What proves that a command may have the home.
    pub lend_token: String,
    /// Who syncs by himself.
    pub courier: Courier,
}

/// Listens on 127.0.0.1; port 0 takes a free one.
///
/// # Errors
/// What the system says: the port is taken.
pub fn listen(port: u16) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the process is asked to stop; requests that run are ended first.
///
/// # Errors
/// Where the runtime or the listener breaks.
pub fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) -> std::io::Result<()> {
    let works = Arc::clone(&shared);
    let courier = std::thread::Builder::new().name("courier".to_owned());
    // Not waited for at the end: what it has not finished the next sync does.
    courier.spawn(move || works.courier.run(&works.held, works.clock))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(8).build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let idle = tokio::spawn(lock_when_idle(Arc::clone(&shared)));
        accept(listener, shared).await;
        idle.abort();
        Ok(())
    })
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stop = std::pin::pin!(pages::stop::asked());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, or a browser gone already: neither ends the server.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let Ok(permit) = Arc::clone(&connections).try_acquire_owned() else { continue };
        let shared = Arc::clone(&shared);
        let service = hyper::service::service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, std::convert::Infallible>(request_answer(request, shared).await) }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(64 * 1024);
        let serving = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _permit = permit;
            // A connection that breaks has been told all that it could hear.
            let _ = serving.await;
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

/// Looks every few seconds whether the pages have been left alone for too long.
async fn lock_when_idle(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(LOOK_IDLE).await;
        let looked = Arc::clone(&shared);
        // A job with the home is waited for on a thread of its own.
        let look = move || looked.held.lock_if_idle(looked.clock.now());
        drop(tokio::task::spawn_blocking(look).await);
    }
}

async fn request_answer(request: Request<Incoming>, shared: Arc<Shared>) -> Response<Full<Bytes>> {
    let visit = match http::read(request, String::new()).await {
        Ok(visit) => visit,
        Err(error) => {
            let mut response = Response::new(Full::new(Bytes::from(format!("{error}\n"))));
            *response.status_mut() = error.status();
            return response;
        }
    };
    let answered = tokio::task::spawn_blocking(move || answer(&visit, &shared)).await;
    http::write(answered.unwrap_or_else(|_| Reply::page_as(500, maud::html! { "500" })))
}

/// Returns the answer to one request.
#[must_use]
pub fn answer(visit: &Visit, shared: &Shared) -> Reply {
    if visit.path == "/lend"
        && visit.form.get("token").is_some_and(|token| pages::gate::same(token, &shared.lend_token))
    {
        shared.held.lend();
        return Reply::shown("text/plain", Vec::new());
    }
    if visit.path == "/lock"
        && visit.form.get("token").is_some_and(|token| pages::gate::same(token, &shared.lend_token))
    {
        shared.held.lock();
        return Reply::shown("text/plain", Vec::new());
    }
    if let Some(reply) = shared.door.answer(visit) {
        return reply;
    }
    shared.held.lock_if_idle(shared.clock.now());
    if let Some(reply) = unlock::answer(visit, shared) {
        return reply;
    }
    if visit.path != "/sync/state" {
        // What a page asks by itself is no use of it.
        shared.held.touch();
    }
    let visit = &*shared.held.kept.again(visit);
    let desk = Desk {
        visit,
        held: &shared.held,
        lang: shared.door.lang(visit),
        clock: shared.clock,
        token: &shared.door.token,
        font_folders: &shared.font_folders,
        courier: &shared.courier,
        kept: &shared.held.kept,
    };
    let reply = routes::answer(&desk);
    if visit.verb == Verb::Post && matches!(reply.body, Body::Go(_)) {
        shared.held.kept.forget(visit);
        shared.courier.changed();
    }
    reply
}

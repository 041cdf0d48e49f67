//! `serve`: the port that devices sync with and people log in at.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::Room;
use crate::cli::answer::{self, Answer, Fault};
use crate::porter::{Limits, Porter};
use crate::server;
use crate::session::Office;
use crate::store::StoreError;
use crate::tls;
use crate::web::console::Console;
use crate::writer::Writer;

/// What `serve` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:7400", value_name = "ADDR")]
    listen: String,
    /// A certificate in PEM form, instead of headquarters' own
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Its key
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
    /// Serves numbers for Prometheus at /metrics of this address and port, which the world should not reach
    #[arg(long, value_name = "ADDR")]
    metrics: Option<String>,
    /// How much is told on standard error, one JSON object a line [default: FIELDBOOK_LOG, then info]
    #[arg(long, value_name = "LEVEL", value_parser = ["off", "error", "warn", "info", "debug"])]
    log: Option<String>,
}

/// How much is let in; 0 takes a limit away.
#[derive(Debug, clap::Args)]
struct LimitArgs {
    /// Requests a second of one device, a minute's worth at once
    #[arg(long, default_value_t = Limits::default().device_per_s, value_name = "N")]
    device_rate: u32,
    /// Requests a second from one address, a minute's worth at once
    #[arg(long, default_value_t = Limits::default().address_per_s, value_name = "N")]
    address_rate: u32,
    /// Connections at a time from one address
    #[arg(long, default_value_t = Limits::default().address_connections, value_name = "N")]
    address_connections: u32,
    /// Conversations at a time with one address
    #[arg(long, default_value_t = Limits::default().address_sessions, value_name = "N")]
    address_sessions: u32,
    /// Mebibytes of records and files that one device may leave in a day
    #[arg(long, default_value_t = Limits::default().device_bytes_a_day / MIB, value_name = "MIB")]
    device_quota: u64,
}

const MIB: u64 = 1024 * 1024;

impl LimitArgs {
    fn limits(&self) -> Limits {
        Limits {
            device_per_s: self.device_rate,
            address_per_s: self.address_rate,
            address_connections: self.address_connections,
            address_sessions: self.address_sessions,
            device_bytes_a_day: self.device_quota.saturating_mul(MIB),
            ..Limits::default()
        }
    }
}

pub(super) fn run(args: &Args, room: &Room) -> Result<Answer, Fault> {
    tell(args.log.as_deref());
    let mut desk = room.open()?;
    room.data.finish_switch()?;
    let own = args.tls_cert.is_none();
    if own && room.data.tls_next().0.exists() && desk.rotation()?.unknown.is_empty() {
        // Every device knows the next key.
        room.data.switch_tls()?;
    }
    let files = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
        _ => Some(room.data.tls()).filter(|(cert, _)| cert.exists()),
    };
    let tls = match files {
        None => None,
        Some((cert, key)) => {
            let (config, pin) = tls::read(&cert, &key)?;
            let now_ms = room.clock.now_ms();
            desk.transact(|desk| desk.in_use(pin, now_ms))?;
            Some(config)
        }
    };
    let reach_is_https = crate::data::reach(&desk.store, None)?.address.starts_with("https://");
    let signer = Arc::clone(&desk.signer);
    let broken =
        |error: &std::io::Error| Fault::usage("hq.listen").with("address", &args.listen).because(error);
    let writer = Writer::start(desk, logged).map_err(|error| broken(&error))?;
    let porter = Arc::new(Porter::new(args.limits.limits()));
    let office = Office { writer, signer, clock: room.clock, files: room.data.files(), porter };
    let secure = tls.is_some() || reach_is_https;
    let fonts = papers::search::folders(std::env::consts::OS, |name| std::env::var(name).ok());
    let console = Console::new(office.clone(), room.data.clone(), room.test_clock, secure, room.lang, fonts);
    // A connection to a server's database has a runtime of its own: it ends out here, after the one that serves.
    let _held = Arc::clone(&console);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .map_err(|error| broken(&error))?;
    let rounds = runtime.spawn(rounds(office.clone()));
    runtime
        .block_on(async {
            let listener = tokio::net::TcpListener::bind(&args.listen).await?;
            let url = server::url(listener.local_addr()?, tls.is_some());
            if let Some(metrics) = &args.metrics {
                let listener = tokio::net::TcpListener::bind(metrics).await?;
                tokio::spawn(server::watch::serve(listener, Arc::clone(&console)));
            }
            answer::raw(&format!("{url}\n"), true);
            tracing::info!(url, "serves");
            server::serve(listener, tls, console, pages::stop::asked()).await
        })
        .map_err(|error| broken(&error))?;
    rounds.abort();
    Ok(Answer::new(serde_json::json!({"stopped": true}), String::new()))
}

/// How often the clerk looks whether the day brings anything.
const ROUND: std::time::Duration = std::time::Duration::from_secs(60 * 60);

/// Has the clerk make his round now and every hour: a day's first one finds what the day brings.
async fn rounds(office: Office) {
    loop {
        let (writer, now) = (office.writer.clone(), office.clock.now_ms());
        // What could not be kept is told by the writer; the next round finds the same.
        let _ = tokio::task::spawn_blocking(move || writer.run(move |desk| desk.round(now))).await;
        tokio::time::sleep(ROUND).await;
    }
}

/// Begins to tell what happens: ids and numbers, never a name, a text or a secret.
fn tell(asked: Option<&str>) {
    let level = asked.map(str::to_owned).or_else(|| std::env::var("FIELDBOOK_LOG").ok());
    let level =
        level.and_then(|level| level.parse().ok()).unwrap_or(tracing::level_filters::LevelFilter::INFO);
    // A second one in the same process, in tests: the first one goes on.
    let _ = tracing_subscriber::fmt().json().with_max_level(level).with_writer(std::io::stderr).try_init();
}

fn logged(error: &StoreError) {
    tracing::error!(reason = %error, "the database refused");
}

pub(super) fn trouble(error: &StoreError) {
    answer::raw(&format!("{error}\n"), false);
}

//! What every driver of a peer answers to: join, save, sync, count, serve.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Whatever went wrong; a driver ends with it.
pub type Done<T> = Result<T, Box<dyn Error>>;

/// A library that keeps records on a device and brings them to a server.
pub trait Peer {
    /// Makes a device's folder ready; what a person does once.
    fn join(folder: &Path, url: &str) -> Done<()>;

    /// Saves the rows one by one, each before the next; returns how long each took.
    fn save(folder: &Path, rows: &[Value]) -> Done<Vec<Duration>>;

    /// Syncs until both sides are level; returns the round trips where the library's own words do not tell.
    fn sync(folder: &Path, url: &str) -> Done<Option<u64>>;

    /// Returns how many records the device holds.
    fn count(folder: &Path) -> Done<usize>;

    /// Serves on a loopback port, whose URL is printed as the first line, until it is killed.
    fn serve(folder: &Path) -> Done<()>;
}

/// Reads the command line and prints one JSON document.
pub fn main<P: Peer>() -> Done<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let answer = match words.as_slice() {
        ["join", folder, url] => {
            std::fs::create_dir_all(folder)?;
            P::join(Path::new(folder), url)?;
            serde_json::json!({})
        }
        ["save", folder, file] => told(P::save(Path::new(folder), &rows(Path::new(file))?)?),
        ["sync", folder, url] => serde_json::json!({ "round_trips": P::sync(Path::new(folder), url)? }),
        ["count", folder] => serde_json::json!({ "records": P::count(Path::new(folder))? }),
        ["serve", folder] => {
            std::fs::create_dir_all(folder)?;
            return P::serve(Path::new(folder));
        }
        _ => return Err("join FOLDER URL | save FOLDER FILE | sync FOLDER URL | count FOLDER | serve FOLDER".into()),
    };
    println!("{answer}");
    Ok(())
}

/// Runs `act` and returns how long it took.
pub fn timed(act: impl FnOnce() -> Done<()>) -> Done<Duration> {
    let start = Instant::now();
    act()?;
    Ok(start.elapsed())
}

/// Returns the middle of the times and their sum, in microseconds.
pub fn told(mut times: Vec<Duration>) -> Value {
    let all: Duration = times.iter().sum();
    times.sort_unstable();
    let p50 = times.get(times.len() / 2).copied().unwrap_or_default();
    serde_json::json!({ "saves": times.len(), "p50_us": micros(p50), "all_us": micros(all) })
}

/// Returns the rows of a file with one JSON document a line.
pub fn rows(file: &Path) -> Done<Vec<Value>> {
    std::fs::read_to_string(file)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Returns the text of a row's field; empty where it has none.
pub fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A file of byte strings, each behind its length, each on the disk before the next.
pub struct Journal(PathBuf);

impl Journal {
    /// The one in a device's folder.
    pub fn of(folder: &Path) -> Self {
        Self(folder.join("journal"))
    }

    /// Appends and syncs.
    pub fn append(&self, bytes: &[u8]) -> Done<()> {
        use std::io::Write as _;

        let mut file = std::fs::File::options().create(true).append(true).open(&self.0)?;
        file.write_all(&[&u32::try_from(bytes.len())?.to_be_bytes(), bytes].concat())?;
        Ok(file.sync_data()?)
    }

    /// Puts one byte string in the place of all.
    pub fn replace(&self, bytes: &[u8]) -> Done<()> {
        let new = Self(self.0.with_extension("new"));
        drop(std::fs::remove_file(&new.0));
        new.append(bytes)?;
        Ok(std::fs::rename(&new.0, &self.0)?)
    }

    /// Returns all of them; none where the file is not there.
    pub fn read(&self) -> Done<Vec<Vec<u8>>> {
        let Ok(all) = std::fs::read(&self.0) else { return Ok(Vec::new()) };
        let (mut rest, mut parts) = (all.as_slice(), Vec::new());
        while let Some((length, behind)) = rest.split_first_chunk::<4>() {
            let (part, tail) =
                behind.split_at_checked(u32::from_be_bytes(*length).try_into()?).ok_or("a torn journal")?;
            parts.push(part.to_vec());
            rest = tail;
        }
        Ok(parts)
    }
}

/// A connection that carries byte strings, each behind its length: for libraries that bring no transport.
pub struct Line(std::net::TcpStream);

impl Line {
    /// Connects to `tcp://host:port`.
    pub fn to(url: &str) -> Done<Self> {
        Ok(Self(std::net::TcpStream::connect(url.rsplit('/').next().unwrap_or(url))?))
    }

    /// Sends one; an empty one means that there is nothing to say.
    pub fn send(&mut self, bytes: &[u8]) -> Done<()> {
        use std::io::Write as _;

        Ok(self.0.write_all(&[&u32::try_from(bytes.len())?.to_be_bytes(), bytes].concat())?)
    }

    /// Waits for one; `None` once the other side has closed.
    pub fn hear(&mut self) -> Done<Option<Vec<u8>>> {
        use std::io::Read as _;

        let mut length = [0; 4];
        if self.0.read_exact(&mut length).is_err() {
            return Ok(None);
        }
        let mut bytes = vec![0; u32::from_be_bytes(length).try_into()?];
        self.0.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Serves one connection after the other on a loopback port.
pub fn serve_lines(mut talk: impl FnMut(Line) -> Done<()>) -> Done<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("tcp://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        talk(Line(stream?))?;
    }
    Ok(())
}

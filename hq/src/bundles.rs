//! Requests that come by file or in another device's request, and the answers that go back the same way.
//!
//! A parcel holds a request like any other and goes the same way through [`Session`]; only its clocks and lease say
//! nothing of now.
//!
//! Source: docs/PROTOCOL.md, Bundles.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use records::id::Replica;
use sync_protocol::bundle::{
    Answered, BundleError, BundleId, BundleKind, For, Header, Part, Reader, Relayed, Writer,
};
use sync_protocol::chain::sha256;
use sync_protocol::conversation::{Answer, ReadError, RequestHash, signature_of, write_answer};
use sync_protocol::cursor::{Cursor, Incarnation};
use sync_protocol::limits::{RELAY_BYTES_MAX, inflate_max};
use sync_protocol::message::{Compared, Notice, PageEnd, PushAck};
use sync_protocol::parcel::{ParcelError, seal};
use sync_protocol::reason;
use sync_protocol::sign::{PublicKey, Signature};

use crate::keys::{self, KeysError};
use crate::session::{self, Office, Session, SessionError};
use crate::store::StoreError;
use crate::writer::NotKept;

/// Bytes read at a time.
const STEP_BYTES: usize = 64 * 1024;
/// Answers to one request, at most: what is left comes with the next bundle.
const PAGES_MAX: u32 = 10_000;

/// Why a bundle was not read. What came before it in the file stays kept.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no bundle, or not whole: nothing of it was used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// None of its parcels opens: nothing of it was used.
    #[error(transparent)]
    Parcel(#[from] ParcelError),
    /// It holds nothing for headquarters.
    #[error("the bundle is not for headquarters")]
    NotForHq,
    /// A request in it was refused.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// No random numbers for the receipt.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// A bundle that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its header.
    pub header: Header,
    /// Requests in it.
    pub requests: u32,
    /// Ops in them that were new.
    pub new_ops: u64,
    /// Ops that were not plainly accepted.
    pub exceptions: u64,
    /// Answers in the receipt.
    pub answers: u32,
    /// Requests that headquarters could make nothing of, each with why; the others were taken in.
    pub refused: Vec<Refusal>,
}

/// Why headquarters could make nothing of a request in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The parcel does not open.
    Sealed,
    /// No device has the name in it, or it is not signed by that device.
    Stranger,
    /// It does not read.
    Malformed,
}

impl Refusal {
    /// Returns the number that the receipt says it by.
    ///
    /// Source: docs/PROTOCOL.md, Reasons.
    #[must_use]
    pub const fn reason(self) -> u16 {
        match self {
            Self::Stranger => reason::SIGNATURE,
            Self::Sealed | Self::Malformed => reason::MALFORMED,
        }
    }

    /// Returns why a request was refused; the error itself where headquarters is what failed.
    fn of(error: SessionError) -> Result<Self, SessionError> {
        match error {
            SessionError::Unknown | SessionError::Read(ReadError::Signature) => Ok(Self::Stranger),
            SessionError::Read(_) | SessionError::Order => Ok(Self::Malformed),
            SessionError::Store(_)
            | SessionError::NotKept(_)
            | SessionError::Enrol(_)
            | SessionError::Later(_) => Err(error),
        }
    }
}

/// Takes in a request that another device carried, and returns what that device is told.
///
/// # Errors
/// [`SessionError`] where it could not be kept, so that it comes again.
pub fn relayed(office: &Office, sealed: &[u8]) -> Result<Relayed, SessionError> {
    let parcel = sha256(&[sealed]);
    let opened = match sealed.len() {
        0..=RELAY_BYTES_MAX => office.signer.opener().open(sealed).ok(),
        _ => None,
    };
    let Some(body) = opened else {
        return Ok(Relayed { parcel, answer: None });
    };
    let request = match Request::take(office, &body) {
        Ok(request) => request,
        Err(error) => return Refusal::of(error).map(|_| Relayed { parcel, answer: None }),
    };
    let answer = request.sealed(office).map_err(|_| NotKept)?;
    Ok(Relayed { parcel, answer: Some(answer) })
}

/// Reads a bundle and writes the receipt. Concurrent with `serve` on the same folder.
///
/// A request that headquarters can make nothing of holds up no other one; the receipt says so.
///
/// # Errors
/// [`BundleFault`].
pub fn read(office: &Office, path: &Path, receipt: &Path) -> Result<Taken, BundleFault> {
    let (mut header, mut opens, mut shut) = (None, false, None);
    walk(path, &mut |part| match part {
        Part::Header(found) if !found.readers.contains(&Replica::HQ) => Err(BundleFault::NotForHq),
        Part::Header(found) => {
            header = Some(found);
            Ok(())
        }
        Part::Parcel(For::Hq, sealed) => {
            match office.signer.opener().open(&sealed) {
                Ok(_) => opens = true,
                Err(error) => shut = Some(error),
            }
            Ok(())
        }
        Part::Parcel(For::Reader, _) => Ok(()),
    })?;
    if let Some(error) = shut.filter(|_| !opens) {
        return Err(error.into());
    }
    let header = header.ok_or(BundleError::CutShort)?;
    let mut out = Out::begin(receipt, &receipt_header(office, &header)?)?;
    let mut taken = Taken { header, requests: 0, new_ops: 0, exceptions: 0, answers: 0, refused: Vec::new() };
    walk(path, &mut |part| {
        let Part::Parcel(For::Hq, sealed) = part else { return Ok(()) };
        taken.requests += 1;
        match office.signer.opener().open(&sealed) {
            Ok(body) => take(office, &body, &mut taken, &mut out),
            Err(_) => {
                taken.refused.push(Refusal::Sealed);
                Ok(())
            }
        }
    })?;
    taken.answers = out.answers;
    out.end(office)?;
    Ok(taken)
}

/// Takes one request of a bundle in, and writes what there is to say to it.
fn take(office: &Office, body: &[u8], taken: &mut Taken, out: &mut Out<'_>) -> Result<(), BundleFault> {
    let mut request = match Request::take(office, body) {
        Ok(request) => request,
        Err(error) => {
            let refusal = Refusal::of(error)?;
            taken.refused.push(refusal);
            return refused(office, body, taken.header.key, refusal)?.map_or(Ok(()), |told| out.put(&told));
        }
    };
    taken.new_ops += request.new_ops;
    let rulings = &request.answer.ack.rulings;
    let exceptions: usize = rulings.iter().map(|ruling| ruling.exceptions.len()).sum();
    taken.exceptions += u64::try_from(exceptions).unwrap_or(u64::MAX);
    out.put(&request.sealed(office)?)?;
    while request.asks_for_news && request.answer.end.more && request.page < PAGES_MAX {
        request.turn(office)?;
        out.put(&request.sealed(office)?)?;
    }
    Ok(())
}

/// Returns the answer that says that a request was refused, sealed to the bundle's author; `None` for a request that is
/// not signed by him: he would take no answer to it.
fn refused(
    office: &Office,
    body: &[u8],
    author: PublicKey,
    refusal: Refusal,
) -> Result<Option<Vec<u8>>, BundleFault> {
    let request = RequestHash::of(body);
    let signed = |asked: &Signature| author.verifies("request", &[&request.0], asked);
    let Some(asked) = signature_of(body).filter(signed) else {
        return Ok(None);
    };
    let incarnation = incarnation(office)?;
    let ack =
        PushAck { incarnation, lease: [0; 8], held: Vec::new(), rulings: Vec::new(), digest: Compared::Not };
    let answer = Answer {
        ack,
        notices: vec![Notice::Refused(refusal.reason())],
        certificate: None,
        tells: Vec::new(),
        items: Vec::new(),
        rulings: Vec::new(),
        end: PageEnd { next: Cursor { incarnation, positions: Vec::new() }, more: false },
    };
    let answer = write_answer(&answer, request, &office.signer);
    let answered = Answered { request, asked, page: 0, answer };
    Ok(Some(seal(&answered.to_bytes(), &[author], &keys::random()?)?))
}

fn incarnation(office: &Office) -> Result<Incarnation, BundleFault> {
    let incarnation = office.writer.run(|desk| Ok::<_, StoreError>(desk.incarnation));
    Ok(incarnation.map_err(SessionError::from)?.map_err(SessionError::from)?)
}

/// A receipt that is being written.
struct Out<'a> {
    file: NewFile<'a>,
    writer: Writer,
    answers: u32,
}

impl<'a> Out<'a> {
    fn begin(path: &'a Path, header: &Header) -> Result<Self, BundleFault> {
        let mut file = NewFile::create(path)?;
        let (writer, bytes) = Writer::begin(header);
        file.write(&bytes)?;
        Ok(Self { file, writer, answers: 0 })
    }

    fn put(&mut self, sealed: &[u8]) -> Result<(), BundleFault> {
        self.answers += 1;
        self.file.write(&self.writer.parcel(For::Reader, sealed))
    }

    fn end(mut self, office: &Office) -> Result<(), BundleFault> {
        self.file.write(&self.writer.end(&office.signer))?;
        self.file.finish()
    }
}

fn receipt_header(office: &Office, work: &Header) -> Result<Header, BundleFault> {
    let incarnation = incarnation(office)?;
    Ok(Header {
        kind: BundleKind::Receipt,
        id: BundleId(keys::random()?),
        author: Replica::HQ,
        key: office.signer.public(),
        readers: vec![work.author],
        incarnation,
        created_ms: office.clock.now_ms(),
        expires_ms: 0,
        answers: Some(work.id),
        spans: Vec::new(),
    })
}

/// A request that was taken in, and the answer that goes back next.
struct Request {
    request: RequestHash,
    asked: Signature,
    key: PublicKey,
    replica: Replica,
    cursor: Cursor,
    /// A device that says how much it can take wants to hear more than an acknowledgement.
    asks_for_news: bool,
    budget: usize,
    new_ops: u64,
    page: u32,
    answer: Answer,
}

impl Request {
    fn take(office: &Office, body: &[u8]) -> Result<Self, SessionError> {
        let asked = signature_of(body).ok_or(SessionError::Order)?;
        let mut session = Session::carried(office.clone(), inflate_max(body.len()));
        session.push_last(body)?;
        let session::Answered { request, key, replica, mut cursor, answer_bytes_max, new_ops, answer } =
            session.answered()?;
        cursor.advance(&answer.end.next);
        let budget = usize::try_from(answer_bytes_max).unwrap_or(usize::MAX);
        let asks_for_news = answer_bytes_max != 1;
        Ok(Self { request, asked, key, replica, cursor, asks_for_news, budget, new_ops, page: 0, answer })
    }

    /// Returns the answer, sealed to the device that asked.
    fn sealed(&self, office: &Office) -> Result<Vec<u8>, BundleFault> {
        let answer = write_answer(&self.answer, self.request, &office.signer);
        let answered = Answered { request: self.request, asked: self.asked, page: self.page, answer };
        Ok(seal(&answered.to_bytes(), &[self.key], &keys::random()?)?)
    }

    /// Goes on in the feeds where the answer ended.
    fn turn(&mut self, office: &Office) -> Result<(), SessionError> {
        let (replica, cursor, budget) = (self.replica, self.cursor.clone(), self.budget);
        let page = office.writer.run(move |desk| {
            let mut device = desk.store.device(replica)?.ok_or(StoreError::Absent)?;
            let reader = desk.reader(&mut device, &cursor)?;
            desk.store.device_put(&device)?;
            desk.page(&reader, &cursor, budget)
        })??;
        self.page += 1;
        self.cursor.advance(&page.end.next);
        self.answer.notices.clear();
        self.answer.certificate = None;
        self.answer.tells.clear();
        self.answer.ack.rulings.clear();
        self.answer.items = page.items;
        self.answer.rulings = page.rulings;
        self.answer.end = page.end;
        Ok(())
    }
}

/// Reads a bundle to its end, gives out its parts, and checks that it is whole and signed.
fn walk(path: &Path, each: &mut dyn FnMut(Part) -> Result<(), BundleFault>) -> Result<(), BundleFault> {
    let mut file = File::open(path).map_err(|source| fault(path, source))?;
    let mut reader = Reader::default();
    let mut bytes = vec![0; STEP_BYTES];
    loop {
        let read = file.read(&mut bytes).map_err(|source| fault(path, source))?;
        if read == 0 {
            return Ok(reader.finish()?);
        }
        reader.push(bytes.get(..read).unwrap_or_default())?.into_iter().try_for_each(&mut *each)?;
    }
}

/// A file that takes its name only once it is whole and on the disk.
struct NewFile<'a> {
    path: &'a Path,
    temp: PathBuf,
    file: File,
}

impl<'a> NewFile<'a> {
    fn create(path: &'a Path) -> Result<Self, BundleFault> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let temp = path.with_file_name(name);
        let file = File::create(&temp).map_err(|source| fault(path, source))?;
        Ok(Self { path, temp, file })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BundleFault> {
        self.file.write_all(bytes).map_err(|source| fault(self.path, source))
    }

    fn finish(self) -> Result<(), BundleFault> {
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.temp, self.path))
            .map_err(|source| fault(self.path, source))
    }
}

fn fault(path: &Path, source: io::Error) -> BundleFault {
    BundleFault::File { path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests;

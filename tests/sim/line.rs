//! The line between a device and headquarters, and all that a line does to a request.

use std::cell::{Cell, RefCell};

use fieldbook::transport::{Carrier, Fault, TransportError};
use fieldbook_hq::session::SessionError;
use sync_protocol::conversation::ReadError;

use crate::dice::Dice;
use crate::office::Headquarters;

/// What the line does to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    /// It arrives, and so does its answer.
    Good,
    /// It does not arrive.
    Lost,
    /// It breaks somewhere.
    Cut,
    /// It arrives, its answer does not.
    AnswerLost,
    /// It arrives twice; the second answer is heard.
    Twice,
    /// It arrives when the device has long given up.
    Late,
    /// Its answer arrives with a bit turned.
    Bent,
    /// Headquarters is killed in the middle of it.
    Killed,
}

/// How bad a line is: the weight of each kind of luck.
pub(crate) type Weather = [(usize, Luck); 8];

/// A line on which nothing goes wrong.
pub(crate) const FAIR: Weather = [
    (1, Luck::Good),
    (0, Luck::Lost),
    (0, Luck::Cut),
    (0, Luck::AnswerLost),
    (0, Luck::Twice),
    (0, Luck::Late),
    (0, Luck::Bent),
    (0, Luck::Killed),
];

/// What is on the line, and what happened on it.
pub(crate) struct Line<'a> {
    pub(crate) hq: &'a RefCell<Headquarters>,
    pub(crate) dice: RefCell<&'a mut Dice>,
    pub(crate) weather: &'a Weather,
    /// Requests that arrive later.
    pub(crate) late: &'a RefCell<Vec<Vec<u8>>>,
    pub(crate) now_ms: u64,
    /// What happened to each request.
    pub(crate) met: RefCell<Vec<(Luck, usize)>>,
    /// Whether anything but good luck was met.
    pub(crate) broke: Cell<bool>,
}

impl<'a> Line<'a> {
    pub(crate) fn carrier(&'a self) -> Box<Carrier<'a>> {
        Box::new(|body| self.carry(body))
    }

    fn carry(&self, body: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut dice = self.dice.borrow_mut();
        let luck = dice.weighed(self.weather).unwrap_or(Luck::Good);
        self.met.borrow_mut().push((luck, body.len()));
        if luck != Luck::Good {
            self.broke.set(true);
        }
        let mut cuts: Vec<usize> = (0..dice.below(4)).map(|_| dice.below(body.len())).collect();
        cuts.sort_unstable();
        let broken = Err(TransportError::Unreachable(Fault::Broken));
        match luck {
            Luck::Good => self.ask(body, &cuts),
            Luck::Lost => broken,
            Luck::Cut => {
                let part = &body[..dice.below(body.len())];
                cuts.retain(|cut| *cut <= part.len());
                // What became of it nobody hears.
                let _ = self.hq.borrow().hears(part, &cuts, false, self.now_ms);
                broken
            }
            Luck::AnswerLost => {
                let _ = self.ask(body, &cuts);
                broken
            }
            Luck::Twice => {
                let _ = self.ask(body, &cuts);
                self.ask(body, &cuts)
            }
            Luck::Late => {
                self.late.borrow_mut().push(body.to_vec());
                Err(TransportError::Unreachable(Fault::TimedOut))
            }
            Luck::Bent => {
                let mut answer = self.ask(body, &cuts)?;
                let at = dice.below(answer.len());
                if let Some(byte) = answer.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
                Ok(answer)
            }
            Luck::Killed => {
                let part = &body[..dice.below(body.len())];
                cuts.retain(|cut| *cut <= part.len());
                let _ = self.hq.borrow().hears(part, &cuts, false, self.now_ms);
                self.hq.borrow_mut().restart();
                broken
            }
        }
    }

    fn ask(&self, body: &[u8], cuts: &[usize]) -> Result<Vec<u8>, TransportError> {
        match self.hq.borrow().hears(body, cuts, true, self.now_ms) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(TransportError::Unreachable(Fault::Broken)),
            Err(SessionError::Unknown) => Err(TransportError::Status(403)),
            Err(SessionError::Read(ReadError::Signature)) => Err(TransportError::Status(401)),
            Err(error @ (SessionError::Read(_) | SessionError::Order)) => {
                if *self.weather == FAIR {
                    eprintln!("headquarters: {error}");
                }
                Err(TransportError::Status(400))
            }
            // What its database refuses is a fault of this program, whoever asked.
            Err(error) => panic!("headquarters: {error}"),
        }
    }
}

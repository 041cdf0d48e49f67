//! The one thread that writes: it takes every job that waits, commits them together, and then answers.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use crate::intake::desk::Desk;
use crate::store::StoreError;

/// Jobs that may wait before whoever brings another one waits too.
const WAITING_MAX: usize = 256;
/// Jobs of one commit: more would keep the first one waiting.
const TOGETHER_MAX: usize = 64;

/// The writer is gone, or could not keep the job.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("it could not be kept")]
pub struct NotKept;

type Answer = Box<dyn FnOnce(bool) + Send>;
type Job = Box<dyn FnOnce(&mut Desk) -> (bool, Answer) + Send>;

/// The way to the writer; clones lead to the same one.
#[derive(Clone)]
pub struct Writer(SyncSender<Job>);

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the thread. It ends when the last clone is dropped; `trouble` is told what the database refused.
    ///
    /// # Errors
    /// Where the machine gives no thread.
    pub fn start(desk: Desk, trouble: fn(&StoreError)) -> std::io::Result<Self> {
        let (send, receive) = sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("writer".into()).spawn(move || work(desk, &receive, trouble))?;
        Ok(Self(send))
    }

    /// Does `job` at the desk and returns once it is on the disk. Blocks.
    ///
    /// # Errors
    /// [`NotKept`] where the job failed, or the commit did: then nothing of it is kept.
    pub fn run<T: Send + 'static, E: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Desk) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, NotKept> {
        let (answer, answered) = sync_channel(1);
        let job: Job = Box::new(move |desk| {
            let done = job(desk);
            let good = done.is_ok();
            let tell: Answer = Box::new(move |kept| {
                let outcome = if kept || !good { Ok(done) } else { Err(NotKept) };
                // Whoever asked may be gone; the job is kept all the same.
                drop(answer.send(outcome));
            });
            (good, tell)
        });
        self.0.send(job).map_err(|_| NotKept)?;
        answered.recv().map_err(|_| NotKept)?
    }
}

fn work(mut desk: Desk, jobs: &Receiver<Job>, trouble: fn(&StoreError)) {
    loop {
        let mut answers = Vec::new();
        let next = if desk.tray.is_empty() {
            jobs.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            jobs.try_recv()
        };
        let kept = match next {
            Ok(first) => together(&mut desk, Some(first), jobs, &mut answers),
            // Nobody waits: the clerk goes on with his tray.
            Err(TryRecvError::Empty) => together(&mut desk, None, jobs, &mut answers),
            Err(TryRecvError::Disconnected) => return,
        };
        if let Err(error) = &kept {
            // A transaction left open would refuse every later one.
            if let Err(error) = desk.store.roll_back() {
                trouble(&error);
            }
            desk.forget();
            trouble(error);
        }
        for answer in answers {
            answer(kept.is_ok());
        }
    }
}

fn together(
    desk: &mut Desk,
    first: Option<Job>,
    jobs: &Receiver<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), StoreError> {
    desk.store.begin()?;
    desk.look_around()?;
    let nobody_waits = first.is_none();
    let mut next = first;
    // What nothing stands before is taken back with the transaction: a mark would cost every job for the rare one.
    let mut alone = true;
    while let Some(job) = next {
        if !alone {
            desk.store.mark()?;
        }
        let (good, answer) = job(desk);
        answers.push(answer);
        match (good, alone) {
            (true, true) => alone = false,
            (true, false) => desk.store.keep()?,
            (false, false) => {
                desk.store.take_back()?;
                desk.forget();
            }
            (false, true) => {
                desk.store.roll_back()?;
                desk.forget();
                desk.store.begin()?;
                desk.look_around()?;
            }
        }
        next = if answers.len() < TOGETHER_MAX { jobs.try_recv().ok() } else { None };
    }
    desk.attend()?;
    if nobody_waits {
        desk.look_around_claims()?;
    }
    desk.store.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;

    #[test]
    fn a_commit_that_fails_is_told_and_the_next_job_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::at(folder.path());
        data.init("http://127.0.0.1:7400").unwrap();
        let writer = Writer::start(data.open(false).unwrap(), |_| {}).unwrap();
        // The job ends the transaction that the writer began.
        let lost = writer.run(|desk| {
            desk.store.set("a", b"1")?;
            desk.store.roll_back()
        });
        assert!(matches!(lost, Err(NotKept)));
        assert!(matches!(writer.run(|desk| desk.store.set("b", b"1")), Ok(Ok(()))));
        let store = data.open(false).unwrap().store;
        let held = |key| store.setting(key).unwrap().is_some();
        assert_eq!([held("a"), held("b")], [false, true]);
    }

    #[test]
    fn whichever_job_of_a_commit_fails_the_others_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::at(folder.path());
        data.init("http://127.0.0.1:7400").unwrap();
        for failing in 0..3 {
            let mut desk = data.open(false).unwrap();
            let (send, receive) = sync_channel(3);
            for n in 0..3 {
                let job: Job = Box::new(move |desk| {
                    let good = n != failing;
                    desk.store.set(&format!("{failing} {n}"), b"1").unwrap();
                    (good, Box::new(|kept| assert!(kept)))
                });
                send.send(job).unwrap();
            }
            let mut answers = Vec::new();
            together(&mut desk, receive.try_recv().ok(), &receive, &mut answers).unwrap();
            answers.into_iter().for_each(|answer| answer(true));
            let held = (0..3).map(|n| desk.store.setting(&format!("{failing} {n}")).unwrap().is_some());
            assert_eq!(held.collect::<Vec<_>>(), (0..3).map(|n| n != failing).collect::<Vec<_>>());
        }
    }
}

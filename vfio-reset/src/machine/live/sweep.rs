//! Configuration space of many functions, each waited for only so long.
//!
//! While the kernel resets a function, whoever reads its configuration space sleeps, for a minute and more if it does not
//! come back; so does who reads a bridge that is locked meanwhile. A child reads, therefore (see `live/fork.rs`), into
//! memory that both see. Where it comes no further, it is left at that function, and another one goes on behind it.

mod places;

use super::config;
use super::fork::{self, Child};
use crate::machine::Detail;
use places::{Filling, Places};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long a child may stay at one function before another goes on behind it; and what is waited for those that came no
/// further, whatever the patience: they may have been slow, or not had their turn on the processor.
const STEP: Duration = Duration::from_millis(50);

/// The same when somebody is known to sleep. Where one bridge is reset all below it sleep, hundreds perhaps, and each is
/// found by standing still.
const NEXT_STEP: Duration = Duration::from_millis(5);

/// How long a child may take before it reads anything at all.
const START: Duration = Duration::from_secs(10);

/// How many functions share a piece of memory, of 16 MiB and a little.
const MOST: usize = 4096;

/// What was read of a function.
#[derive(Debug)]
pub(super) enum Swept {
    /// As many bytes as are wanted, or as can be read.
    Bytes(Vec<u8>),
    /// The file could not be opened or read.
    Failed(io::Error),
    /// Nobody could read it until the time was over.
    Asleep,
}

/// Reads the `config` files with these paths below `folder`; gives what each has, in their order. For those that cannot be
/// read at once it waits for `patience`, all together; to find them takes a tenth of a second for the first and a hundredth
/// for each of the others besides.
///
/// # Errors
/// No process can be started, or none gets on. This one does not read itself: it could sleep.
pub(super) fn read(
    folder: BorrowedFd<'_>,
    paths: &[CString],
    detail: Detail,
    patience: Duration,
) -> io::Result<Vec<Swept>> {
    let begin = Instant::now();
    let mut all = Vec::with_capacity(paths.len());
    for paths in paths.chunks(MOST) {
        let swept = read_part(folder, paths, detail, begin, patience)?;
        let larger = paths.iter().zip(&swept).filter(|(_, swept)| swept.is_none());
        let larger: Vec<CString> = larger.map(|(path, _)| path.clone()).collect();
        let mut whole = match larger.is_empty() {
            true => Vec::new(),
            false => read_part(folder, &larger, Detail::All, begin, patience)?,
        }
        .into_iter()
        .flatten();
        // There is no more of a function than all.
        let killed = || Swept::Failed(io::Error::other(KILLED));
        all.extend(swept.into_iter().map(|swept| swept.or_else(|| whole.next()).unwrap_or_else(killed)));
    }
    Ok(all)
}

const KILLED: &str = "the process that reads it was killed; try again";

/// What was read; nothing of those of which more is wanted than is read for a listing.
fn read_part(
    folder: BorrowedFd<'_>,
    paths: &[CString],
    detail: Detail,
    begin: Instant,
    patience: Duration,
) -> io::Result<Vec<Option<Swept>>> {
    let places = Places::new(paths.len(), config::most(detail))?;
    let mut sleepers: Vec<(usize, Reader)> = Vec::new();
    while places.next() < paths.len() {
        // One that has come on since was only slow.
        let is_asleep =
            |(_, reader): &(usize, Reader)| reader.ends_within(Duration::ZERO).is_ok_and(|ended| !ended);
        let step = if sleepers.last().is_some_and(is_asleep) { NEXT_STEP } else { STEP };
        match Reader::start(folder, paths, detail, &places)?.watch(&places, step)? {
            Some(sleeper) => sleepers.push(sleeper),
            None => break,
        }
    }
    let found = Instant::now();
    let mut asleep = BTreeSet::new();
    for (place, reader) in sleepers {
        let grace = STEP.saturating_sub(found.elapsed());
        if reader.ends_within(patience.saturating_sub(begin.elapsed()).max(grace))? {
            reader.child.reap();
        } else {
            asleep.insert(place);
        }
    }
    let swept = |place| match places.filling(place) {
        Some(Ok(Filling::Bytes(bytes))) => Some(Swept::Bytes(bytes)),
        Some(Ok(Filling::TooMany)) => None,
        Some(Err(error)) => Some(Swept::Failed(error)),
        None if asleep.contains(&place) => Some(Swept::Asleep),
        None => Some(Swept::Failed(io::Error::other(KILLED))),
    };
    Ok((0..paths.len()).map(swept).collect())
}

/// A child that reads.
struct Reader {
    child: Child,
    /// At its end when the child is.
    end: UnixStream,
    /// The place that it begins with.
    first: usize,
}

impl Reader {
    /// Starts one for what nobody has read yet.
    fn start(folder: BorrowedFd<'_>, paths: &[CString], detail: Detail, places: &Places) -> io::Result<Self> {
        let (turn, first) = (places.turn(), places.next());
        // SAFETY: the child makes system calls, and looks at what it has read; none of that takes a lock, asks for memory
        // or panics.
        let started =
            unsafe { fork::fork(&[folder.as_raw_fd()], |_| read_all(folder, paths, detail, places, turn)) };
        let (child, end) = started.map_err(|error| {
            io::Error::new(error.kind(), format!("no process can be started that reads: {error}"))
        })?;
        Ok(Self { child, end, first })
    }

    /// Waits until it has read everything; or, when it comes no further, lets it read no more than the place where it is,
    /// and gives that.
    fn watch(self, places: &Places, step: Duration) -> io::Result<Option<(usize, Self)>> {
        let begin = Instant::now();
        let mut before = self.first;
        while !fork::is_readable(&self.end, step)? {
            let now = places.next();
            if now > self.first && now == before && places.close(now) {
                return Ok(Some((now - 1, self)));
            }
            if now == self.first && begin.elapsed() > START {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the process that reads does not get on",
                ));
            }
            before = now;
        }
        self.child.reap();
        Ok(None)
    }

    /// Waits until it has ended; whether it has.
    fn ends_within(&self, time: Duration) -> io::Result<bool> {
        fork::is_readable(&self.end, time)
    }
}

/// Reads one after the other, for as long as it is its turn. Runs in a child.
fn read_all(folder: BorrowedFd<'_>, paths: &[CString], detail: Detail, places: &Places, turn: u16) {
    while let Some(place) = places.take(turn) {
        let Some(path) = paths.get(place.number()) else { return };
        places.fill(place, |bytes| {
            let file = open(folder, path)?;
            let length = config::read_at(&file, 0, bytes)?;
            let is_enough = detail == Detail::All || config::is_enough_for_listing(&bytes[..length], &file);
            Ok(if is_enough { Filling::Bytes(length) } else { Filling::TooMany })
        });
    }
}

fn open(folder: BorrowedFd<'_>, path: &CStr) -> io::Result<File> {
    Ok(rustix::fs::openat(folder, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?.into())
}

#[cfg(test)]
mod tests;

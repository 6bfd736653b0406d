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
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long a child may stay at one function before another goes on behind it. That does no harm where the function is
/// only slow: what comes later is taken as well.
const STEP: Duration = Duration::from_millis(50);

/// How many functions share a piece of memory, of 16 MiB at most.
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
/// read at once it waits for `patience`, all together.
pub(super) fn read(
    folder: BorrowedFd<'_>,
    paths: &[CString],
    detail: Detail,
    patience: Duration,
) -> io::Result<Vec<Swept>> {
    let begin = Instant::now();
    let mut all = Vec::with_capacity(paths.len());
    for paths in paths.chunks(MOST) {
        let (mut swept, larger) = read_part(folder, paths, detail, begin, patience)?;
        let paths: Vec<CString> = larger.iter().filter_map(|&at| paths.get(at).cloned()).collect();
        let (whole, _) = read_part(folder, &paths, Detail::All, begin, patience)?;
        for (at, whole) in larger.into_iter().zip(whole) {
            swept[at] = whole;
        }
        all.extend(swept);
    }
    Ok(all)
}

/// What was read, and the places of those of which more is wanted than is read for a listing.
fn read_part(
    folder: BorrowedFd<'_>,
    paths: &[CString],
    detail: Detail,
    begin: Instant,
    patience: Duration,
) -> io::Result<(Vec<Swept>, Vec<usize>)> {
    // Pages that nobody writes to cost nothing, but those that are there must be given back.
    let places = Places::new(paths.len(), config::most(detail))?;
    let mut sleepers = Vec::new();
    while let Some(reader) = Reader::start(folder, paths, detail, &places) {
        match reader.watch(&places)? {
            Some(sleeper) => sleepers.push(sleeper),
            None => break,
        }
    }
    let mut asleep = Vec::new();
    for (place, reader) in sleepers {
        let left = patience.saturating_sub(begin.elapsed());
        if !reader.ends_within(left)? {
            asleep.push(place);
        }
    }
    let (mut swept, mut larger) = (Vec::with_capacity(paths.len()), Vec::new());
    for place in 0..paths.len() {
        swept.push(match places.taken(place) {
            Some(Ok(Filling::Bytes(bytes))) => Swept::Bytes(bytes),
            Some(Ok(Filling::TooMany)) => {
                larger.push(place);
                Swept::Asleep
            }
            Some(Err(error)) => Swept::Failed(error),
            None if asleep.contains(&place) => Swept::Asleep,
            None => Swept::Failed(io::Error::other("the process that reads ended without a word")),
        });
    }
    Ok((swept, larger))
}

/// A child that reads.
struct Reader {
    child: Child,
    /// At its end when the child is.
    end: UnixStream,
}

impl Reader {
    /// Starts one for what nobody has read yet, if there is anything.
    fn start(folder: BorrowedFd<'_>, paths: &[CString], detail: Detail, places: &Places) -> Option<Self> {
        if places.next() >= paths.len() {
            return None;
        }
        let turn = places.turn();
        let reads = || read_all(folder, paths, detail, places, turn);
        // SAFETY: the child makes system calls, and looks at what it has read; none of that takes a lock, asks for memory
        // or panics.
        match unsafe { fork::fork(&[folder.as_raw_fd()], |_| reads()) } {
            Ok((child, end)) => Some(Self { child, end }),
            // Where no process can be had, this one reads, and sleeps where it must.
            Err(_) => {
                reads();
                None
            }
        }
    }

    /// Waits until it has read everything; or, when it comes no further, lets it read no more than the place where it is,
    /// and gives that.
    fn watch(self, places: &Places) -> io::Result<Option<(usize, Self)>> {
        let mut before = places.next();
        let first = before;
        while !fork::is_readable(&self.end, STEP)? {
            let now = places.next();
            // It may not have begun yet.
            if now == before && now > first && places.close(now) {
                return Ok(Some((now - 1, self)));
            }
            before = now;
        }
        self.child.reap();
        Ok(None)
    }

    /// Waits until it has ended, or leaves it to itself; whether it has ended.
    fn ends_within(self, time: Duration) -> io::Result<bool> {
        let ended = fork::is_readable(&self.end, time)?;
        match ended {
            true => self.child.reap(),
            false => self.child.leave(),
        }
        Ok(ended)
    }
}

/// Reads one after the other, for as long as it is its turn. Runs in a child.
fn read_all(folder: BorrowedFd<'_>, paths: &[CString], detail: Detail, places: &Places, turn: u16) {
    while let Some(place) = places.take(turn) {
        let Some(path) = paths.get(place) else { return };
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
mod tests {
    use super::*;
    use rustix::fs::CWD;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};

    /// Longer than any machine needs to get on.
    const LONG: Duration = Duration::from_secs(60);

    fn c_string(path: &Path) -> CString {
        CString::new(path.as_os_str().as_bytes()).unwrap()
    }

    /// A file that whoever opens it sleeps at, for as long as this lives.
    struct Sleeper(PathBuf);

    impl Sleeper {
        fn new(path: &Path) -> Self {
            assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
            Self(path.to_path_buf())
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            // A pipe cannot be read at a place: whoever wakes up has an error.
            File::options().read(true).write(true).open(&self.0).unwrap();
        }
    }

    fn files(folder: &Path, count: usize) -> Vec<PathBuf> {
        (0..count).map(|number| folder.join(number.to_string())).collect()
    }

    fn kinds(swept: &[Swept]) -> String {
        let kind = |swept: &Swept| match swept {
            Swept::Bytes(_) => 'b',
            Swept::Failed(_) => 'f',
            Swept::Asleep => 'z',
        };
        swept.iter().map(kind).collect()
    }

    #[test]
    fn each_function_is_read_whatever_the_others_do() {
        let folder = tempfile::tempdir().unwrap();
        let paths = files(folder.path(), 7);
        for (number, path) in paths.iter().enumerate().filter(|(number, _)| ![1, 2, 4, 6].contains(number)) {
            std::fs::write(path, [number as u8; 64]).unwrap();
        }
        let _asleep = [1, 2, 6].map(|number| Sleeper::new(&paths[number]));
        let paths: Vec<CString> = paths.iter().map(|path| c_string(path)).collect();
        let swept = read(CWD, &paths, Detail::All, Duration::ZERO).unwrap();
        assert_eq!(kinds(&swept), "bzzbfbz");
        assert!(matches!(&swept[5], Swept::Bytes(bytes) if bytes == &[5; 64]), "{swept:?}");
        assert!(
            matches!(&swept[4], Swept::Failed(error) if error.kind() == io::ErrorKind::NotFound),
            "{swept:?}"
        );
    }

    #[test]
    fn who_wakes_up_in_time_is_read_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let paths = files(folder.path(), 3);
        std::fs::write(&paths[0], [0; 64]).unwrap();
        std::fs::write(&paths[2], [2; 64]).unwrap();
        let sleeper = Sleeper::new(&paths[1]);
        let c_paths: Vec<CString> = paths.iter().map(|path| c_string(path)).collect();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(5 * STEP);
                drop(sleeper);
            });
            assert_eq!(kinds(&read(CWD, &c_paths, Detail::All, LONG).unwrap()), "bfb");
        });
    }

    #[test]
    fn more_than_share_a_piece_of_memory_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, [7; 4096]).unwrap();
        let paths = vec![c_string(&path); MOST + 1];
        let swept = read(CWD, &paths, Detail::Listing, Duration::ZERO).unwrap();
        assert!(swept.len() == MOST + 1 && swept.iter().all(|one| matches!(one, Swept::Bytes(_))));
        assert_eq!(read(CWD, &[], Detail::All, Duration::ZERO).unwrap().len(), 0);
    }
}

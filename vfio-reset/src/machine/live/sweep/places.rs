//! Memory that a process and its children see, with a place for each function's configuration space.

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::ffi::c_void;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes before the first place: the word that gives them out.
const HEADER: usize = 4;
/// Bytes of a place before those of configuration space: what there is, and how many bytes or which error.
const HEAD: usize = 8;

/// What is in a place.
const NOTHING: u32 = 0;
const BYTES: u32 = 1;
const ERROR: u32 = 2;
const TOO_MANY: u32 = 3;

/// What a place is filled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filling<T> {
    /// Bytes of configuration space.
    Bytes(T),
    /// There are more of them, and they are wanted.
    TooMany,
}

/// A place that was taken. Whoever has it is alone with its bytes until they are filled in.
pub(super) struct Place(usize);

impl Place {
    /// Which one it is.
    pub(super) fn number(&self) -> usize {
        self.0
    }
}

/// The places, and whose turn it is to take them, one after the other.
///
/// Each is taken once, by whose turn it is. So nobody but its taker writes to it, and nobody else looks at it before
/// it says that it is filled.
pub(super) struct Places {
    memory: NonNull<c_void>,
    size: usize,
    count: usize,
    /// How many bytes of configuration space each has room for.
    room: usize,
}

impl Places {
    /// At most 65,535 of them, with room for so many bytes, a multiple of four.
    pub(super) fn new(count: usize, room: usize) -> io::Result<Self> {
        // Else their number would run into the turn's, and their words would not be words.
        if u16::try_from(count).is_err() || !room.is_multiple_of(4) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let size = HEADER + count * (HEAD + room);
        // SAFETY: the kernel chooses the address.
        let memory = unsafe {
            mmap_anonymous(std::ptr::null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED)
        }?;
        let memory = NonNull::new(memory).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { memory, size, count, room })
    }

    /// The next place to be taken.
    pub(super) fn next(&self) -> usize {
        usize::from(self.state().load(Ordering::Acquire) as u16)
    }

    /// Whose turn it is.
    pub(super) fn turn(&self) -> u16 {
        (self.state().load(Ordering::Acquire) >> 16) as u16
    }

    /// Takes the next place in one's turn; `None` when that is over, or there are no more.
    pub(super) fn take(&self, turn: u16) -> Option<Place> {
        let place = self.next();
        (place < self.count && self.step(turn, place, turn, place + 1)).then_some(Place(place))
    }

    /// Ends the turn unless a place has been taken since `next` was the next.
    pub(super) fn close(&self, next: usize) -> bool {
        let turn = self.turn();
        self.step(turn, next, turn.wrapping_add(1), next)
    }

    /// Fills a place with what `read` puts there; it gives the number of bytes.
    pub(super) fn fill(&self, place: Place, read: impl FnOnce(&mut [u8]) -> io::Result<Filling<usize>>) {
        let head = self.head(place.0);
        // SAFETY: the bytes lie within the memory. The place was taken, which no one else can have done, in this process
        // or another, and it says below that it is filled: nobody looks at its bytes before.
        let bytes = unsafe {
            let first = self.memory.cast::<u8>().add(head + HEAD);
            std::slice::from_raw_parts_mut(first.as_ptr(), self.room)
        };
        let (what, value) = match read(bytes) {
            Ok(Filling::Bytes(length)) => (BYTES, length as u32),
            Ok(Filling::TooMany) => (TOO_MANY, 0),
            Err(error) => (ERROR, error.raw_os_error().unwrap_or(libc::EIO) as u32),
        };
        self.word(head + 4).store(value, Ordering::Relaxed);
        self.word(head).store(what, Ordering::Release);
    }

    /// What a place was filled with; `None` if it was not.
    pub(super) fn filling(&self, place: usize) -> Option<io::Result<Filling<Vec<u8>>>> {
        let head = self.head(place);
        let what = self.word(head).load(Ordering::Acquire);
        let value = self.word(head + 4).load(Ordering::Relaxed);
        match what {
            NOTHING => None,
            ERROR => Some(Err(io::Error::from_raw_os_error(value as i32))),
            TOO_MANY => Some(Ok(Filling::TooMany)),
            _ => {
                // SAFETY: the bytes lie within the memory, and nobody writes to a place that is filled.
                let bytes = unsafe {
                    let first = self.memory.cast::<u8>().add(head + HEAD);
                    std::slice::from_raw_parts(first.as_ptr(), self.room.min(value as usize))
                };
                Some(Ok(Filling::Bytes(bytes.to_vec())))
            }
        }
    }

    fn head(&self, place: usize) -> usize {
        assert!(place < self.count, "there are no more");
        HEADER + place * (HEAD + self.room)
    }

    /// Turn and next place, in the upper and the lower half.
    fn state(&self) -> &AtomicU32 {
        self.word(0)
    }

    fn step(&self, turn: u16, place: usize, next_turn: u16, next_place: usize) -> bool {
        let word = |turn: u16, place: usize| u32::from(turn) << 16 | place as u32;
        let (before, after) = (word(turn, place), word(next_turn, next_place));
        self.state().compare_exchange(before, after, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        debug_assert!(offset + 4 <= self.size && offset.is_multiple_of(4));
        // SAFETY: it lies within the memory, which begins on a page, and is used as nothing but such a word.
        unsafe { AtomicU32::from_ptr(self.memory.cast::<u8>().add(offset).cast().as_ptr()) }
    }
}

impl Drop for Places {
    fn drop(&mut self) {
        // SAFETY: nothing that was borrowed from it is left. Children have their own.
        let _ = unsafe { munmap(self.memory.as_ptr(), self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_once_and_nobody_takes_one_out_of_turn() {
        let places = Places::new(3, 64).unwrap();
        let take = |turn| places.take(turn).map(|place| place.number());
        let first = places.turn();
        assert_eq!(take(first), Some(0));
        assert!(!places.close(0), "one was taken since");
        assert!(places.close(1));
        assert_eq!((take(first), places.next()), (None, 1));
        let second = places.turn();
        assert_eq!([(); 3].map(|()| take(second)), [Some(1), Some(2), None]);
    }

    #[test]
    fn what_a_place_is_filled_with_is_what_is_read_from_it() {
        let places = Places::new(4, 64).unwrap();
        let fill = |read: &dyn Fn(&mut [u8]) -> io::Result<Filling<usize>>| {
            places.fill(places.take(places.turn()).unwrap(), read);
        };
        fill(&|bytes| {
            bytes.fill(7);
            Ok(Filling::Bytes(2))
        });
        fill(&|_| Err(io::Error::from_raw_os_error(libc::ENODEV)));
        fill(&|bytes| {
            assert_eq!(bytes.len(), 64);
            Ok(Filling::TooMany)
        });
        assert_eq!(places.filling(0).unwrap().unwrap(), Filling::Bytes(vec![7, 7]));
        assert_eq!(places.filling(1).unwrap().unwrap_err().raw_os_error(), Some(libc::ENODEV));
        assert_eq!(places.filling(2).unwrap().unwrap(), Filling::TooMany);
        assert!(places.filling(3).is_none());
    }

    #[test]
    fn there_are_not_more_than_can_be_counted() {
        assert!(Places::new(0x1_0000, 64).is_err());
        assert!(Places::new(1, 66).is_err());
        assert!(Places::new(0xffff, 4).unwrap().filling(0xfffe).is_none());
    }
}

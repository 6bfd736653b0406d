//! What the targets have in common: a place for text, a measure of memory, and a decompressor to compare with.

use std::fmt;

use peak_alloc::PeakAlloc;

pub mod reference;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Takes text and forgets it, but for its length: formatting costs no memory, whatever an input holds.
#[derive(Debug, Default)]
pub struct Sink {
    /// Bytes that were written.
    pub length: usize,
}

impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        std::hint::black_box(text);
        self.length += text.len();
        Ok(())
    }
}

/// The length of what a value prints.
pub fn printed(value: impl fmt::Display) -> usize {
    let mut sink = Sink::default();
    fmt::write(&mut sink, format_args!("{value}")).expect("the sink takes everything");
    sink.length
}

/// Does something that may allocate so many bytes at a time, beyond what is allocated already.
pub fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let result = work();
    let used = MEMORY.peak_usage() - before;
    assert!(used <= bytes, "{used} bytes at a time: {bytes} is the bound");
    result
}

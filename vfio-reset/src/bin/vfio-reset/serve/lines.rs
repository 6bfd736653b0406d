//! Lines that a thread of its own writes: whoever has them to say never waits for a disk, a pipe or a terminal.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How much waits to be written, at most: some 300,000 lines.
const MOST: usize = 16 << 20;

/// Lines on their way to a file.
#[derive(Clone)]
pub(super) struct Lines(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    text: String,
    /// Lines that found no room, all of them after `text`.
    lost: u64,
    is_writing: bool,
    has_failed: bool,
}

impl Lines {
    /// Writes to `file` until that fails; then `failed` is told why, once.
    pub(super) fn to(
        mut file: impl Write + Send + 'static,
        failed: impl FnOnce(std::io::Error) + Send + 'static,
    ) -> std::io::Result<Self> {
        let this = Self(Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() }));
        let lines = this.clone();
        thread::Builder::new().name("lines".to_string()).spawn(move || {
            loop {
                let text = lines.next();
                // What is written together with the last line is there when the next one comes.
                let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
                lines.written(written.is_ok());
                if let Err(error) = written {
                    return failed(error);
                }
            }
        })?;
        Ok(this)
    }

    /// Adds a line. Where there is no room for it, a line will say how many were left out.
    pub(super) fn add(&self, line: &str) {
        let mut state = self.lock();
        if state.has_failed {
            return;
        }
        if state.lost > 0 || state.text.len() + line.len() > MOST {
            state.lost += 1;
        } else {
            state.text.push_str(line);
            state.text.push('\n');
        }
        drop(state);
        self.0.changed.notify_all();
    }

    /// Waits until all is written, or nothing more can be, for so long at most. Whether all was.
    pub(super) fn finish(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            let is_done = state.text.is_empty() && state.lost == 0 && !state.is_writing;
            let left = end.saturating_duration_since(Instant::now());
            if is_done || state.has_failed || left.is_zero() {
                return is_done && !state.has_failed;
            }
            let waited = self.0.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for something to write.
    fn next(&self) -> String {
        let mut state = self.lock();
        while state.text.is_empty() && state.lost == 0 {
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_writing = true;
        let mut text = std::mem::take(&mut state.text);
        match std::mem::take(&mut state.lost) {
            0 => {}
            1 => text.push_str("# 1 line is missing here: it came faster than it could be written\n"),
            lost => text.push_str(&format!(
                "# {lost} lines are missing here: they came faster than they could be written\n"
            )),
        }
        text
    }

    fn written(&self, is_good: bool) {
        let mut state = self.lock();
        state.is_writing = false;
        state.has_failed = !is_good;
        drop(state);
        self.0.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A line is there or not, whatever panicked.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A file that takes a text only when it is told to, and fails when nobody tells it any more.
    struct Slow(Receiver<()>, Sender<String>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.recv().map_err(|_| std::io::ErrorKind::StorageFull)?;
            let _ = self.1.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_adds_lines_never_waits_and_what_finds_no_room_is_counted() {
        let ((go, told), (sender, texts)) = (channel(), channel());
        let (failed, failure) = channel();
        let lines = Lines::to(Slow(told, sender), move |error| {
            let _ = failed.send(error.kind());
        })
        .unwrap();
        lines.add("first");
        // It is being written, so all that follows waits.
        while !lines.lock().is_writing {
            thread::yield_now();
        }
        let long = "x".repeat(MOST / 2 - 1);
        for _ in 0..5 {
            lines.add(&long);
        }
        assert!(!lines.finish(Duration::ZERO));
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert!(lines.finish(Duration::from_secs(60)));
        assert_eq!(texts.recv().unwrap(), "first\n");
        let rest = texts.recv().unwrap();
        // Two fill it.
        let last: Vec<&str> = rest.lines().skip(2).collect();
        assert_eq!(last, ["# 3 lines are missing here: they came faster than they could be written"]);
        drop(go);
        lines.add("the disk is full");
        assert_eq!(failure.recv().unwrap(), std::io::ErrorKind::StorageFull);
        assert!(!lines.finish(Duration::from_secs(60)), "not all was written");
    }
}

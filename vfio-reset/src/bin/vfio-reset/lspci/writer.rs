//! Standard output behind one large buffer.

use pcicfg::lspci::Text;
use std::io::{ErrorKind, StdoutLock, Write};
use vfio_reset::Error;

/// How much text is gathered before it is written.
const BUFFER: usize = 256 << 10;

/// Where the functions are printed, as text or as JSON.
pub(super) struct Writer {
    text: Text,
    stream: StdoutLock<'static>,
}

impl Writer {
    pub(super) fn new() -> Self {
        let text = Text::with_capacity(BUFFER + (64 << 10));
        Self { text, stream: std::io::stdout().lock() }
    }

    /// The text that was not written yet.
    pub(super) fn text(&mut self) -> &mut Text {
        &mut self.text
    }

    /// Writes the text once there is much of it. Whether anybody still reads.
    ///
    /// # Errors
    /// As for [`Writer::end`].
    pub(super) fn go_on(&mut self) -> Result<bool, Error> {
        if self.text.len() < BUFFER { Ok(true) } else { self.end() }
    }

    /// Writes all of the text. Whether anybody still reads: one that has gone away (`| head`) is no error.
    ///
    /// # Errors
    /// It cannot be written: the disk is full, say.
    pub(super) fn end(&mut self) -> Result<bool, Error> {
        let written = self.stream.write_all(self.text.as_bytes()).and_then(|()| self.stream.flush());
        self.text.clear();
        match written {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(source) => Err(Error::Write { path: "standard output".into(), source }),
        }
    }
}

//! Where a dump comes from: a file, a pipe or standard input, packed by gzip or not.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal as _, Read};
use std::path::Path;

/// What a file packed by gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Room for a stream that is read in small parts.
const BUFFER: usize = 256 << 10;

pub(super) struct Input {
    stream: Box<dyn Read>,
    /// How much may be unpacked; `None` of what is not packed.
    unpacked: Option<u64>,
    /// Nothing was read yet.
    fresh: bool,
    /// It can be read a second time.
    pub(super) again: bool,
}

/// What came of reading on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There may be more.
    More,
    /// That was all.
    End,
    /// That was not all, but this cannot be read.
    Lost(String),
}

impl Input {
    /// Opens a file; `unpacked` is how much of a packed one is unpacked.
    pub(super) fn open(file: &Path, unpacked: u64) -> std::io::Result<Self> {
        if file == Path::new("-") {
            let stdin = std::io::stdin().lock();
            if stdin.is_terminal() {
                eprintln!("reading a dump from the terminal; it ends with Ctrl-D");
            }
            return Self::of_stream(stdin, unpacked);
        }
        let stream = File::open(file)?;
        // Whatever is no file may be read only once: a pipe, `<(ssh host lspci -xxxx)`.
        if !stream.metadata()?.is_file() {
            return Self::of_stream(stream, unpacked);
        }
        let mut start = [0; 2];
        let length = std::os::unix::fs::FileExt::read_at(&stream, &mut start, 0)?;
        match start.get(..length) == Some(&GZIP) {
            true => Ok(Self::packed(stream, unpacked)),
            false => Ok(Self { stream: Box::new(stream), unpacked: None, fresh: true, again: true }),
        }
    }

    pub(super) fn of_stream(stream: impl Read + 'static, unpacked: u64) -> std::io::Result<Self> {
        let mut stream = BufReader::with_capacity(BUFFER, stream);
        match stream.fill_buf()?.starts_with(&GZIP) {
            true => Ok(Self::packed(stream, unpacked)),
            false => Ok(Self { stream: Box::new(stream), unpacked: None, fresh: true, again: false }),
        }
    }

    fn packed(stream: impl Read + 'static, unpacked: u64) -> Self {
        let stream = Box::new(MultiGzDecoder::new(stream));
        Self { stream, unpacked: Some(unpacked), fresh: true, again: false }
    }

    /// Appends `wanted` bytes to `text`; less only at the end.
    ///
    /// # Errors
    /// Reading failed, and not just for the rest of a packed file.
    pub(super) fn read(&mut self, wanted: usize, text: &mut Vec<u8>) -> std::io::Result<Progress> {
        let before = text.len();
        let allowed = self.unpacked.map_or(wanted as u64, |left| left.min(wanted as u64));
        let result = Read::by_ref(&mut self.stream).take(allowed).read_to_end(text);
        let read = text.len() - before;
        let fresh = std::mem::replace(&mut self.fresh, false) && read == 0;
        let Some(left) = &mut self.unpacked else {
            return result.map(|_| if read < wanted { Progress::End } else { Progress::More });
        };
        match result {
            Err(error) if fresh => return Err(error),
            Err(error) => return Ok(Progress::Lost(format!("the rest, which cannot be unpacked: {error}"))),
            Ok(_) => {}
        }
        *left -= read as u64;
        if *left > 0 {
            return Ok(if read < wanted { Progress::End } else { Progress::More });
        }
        // Whether there is more than may be.
        match self.stream.read(&mut [0]) {
            Ok(0) => Ok(Progress::End),
            _ => Ok(Progress::Lost(
                "the rest: so much is not unpacked, a small file can become huge".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_packed_text_longer_than_is_unpacked_is_not_cut_in_silence() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&[b'x'; 1000]).unwrap();
        let packed = packed.finish().unwrap();
        let read = |limit: u64, wanted: usize| {
            let mut input = Input::of_stream(std::io::Cursor::new(packed.clone()), limit).unwrap();
            let mut text = Vec::new();
            loop {
                match input.read(wanted, &mut text).unwrap() {
                    Progress::More => {}
                    end => return (text.len(), matches!(end, Progress::Lost(_))),
                }
            }
        };
        for wanted in [1, 7, 100, 1000, 5000] {
            assert_eq!(read(100, wanted), (100, true), "{wanted}");
            assert_eq!(read(999, wanted), (999, true), "{wanted}");
            assert_eq!(read(1000, wanted), (1000, false), "{wanted}");
            assert_eq!(read(1001, wanted), (1000, false), "{wanted}");
        }
    }
}

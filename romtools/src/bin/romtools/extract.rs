//! `romtools extract FILE`

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use romtools::efi::Drivers;
use romtools::{Image, LegacyImage, Rom};
use serde::Serialize;

use crate::json::DriverJson;
use crate::output::{self, Target};
use crate::{Outcome, input, json};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A ROM file, or a dump of a whole flash chip
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder to write to; it must be there
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
    /// Write also drivers that no firmware loads
    #[arg(long)]
    damaged: bool,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

/// Why something is in no file.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the image is not whole: {available:x}h of its {length:x}h bytes are there")]
    Truncated { length: usize, available: usize },
    #[error("{0}")]
    Driver(#[from] romtools::Error),
    #[error("the EFI driver is broken: {0}")]
    Broken(romtools::pe::Defect),
    #[error(transparent)]
    Output(#[from] output::Failure),
}

impl Failure {
    fn advice(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => {
                "the dump is cut short: dump it again from the device's rom file or the flash chip"
            }
            Self::Driver(error) => error.advice(),
            Self::Broken(defect) => defect.advice(),
            Self::Output(failure) => failure.advice(),
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Truncated { .. } | Self::Driver(_) | Self::Broken(_) => Outcome::Defect,
            Self::Output(_) => Outcome::FileFailed,
        }
    }
}

/// Writes every image that is whole, and the driver of every EFI image.
pub(crate) fn run(out: &mut impl Write, arguments: &Arguments, as_json: bool) -> io::Result<Outcome> {
    let path = &arguments.file;
    input::with_rom(out, path, as_json, |out, rom| {
        let mut extraction = Extraction {
            arguments,
            out,
            as_json,
            files: Vec::new(),
            outcome: Outcome::Fine,
            drivers: Drivers::new(),
        };
        extraction.rom(rom)?;
        let Extraction { files, outcome, .. } = extraction;
        if as_json {
            json::write(out, &Document { schema: json::SCHEMA, file: json::name(path), files })?;
        }
        Ok(outcome)
    })
}

struct Extraction<'a, W> {
    arguments: &'a Arguments,
    out: &'a mut W,
    as_json: bool,
    files: Vec<Extracted>,
    outcome: Outcome,
    drivers: Drivers,
}

impl<W: Write> Extraction<'_, W> {
    fn rom(&mut self, rom: &Rom<'_>) -> io::Result<()> {
        if let Some(legacy) = rom.legacy() {
            self.legacy(&legacy)?;
        }
        for (chain, images) in rom.chains().iter().enumerate() {
            for (index, image) in images.images().iter().enumerate() {
                // The names of later chains begin differently, so that no two files have the same.
                let name = match chain {
                    0 => format!("image-{index}"),
                    _ => format!("chain-{chain}-image-{index}"),
                };
                self.image(&name, image, [chain, index])?;
            }
        }
        Ok(())
    }

    fn legacy(&mut self, legacy: &LegacyImage<'_>) -> io::Result<()> {
        let bytes = whole(legacy.bytes(), legacy.length());
        let of = Of { kind: "legacy", offset: 0, chain: None, image: None };
        self.file("legacy.rom".to_string(), of, bytes.map(Cow::Borrowed), None)
    }

    fn image(&mut self, name: &str, image: &Image<'_>, [chain, index]: [usize; 2]) -> io::Result<()> {
        let of = |kind| Of { kind, offset: image.offset(), chain: Some(chain), image: Some(index) };
        let bytes = whole(image.bytes(), image.length());
        let is_whole = bytes.is_ok();
        self.file(format!("{name}.rom"), of("image"), bytes.map(Cow::Borrowed), None)?;
        // What is missing of the image is one defect, not two.
        let Some(driver) = self.drivers.driver(image).filter(|driver| is_whole || driver.is_ok()) else {
            return Ok(());
        };
        let (bytes, driver): (Result<Cow<'_, [u8]>, Failure>, _) = match driver {
            Ok(driver) => {
                let described = DriverJson::from(&driver);
                // What no firmware loads is no `.efi` file.
                let broken =
                    driver.pe().and_then(|pe| pe.defects().into_iter().find(|(_, defect)| defect.is_fatal()));
                let broken = match broken {
                    Some((_, defect)) if self.arguments.damaged => {
                        self.damaged(&self.arguments.dir.join(format!("{name}.efi")), defect)?;
                        None
                    }
                    broken => broken,
                };
                (broken.map_or(Ok(driver.bytes), |(_, defect)| Err(Failure::Broken(defect))), Some(described))
            }
            Err(error) => (Err(error.into()), None),
        };
        self.file(format!("{name}.efi"), of("driver"), bytes, driver)
    }

    /// Says that a driver is written that no firmware loads.
    fn damaged(&mut self, path: &Path, defect: romtools::pe::Defect) -> io::Result<()> {
        self.out.flush()?;
        let failure = Failure::Broken(defect);
        input::warn(format_args!("{}: {failure}\n  next: {}", path.display(), failure.advice()));
        if self.outcome == Outcome::Fine {
            self.outcome = Outcome::Defect;
        }
        Ok(())
    }

    /// Writes a file, or says why there is none.
    fn file(
        &mut self,
        name: String,
        of: Of,
        bytes: Result<Cow<'_, [u8]>, Failure>,
        driver: Option<DriverJson>,
    ) -> io::Result<()> {
        let path = self.arguments.dir.join(name);
        let written = bytes.and_then(|bytes| {
            Target { path: &path, force: self.arguments.force }.write(&[&self.arguments.file], &bytes)?;
            Ok(bytes.len())
        });
        let mut file = Extracted { path: json::name(&path), of, length: None, driver, error: None };
        match &written {
            Ok(length) => {
                file.length = Some(*length);
                if !self.as_json {
                    writeln!(self.out, "{}: {length} bytes{}", path.display(), file.what())?;
                }
            }
            Err(failure) => {
                file.error = Some(failure.to_string());
                self.out.flush()?;
                input::complain(format_args!("{}: {failure}\n  next: {}", path.display(), failure.advice()));
                // That a file could not be written says nothing about the ROM, and goes first.
                if self.outcome != Outcome::FileFailed {
                    self.outcome = failure.outcome();
                }
            }
        }
        self.files.push(file);
        Ok(())
    }
}

/// The bytes, if they are all that there should be.
fn whole(bytes: &[u8], length: usize) -> Result<&[u8], Failure> {
    if bytes.len() < length || length == 0 {
        return Err(Failure::Truncated { length, available: bytes.len() });
    }
    Ok(bytes)
}

#[derive(Serialize)]
struct Document {
    schema: u32,
    file: String,
    files: Vec<Extracted>,
}

/// What a file is taken out of.
#[derive(Serialize)]
struct Of {
    kind: &'static str,
    offset: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<usize>,
}

#[derive(Serialize)]
struct Extracted {
    path: String,
    #[serde(flatten)]
    of: Of,
    length: Option<usize>,
    #[serde(flatten)]
    driver: Option<DriverJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Extracted {
    /// ` (EFI driver for X64, decompressed)`; nothing for images.
    fn what(&self) -> String {
        let Some(driver) = &self.driver else { return String::new() };
        let machine =
            driver.machine_name.map_or_else(|| format!("machine {}", driver.machine), str::to_string);
        let how = match driver.compression {
            "none" => "",
            "tiano" => ", decompressed (Tiano variant: no firmware does that for an option ROM)",
            _ => ", decompressed",
        };
        format!(" (EFI driver for {machine}{how})")
    }
}

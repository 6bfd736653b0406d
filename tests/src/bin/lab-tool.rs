//! What the guest's scripts measure with, where busybox has nothing: config space, nanoseconds, JSON.
//!
//! It is written without the crates under test, so that a mistake there cannot hide itself here.

#[path = "lab-tool/traces.rs"]
mod traces;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

const USAGE: &str = "usage:
  lab-tool get FILE OFFSET WIDTH          print a little-endian register of 1, 2 or 4 bytes as hex
  lab-tool put FILE OFFSET WIDTH VALUE    write one
  lab-tool save FILE COPY                 copy config space, read dword by dword
  lab-tool diff A B [OFFSET:MASK]...      print the dwords that differ; ends with 1 if any does. Bits of MASK at
                                          OFFSET are not compared
  lab-tool time-write FILE TEXT           write, print how many nanoseconds it took; ends with 1 if it failed
  lab-tool time-run PROGRAM [ARGUMENT]... run silently, print nanoseconds; ends with the program's code
  lab-tool dark PORT MILLISECONDS         wait up to 10 s for the start of a bus reset by this port's Bridge Control, then
                                          make all below unreachable for this long (its bus numbers are taken away)
  lab-tool median                         the median of the numbers on standard input
  lab-tool ratio A B                      A / B with three digits, ends with 1 if it is over 1.1
  lab-tool same-accesses A B              print where two register traces first differ, of each poll the last look, and
                                          registers that hold addresses left out; ends with 1 if they do
  lab-tool same-writes TRACE MODEL FILE RUN
                                          the same for a trace's writes and those of a recorded run, windows resolved
  lab-tool json FILE POINTER [FIELD]...   the value at a JSON pointer; with fields, one line of them for each element";

type Outcome = Result<ExitCode, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["get", file, offset, width] => get(file, offset, width),
        ["put", file, offset, width, value] => put(file, offset, width, value),
        ["save", file, copy] => save(file, copy),
        ["diff", a, b, masks @ ..] => diff(a, b, masks),
        ["time-write", file, text] => time_write(file, text),
        ["time-run", program, rest @ ..] => time_run(program, rest),
        ["dark", port, milliseconds] => dark(port, milliseconds),
        ["median"] => median(),
        ["ratio", a, b] => ratio(a, b),
        ["json", file, pointer, fields @ ..] => json(file, pointer, fields),
        ["same-accesses", a, b] => same_accesses(a, b),
        ["same-writes", trace, model, file, run] => same_writes(trace, model, file, run),
        _ => Err(USAGE.to_owned()),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("lab-tool: {error}");
        ExitCode::from(99)
    })
}

/// A number in C's notation: `0x` for hex.
fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("`{text}` is no number"))
}

fn width(text: &str) -> Result<usize, String> {
    match text {
        "1" => Ok(1),
        "2" => Ok(2),
        "4" => Ok(4),
        _ => Err(format!("a register has 1, 2 or 4 bytes, not `{text}`")),
    }
}

fn told<T>(what: &str, result: std::io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error}"))
}

fn get(file: &str, offset: &str, bytes: &str) -> Outcome {
    let (offset, bytes) = (number(offset)?, width(bytes)?);
    let mut value = [0; 4];
    told(file, told(file, File::open(file))?.read_exact_at(&mut value[..bytes], offset))?;
    println!("{:01$x}", u32::from_le_bytes(value), bytes * 2);
    Ok(ExitCode::SUCCESS)
}

fn put(file: &str, offset: &str, bytes: &str, value: &str) -> Outcome {
    let (offset, bytes, value) = (number(offset)?, width(bytes)?, number(value)?);
    let file_handle = told(file, OpenOptions::new().write(true).open(file))?;
    told(file, file_handle.write_all_at(&value.to_le_bytes()[..bytes], offset))?;
    Ok(ExitCode::SUCCESS)
}

fn save(file: &str, copy: &str) -> Outcome {
    let handle = told(file, File::open(file))?;
    let mut bytes = Vec::new();
    let mut dword = [0; 4];
    while handle.read_exact_at(&mut dword, bytes.len() as u64).is_ok() {
        bytes.extend_from_slice(&dword);
    }
    told(copy, fs::write(copy, bytes))?;
    Ok(ExitCode::SUCCESS)
}

fn diff(a: &str, b: &str, masks: &[&str]) -> Outcome {
    let (left, right) = (told(a, fs::read(a))?, told(b, fs::read(b))?);
    let lines = differences(&left, &right, masks)?;
    for line in &lines {
        println!("{line}");
    }
    Ok(ExitCode::from(u8::from(!lines.is_empty())))
}

/// A line for each dword that differs in a bit that no `OFFSET:MASK` excepts.
fn differences(left: &[u8], right: &[u8], masks: &[&str]) -> Result<Vec<String>, String> {
    if left.is_empty() || left.len() != right.len() {
        return Err(format!("{} bytes cannot be compared with {}", left.len(), right.len()));
    }
    let mut ignored = Vec::new();
    for mask in masks {
        let (offset, bits) = mask.split_once(':').ok_or_else(|| format!("`{mask}` is not OFFSET:MASK"))?;
        ignored.push((number(offset)?, number(bits)? as u32));
    }
    let mut lines = Vec::new();
    for ((l, r), offset) in left.chunks_exact(4).zip(right.chunks_exact(4)).zip((0_u64..).step_by(4)) {
        let [l, r] = [l, r].map(|chunk| u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
        let skip = ignored.iter().filter(|(at, _)| *at == offset).fold(0, |bits, (_, mask)| bits | mask);
        if (l ^ r) & !skip != 0 {
            lines.push(format!("{offset:03x}: {l:08x} -> {r:08x}"));
        }
    }
    Ok(lines)
}

fn time_write(file: &str, text: &str) -> Outcome {
    let mut handle = told(file, OpenOptions::new().write(true).open(file))?;
    let start = Instant::now();
    let result = handle.write_all(text.as_bytes());
    println!("{}", start.elapsed().as_nanos());
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("{file}: {error}");
            Ok(ExitCode::from(1))
        }
    }
}

fn time_run(program: &str, arguments: &[&str]) -> Outcome {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = told(program, command.status())?;
    println!("{}", start.elapsed().as_nanos());
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(98)))
}

fn dark(port: &str, milliseconds: &str) -> Outcome {
    const BUS_NUMBERS: u64 = 0x19;
    const BRIDGE_CONTROL: u64 = 0x3e;
    const SECONDARY_BUS_RESET: u8 = 0x40;
    let length = Duration::from_millis(number(milliseconds)?);
    let handle = told(port, OpenOptions::new().read(true).write(true).open(port))?;
    let mut numbers = [0; 2];
    told(port, handle.read_exact_at(&mut numbers, BUS_NUMBERS))?;
    let end = Instant::now() + Duration::from_secs(10);
    let mut control = [0];
    while control[0] & SECONDARY_BUS_RESET == 0 {
        if Instant::now() > end {
            return Err(format!("{port}: no bus reset was seen"));
        }
        told(port, handle.read_exact_at(&mut control, BRIDGE_CONTROL))?;
        // The guest has one processor, and who resets needs it too.
        thread::sleep(Duration::from_micros(200));
    }
    told(port, handle.write_all_at(&[0xff; 2], BUS_NUMBERS))?;
    thread::sleep(length);
    told(port, handle.write_all_at(&numbers, BUS_NUMBERS))?;
    Ok(ExitCode::SUCCESS)
}

fn median() -> Outcome {
    let text = told("standard input", std::io::read_to_string(std::io::stdin()))?;
    println!("{}", median_of(&text)?);
    Ok(ExitCode::SUCCESS)
}

/// The middle one of the numbers in a text; of an even count, the mean of both.
fn median_of(text: &str) -> Result<u64, String> {
    let mut numbers = text.split_whitespace().map(number).collect::<Result<Vec<_>, _>>()?;
    numbers.sort_unstable();
    let upper = *numbers.get(numbers.len() / 2).ok_or("no numbers")?;
    let lower = numbers[(numbers.len() - 1) / 2];
    Ok(lower.midpoint(upper))
}

fn ratio(a: &str, b: &str) -> Outcome {
    let ratio = number(a)? as f64 / number(b)? as f64;
    println!("{ratio:.3}");
    Ok(ExitCode::from(u8::from(ratio > 1.1)))
}

fn same_accesses(a: &str, b: &str) -> Outcome {
    let [old, new] =
        [a, b].map(|file| told(file, fs::read_to_string(file)).map(|text| traces::folded(&text)));
    same(&old?, &new?)
}

fn same_writes(trace: &str, model: &str, file: &str, run: &str) -> Outcome {
    let recorded = traces::recorded(&told(file, fs::read_to_string(file))?, run)?;
    let done = traces::effective(&told(trace, fs::read_to_string(trace))?, &read_json(model)?)?;
    same(&recorded, &done)
}

fn same<T: PartialEq + std::fmt::Debug>(old: &[T], new: &[T]) -> Outcome {
    if old.is_empty() {
        return Err("there is nothing to compare with".to_owned());
    }
    println!("{} and {}", old.len(), new.len());
    let lines = traces::first_differences(old, new);
    for line in &lines {
        println!("{line}");
    }
    Ok(ExitCode::from(u8::from(!lines.is_empty())))
}

fn read_json(file: &str) -> Result<Value, String> {
    let text = told(file, fs::read_to_string(file))?;
    serde_json::from_str(&text).map_err(|error| format!("{file} is no JSON: {error}"))
}

fn json(file: &str, pointer: &str, fields: &[&str]) -> Outcome {
    let value = read_json(file)?;
    let found = value.pointer(pointer).ok_or_else(|| format!("{file} has nothing at `{pointer}`"))?;
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut output = std::io::stdout().lock();
    let written = if fields.is_empty() {
        writeln!(output, "{}", plain(found))
    } else {
        let rows = found.as_array().ok_or_else(|| format!("`{pointer}` is no array"))?;
        rows.iter().try_for_each(|row| {
            let cells: Vec<String> = fields.iter().map(|field| plain(&row[*field])).collect();
            writeln!(output, "{}", cells.join(" "))
        })
    };
    told("standard output", written)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named_by_dword_unless_excepted() {
        let (a, b) = ([0, 0, 0, 0, 1, 0, 0, 0x80], [0, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(differences(&a, &b, &[]).unwrap(), ["004: 80000001 -> 00000002"]);
        assert_eq!(differences(&a, &b, &["0x4:0x80000000"]).unwrap().len(), 1);
        assert!(differences(&a, &b, &["0x4:0x80000000", "4:3"]).unwrap().is_empty());
        assert!(differences(&a, &b[..4], &[]).is_err(), "different sizes are no match");
        assert!(differences(&[], &[], &[]).is_err(), "nothing is no match");
    }

    #[test]
    fn the_median_of_an_even_count_is_between() {
        assert_eq!(median_of("9 1\n5").unwrap(), 5);
        assert_eq!(median_of("1 3 5 100").unwrap(), 4);
        assert!(median_of("").is_err());
    }
}

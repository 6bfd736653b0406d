use super::*;
use asleep::Asleep;
use rustix::fs::CWD;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

#[path = "../../../../tests/live/asleep.rs"]
mod asleep;

/// Longer than a machine under load keeps somebody who does not sleep.
const SHORT: Duration = Duration::from_secs(3);

/// Longer than any machine needs to get on, and shorter than the kernel lets a file be kept.
const LONG: Duration = Duration::from_secs(40);

fn c_string(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

/// Files of 64 bytes, each with its number.
fn files(folder: &Path, count: u8) -> Vec<PathBuf> {
    let file = |number: u8| {
        let path = folder.join(number.to_string());
        std::fs::write(&path, [number; 64]).unwrap();
        path
    };
    (0..count).map(file).collect()
}

fn kinds(swept: &[Swept]) -> String {
    let kind = |swept: &Swept| match swept {
        Swept::Bytes(_) => 'b',
        Swept::Failed(_) => 'f',
        Swept::Asleep => 'z',
    };
    swept.iter().map(kind).collect()
}

fn is_number(swept: &Swept, number: u8) -> bool {
    matches!(swept, Swept::Bytes(bytes) if bytes == &[number; 64])
}

#[test]
fn each_function_is_read_whatever_the_others_do() {
    let folder = tempfile::tempdir().unwrap();
    let paths = files(folder.path(), 7);
    let _asleep = [1, 2, 6].map(|number: usize| Asleep::at(&paths[number]));
    std::fs::remove_file(&paths[4]).unwrap();
    let paths: Vec<CString> = paths.iter().map(|path| c_string(path)).collect();
    let swept = read(CWD, &paths, Detail::All, SHORT).unwrap();
    assert_eq!(kinds(&swept), "bzzbfbz");
    assert!([0, 3, 5].into_iter().all(|number| is_number(&swept[usize::from(number)], number)), "{swept:?}");
    let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    assert!(matches!(&swept[4], Swept::Failed(error) if missing(error)), "{swept:?}");
}

#[test]
fn who_wakes_up_in_time_is_read_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let paths = files(folder.path(), 4);
    let sleepers = [1, 2].map(|number: usize| Asleep::at(&paths[number]));
    let paths: Vec<CString> = paths.iter().map(|path| c_string(path)).collect();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(5 * STEP);
            drop(sleepers);
        });
        let swept = read(CWD, &paths, Detail::All, LONG).unwrap();
        assert!((0..4).all(|number| is_number(&swept[usize::from(number)], number)), "{swept:?}");
    });
}

#[test]
fn hundreds_that_sleep_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let paths = files(folder.path(), 200);
    let asleep: Vec<Asleep> = paths[50..150].iter().map(|path| Asleep::at(path)).collect();
    let paths: Vec<CString> = paths.iter().map(|path| c_string(path)).collect();
    let swept = read(CWD, &paths, Detail::Listing, SHORT).unwrap();
    assert_eq!(kinds(&swept), format!("{}{}{}", "b".repeat(50), "z".repeat(100), "b".repeat(50)));
    drop(asleep);
    assert_eq!(kinds(&read(CWD, &paths, Detail::Listing, LONG).unwrap()), "b".repeat(200));
}

#[test]
fn more_than_share_a_piece_of_memory_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    std::fs::write(&path, [7; 4096]).unwrap();
    let paths = vec![c_string(&path); MOST + 1];
    let swept = read(CWD, &paths, Detail::Listing, LONG).unwrap();
    assert_eq!(kinds(&swept), "b".repeat(MOST + 1));
    assert_eq!(read(CWD, &[], Detail::All, Duration::ZERO).unwrap().len(), 0);
}

//! The crate without its features needs neither `std` nor an allocator.
//!
//! A static library with a panic handler of its own links it: if anything brought `std` in, there would be
//! two handlers, and if anything brought `alloc` in, there would be no allocator. Both are errors of the
//! compiler.

use std::path::Path;
use std::process::Command;

const MANIFEST: &str = r#"
[package]
name = "without"
version = "0.0.0"
edition = "2024"

[lib]
crate-type = ["staticlib"]

[dependencies]
pcicfg = { path = 'PCICFG', default-features = false }

[profile.dev]
panic = "abort"

[workspace]
"#;

const SOURCE: &str = r#"
#![no_std]

use pcicfg::ConfigSpace;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// How many capabilities of a configuration space can be decoded.
#[unsafe(no_mangle)]
pub extern "C" fn decoded(bytes: &[u8; 4096]) -> usize {
    let Ok(space) = ConfigSpace::new(bytes) else { return 0 };
    let traditional = space.capabilities().flatten().filter(|entry| entry.decode().is_ok()).count();
    let extended = space.extended_capabilities().flatten().filter(|entry| entry.decode().is_ok()).count();
    traditional + extended
}
"#;

/// Builds the library in a folder of its own, with this source.
fn build(name: &str, source: &str) -> std::process::Output {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(folder.join("src")).expect("a folder for tests");
    let manifest = MANIFEST.replace("PCICFG", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("a folder for tests");
    std::fs::write(folder.join("src/lib.rs"), source).expect("a folder for tests");
    // The same versions as here, which are on this machine already.
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    if lock.exists() {
        std::fs::copy(lock, folder.join("Cargo.lock")).expect("a folder for tests");
    }
    Command::new(env!("CARGO"))
        .args(["build", "--offline", "--target-dir"])
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std-target"))
        .current_dir(&folder)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs")
}

#[test]
fn neither_std_nor_an_allocator_is_needed() {
    let output = build("no_std", SOURCE);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // The test sees what it is there to see.
    for (name, line, error) in [
        ("with_std", "extern crate std;", "panic_impl"),
        ("with_alloc", "extern crate alloc;", "no global memory allocator"),
    ] {
        let output = build(name, &SOURCE.replace("#![no_std]\n", &format!("#![no_std]\n{line}\n")));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(error), "{name}: {text}");
    }
}

//! The seeds of the fuzz targets are what the project makes.

use std::path::Path;

use benches::seeds;

#[test]
fn the_stored_seeds_are_those_that_are_made() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    for seed in seeds::all() {
        let path = folder.join(seed.target).join(&seed.name);
        let stored = std::fs::read(&path).unwrap_or_default();
        assert!(stored == seed.bytes, "{}: run `cargo run -p benches --bin fuzz-seeds`", path.display());
    }
}

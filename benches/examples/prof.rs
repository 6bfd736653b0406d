//! x
use std::hint::black_box;
use pcicfg::*;
fn only(bytes: &[u8]) -> usize {
    let Ok(space) = ConfigSpace::new(bytes) else { return 0 };
    let mut n = 0;
    for e in space.capabilities().map_while(Result::ok) { n += usize::from(black_box(e.decode()).is_ok()); }
    for e in space.extended_capabilities().map_while(Result::ok) { n += usize::from(black_box(e.decode()).is_ok()); }
    n
}
fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    if n == 0 { println!("cap {} ext {} entry {} eentry {} walk {}", size_of::<capability::Capability>(), size_of::<extended::ExtendedCapability>(), size_of::<capability::CapabilityEntry>(), size_of::<extended::ExtendedCapabilityEntry>(), size_of::<extended::ExtendedCapabilities>()); return; }
    let f = benches::corpus::functions();
    let mut f = f.clone();
    if mode.starts_with('m') { f = benches::host::functions(256).into_iter().map(|f| f.config).collect(); }
    let mode = mode.trim_start_matches('m');
    let work = match mode { "walk" => benches::work::walk as fn(&[u8])->usize, "decode" => benches::work::decode, "only" => only, "pcics"=>benches::work::pcics, _ => |_: &[u8]| 0 };
    let mut best = f64::MAX;
    for _ in 0..50 {
        let t = std::time::Instant::now();
        for _ in 0..n { for b in &f { black_box(work(black_box(b))); } }
        best = best.min(t.elapsed().as_nanos() as f64 / (n * f.len()) as f64);
    }
    println!("{mode} {best:.0} ns");
}

//! Several ways to do a thing, measured in turn, so that whatever else the machine does hits all alike.

use std::time::{Duration, Instant};

/// One of the ways.
pub struct Contender<'a> {
    /// Its name.
    pub name: &'static str,
    /// Does it once.
    pub run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    /// A way to do it.
    pub fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

impl std::fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The median time of one run of each contender, over `rounds` rounds. In each round each contender runs
/// for about `slice`, and another one is the first.
pub fn medians(contenders: &mut [Contender<'_>], rounds: usize, slice: Duration) -> Vec<Duration> {
    let repetitions: Vec<u32> = contenders.iter_mut().map(|contender| fitting(contender, slice)).collect();
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let begin = Instant::now();
            for _ in 0..repetitions[index] {
                (contenders[index].run)();
            }
            times[index].push(begin.elapsed() / repetitions[index]);
        }
    }
    times.into_iter().map(median).collect()
}

/// How often a contender runs within `slice`, at least once.
fn fitting(contender: &mut Contender<'_>, slice: Duration) -> u32 {
    (contender.run)();
    let begin = Instant::now();
    (contender.run)();
    let once = begin.elapsed().as_nanos().max(1);
    u32::try_from(slice.as_nanos() / once).unwrap_or(u32::MAX).max(1)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

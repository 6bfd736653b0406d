//! Several ways to do a thing, measured in turn, so that whatever else the machine does hits all alike.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

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

/// What one run of a contender takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The median round, by the clock on the wall.
    pub median: Duration,
    /// The best round, likewise: what a machine gives that does nothing else.
    pub best: Duration,
    /// The best round's time on the processor: without what others took in between.
    pub processor: Duration,
}

/// What each contender takes, over `rounds` rounds. In each round each contender runs for about `slice`, and
/// another one is the first.
pub fn measure(contenders: &mut [Contender<'_>], rounds: usize, slice: Duration) -> Vec<Times> {
    let repetitions: Vec<u32> = contenders.iter_mut().map(|contender| fitting(contender, slice)).collect();
    let mut walls = vec![Vec::with_capacity(rounds); contenders.len()];
    let mut processors = vec![Duration::MAX; contenders.len()];
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let (begin, busy) = (Instant::now(), on_processor());
            for _ in 0..repetitions[index] {
                (contenders[index].run)();
            }
            let busy = on_processor().saturating_sub(busy);
            walls[index].push(begin.elapsed() / repetitions[index]);
            processors[index] = processors[index].min(busy / repetitions[index]);
        }
    }
    let times = |(mut wall, processor): (Vec<Duration>, Duration)| {
        wall.sort_unstable();
        let at = |index: usize| wall.get(index).copied().unwrap_or_default();
        Times { median: at(rounds / 2), best: at(0), processor }
    };
    walls.into_iter().zip(processors).map(times).collect()
}

/// The median time of one run of each contender.
pub fn medians(contenders: &mut [Contender<'_>], rounds: usize, slice: Duration) -> Vec<Duration> {
    measure(contenders, rounds, slice).iter().map(|times| times.median).collect()
}

/// The time that this thread had on a processor.
fn on_processor() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // Neither is negative.
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How often a contender runs within `slice`, at least once.
fn fitting(contender: &mut Contender<'_>, slice: Duration) -> u32 {
    (contender.run)();
    let begin = Instant::now();
    (contender.run)();
    let once = begin.elapsed().as_nanos().max(1);
    u32::try_from(slice.as_nanos() / once).unwrap_or(u32::MAX).max(1)
}

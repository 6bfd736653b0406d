//! Reset latency in the machine's own time: that is virtual, so it is the same in every run.

use benches::resets::{self, CASES};
use std::time::Duration;
use vfio_reset::machine::simulated::{Behaviour, Simulated};
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Action, Via};
use vfio_reset::report::{Outcome, Report};

const TOLERANCE: Duration = Duration::from_millis(1);

fn verified(machine: &Simulated, action: &Action, name: &str) -> Report {
    let report = resets::run(machine, action).expect("a reset that is possible");
    assert_eq!(report.outcome, Outcome::Verified, "{name}: {report:#?}");
    report
}

#[test]
fn no_reset_takes_a_millisecond_longer_than_it_must() {
    for case in &CASES {
        let machine = resets::machine().unwrap();
        let action = case.action(&machine).unwrap();
        let report = verified(&machine, &action, case.name);
        let (floor, excess) = (resets::floor(case, &action), resets::excess(case, &action, &report));
        println!("{}: {:?}, floor {floor:?}, excess {excess:?}", case.name, report.total());
        assert!(report.total() >= floor, "{}: faster than the specification allows", case.name);
        assert!(excess <= TOLERANCE, "{}: {excess:?} over the floor: {:#?}", case.name, report.steps);
    }
}

/// A function that is late sets the floor itself. (The kernel looks less and less often; that is its own
/// affair.)
#[test]
fn a_late_function_is_seen_within_a_millisecond() {
    let late = Duration::from_millis(730);
    for case in CASES.iter().filter(|case| case.via == Via::Direct) {
        let machine = resets::machine().unwrap().with(case.address, Behaviour::ready_after(late));
        let action = case.action(&machine).unwrap();
        let report = verified(&machine, &action, case.name);
        // When the function begins to get ready: at once, after both changes of power state, or when
        // the bus is let go.
        let begins = match case.method {
            MethodName::Pm => 20,
            MethodName::Bus => 2,
            _ => 0,
        };
        let excess = report.total().saturating_sub(late + Duration::from_millis(begins));
        println!("{}: seen {excess:?} after it could answer", case.name);
        assert!(excess <= TOLERANCE, "{}: {excess:?}: {:#?}", case.name, report.steps);
    }
}

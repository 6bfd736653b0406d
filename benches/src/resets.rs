//! Resets on a simulated machine: by each method, by us and by the kernel.
//!
//! The machine's time is virtual, so how long a reset takes there is always the same; how much of the
//! processor's time the engine takes over it is what a bench measures.

use std::time::Duration;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Action, Decision, Via};
use vfio_reset::quirk::Quirks;
use vfio_reset::reset::{Options, reset};
use vfio_reset::{Error, Inventory, Plan, Report, Request, Result};

/// A function, and the way in which it is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name in tables.
    pub name: &'static str,
    /// The function.
    pub address: &'static str,
    /// The method.
    pub method: MethodName,
    /// Who does it.
    pub via: Via,
}

/// Every method that the engine knows, by us and by the kernel.
pub const CASES: [Case; 10] = {
    const fn case(name: &'static str, address: &'static str, method: MethodName, via: Via) -> Case {
        Case { name, address, method, via }
    }
    [
        case("flr, direct", "01:00.0", MethodName::Flr, Via::Direct),
        case("flr, kernel", "01:00.0", MethodName::Flr, Via::Kernel),
        case("af_flr, direct", "00:1a.0", MethodName::AfFlr, Via::Direct),
        case("af_flr, kernel", "00:1a.0", MethodName::AfFlr, Via::Kernel),
        case("pm, direct", "02:00.0", MethodName::Pm, Via::Direct),
        case("pm, kernel", "02:00.0", MethodName::Pm, Via::Kernel),
        case("bus (port of 16 GT/s), direct", "01:00.0", MethodName::Bus, Via::Direct),
        case("bus (port of 16 GT/s), kernel", "01:00.0", MethodName::Bus, Via::Kernel),
        case("bus (port of 2.5 GT/s), direct", "02:00.0", MethodName::Bus, Via::Direct),
        case("bus (port of 2.5 GT/s), kernel", "02:00.0", MethodName::Bus, Via::Kernel),
    ]
};

/// The machine with its five functions.
///
/// # Errors
/// Never, unless somebody broke its description.
pub fn machine() -> Result<Simulated> {
    Simulated::from_toml(include_str!("resets.toml"), "resets.toml")
}

impl Case {
    /// What the plan would do.
    ///
    /// # Errors
    /// When the machine cannot be read, or the plan refuses.
    pub fn action(&self, machine: &Simulated) -> Result<Action> {
        let inventory = Inventory::read(machine)?;
        let address = self.address.parse().map_err(|_| self.error("is no address"))?;
        let request = Request::new(address).method(self.method).via(self.via);
        match Plan::new(&inventory, &Quirks::built_in(), &request)?.decision {
            Decision::Act(action) => Ok(*action),
            other => Err(self.error(&format!("cannot be done: {other:?}"))),
        }
    }

    fn error(&self, message: &str) -> Error {
        Error::NoSuchMachine { name: self.name.to_string(), reason: message.to_string() }
    }
}

/// Carries an action out.
///
/// # Errors
/// When the machine refuses before anything was touched.
pub fn run(machine: &Simulated, action: &Action) -> Result<Report> {
    reset(machine, action, Options::default(), &mut |_| {})
}

/// The time that the link below the port of 16 GT/s takes to train, which is the hardware's and not in
/// the method's floor: only when it is up, the 100 ms begin.
pub const LINK_TRAINING: Duration = Duration::from_millis(20);

/// The shortest time in which a reset can be done on this machine: what its method takes, and the
/// training of a link that tells when it is up.
#[must_use]
pub fn floor(case: &Case, action: &Action) -> Duration {
    let waits_for_link = (case.method, case.address) == (MethodName::Bus, "01:00.0");
    action.floor() + if waits_for_link { LINK_TRAINING } else { Duration::ZERO }
}

/// How much longer a reset took, in the machine's time, than it must.
#[must_use]
pub fn excess(case: &Case, action: &Action, report: &Report) -> Duration {
    report.total().saturating_sub(floor(case, action))
}

//! Requests that no plan can be made for, because one wish in them rules out another.

use super::{PREFERENCE, Request, Via};
use crate::error::{Error, Result};
use crate::method::MethodName;

impl Via {
    /// Whether there is a way to have the method done so.
    #[must_use]
    pub fn offers(self, method: MethodName) -> bool {
        PREFERENCE.contains(&(self, method))
    }
}

impl Request {
    /// That no wish rules out another one. What would be ignored otherwise could be what the user relies on.
    ///
    /// # Errors
    /// [`Error::Usage`] with the options of both.
    pub(super) fn check(&self) -> Result<()> {
        let both = |first: String, second: String, why: String| {
            Err(Error::Usage { reason: format!("{first} and {second} exclude each other: {why}") })
        };
        // What implies a method or who does it comes first: the user typed that.
        if let Some(bridge) = self.bridge {
            let why = "only --method bus --via direct takes a bridge".to_string();
            match (self.method, self.via, self.vfio) {
                (Some(method), _, _) if method != MethodName::Bus => {
                    return both(format!("--bridge {bridge}"), format!("--method {method}"), why);
                }
                // It implies --via vfio, which nobody has to have typed.
                (_, _, Some(interface)) => {
                    return both(format!("--bridge {bridge}"), format!("--vfio {interface}"), why);
                }
                (_, Some(via), _) if via != Via::Direct => {
                    return both(format!("--bridge {bridge}"), format!("--via {via}"), why);
                }
                _ => {}
            }
        }
        if let Some(interface) = self.vfio {
            let why = "--vfio names an interface of VFIO's, which does vfio_reset and hot_reset".to_string();
            match (self.method, self.via) {
                (_, Some(via)) if via != Via::Vfio => {
                    return both(format!("--vfio {interface}"), format!("--via {via}"), why);
                }
                (Some(method), _) if !Via::Vfio.offers(method) => {
                    return both(format!("--vfio {interface}"), format!("--method {method}"), why);
                }
                _ => {}
            }
        }
        if let (Some(method), Some(via)) = (self.method, self.via)
            && !via.offers(method)
        {
            let who = [Via::Kernel, Via::Vfio, Via::Direct].into_iter().filter(|via| via.offers(method));
            let who: Vec<String> = who.map(|via| format!("--via {via}")).collect();
            let why = format!("{method} is there {}", who.join(" and "));
            return both(format!("--method {method}"), format!("--via {via}"), why);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::vfio::VfioInterface;

    #[test]
    fn what_rules_out_another_wish_is_an_error_that_names_both() {
        let request = || Request::new("01:00.0".parse().unwrap());
        let bridge = "00:01.0".parse().ok();
        let vfio = Some(VfioInterface::Group);
        for (first, second, wrong) in [
            ("--method hot_reset", "--via kernel", request().method(MethodName::HotReset).via(Via::Kernel)),
            ("--method flr", "--via vfio", request().method(MethodName::Flr).via(Via::Vfio)),
            ("--method vendor", "--via kernel", request().method(MethodName::Vendor).via(Via::Kernel)),
            ("--method acpi", "--via direct", request().method(MethodName::Acpi).via(Via::Direct)),
            ("--vfio group", "--via direct", Request { vfio, ..request().via(Via::Direct) }),
            ("--vfio group", "--method flr", Request { vfio, ..request().method(MethodName::Flr) }),
            (
                "--bridge 0000:00:01.0",
                "--method flr",
                Request { bridge, ..request().method(MethodName::Flr) },
            ),
            ("--bridge 0000:00:01.0", "--vfio group", Request { bridge, vfio, ..request().via(Via::Vfio) }),
            ("--bridge 0000:00:01.0", "--via kernel", Request { bridge, ..request().via(Via::Kernel) }),
        ] {
            let Err(Error::Usage { reason }) = wrong.check() else { panic!("{wrong:?}") };
            assert!(reason.contains(first) && reason.contains(second), "{reason}");
        }
        for right in [
            request(),
            Request { vfio, ..request() },
            Request { vfio, ..request().method(MethodName::HotReset).via(Via::Vfio) },
            Request { bridge, ..request().method(MethodName::Bus).via(Via::Direct) },
        ] {
            assert!(right.check().is_ok(), "{right:?}");
        }
    }

    #[test]
    fn every_method_is_done_by_somebody() {
        for method in MethodName::ALL {
            assert!(
                [Via::Kernel, Via::Vfio, Via::Direct].into_iter().any(|via| via.offers(method)),
                "{method}"
            );
        }
    }
}

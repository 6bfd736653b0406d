//! What lspci prints otherwise than we do, by name.
//!
//! Our text is that of lspci 3.14 as of 2025-12-28 (git 0f5b941). Older versions decode less, newer ones more, and every
//! version has places where it prints what happens to stand in memory. Each entry changes exactly the lines or fields
//! that it names, and says from which version on; nothing else is left out of the comparison.

mod edit;
mod memory;
mod newer;
mod older;

use self::edit::Printed;
use super::space::Function;

/// Something that some versions print otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference {
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// Which versions print it otherwise.
    concerns: Concerns,
    /// Makes of our lines of a function what those print.
    change: fn(&mut Printed<'_>),
}

/// Which versions.
#[derive(Debug, Clone, Copy)]
enum Concerns {
    All,
    Before(Version),
    From(Version),
}

/// Major and minor number; and a 1 for 3.14 with what became 3.15, which says that it is 3.14.0.
pub(crate) type Version = (u32, u32, u32);

/// What our text is.
pub(crate) const OURS: Version = (3, 14, 1);

/// The newest version whose differences are here.
pub(crate) const LAST: Version = (3, 15, u32::MAX);

/// Since when trees are made as ours is: before, bridges were hung up otherwise, and empty branches shown. That cannot be
/// told by changing lines, so hosts are compared from here on.
pub(crate) const TREES: Version = (3, 10, 0);

impl Difference {
    const fn all(name: &'static str, change: fn(&mut Printed<'_>)) -> Self {
        Self { name, concerns: Concerns::All, change }
    }

    const fn before(version: Version, name: &'static str, change: fn(&mut Printed<'_>)) -> Self {
        Self { name, concerns: Concerns::Before(version), change }
    }

    const fn from(version: Version, name: &'static str, change: fn(&mut Printed<'_>)) -> Self {
        Self { name, concerns: Concerns::From(version), change }
    }

    fn concerns(&self, version: Version) -> bool {
        match self.concerns {
            Concerns::All => true,
            Concerns::Before(first) => version < first,
            Concerns::From(first) => version >= first,
        }
    }
}

/// Those of a version of lspci. The newest come first: each entry starts from what the one before left. What stands in
/// memory comes last, when the lines of both are the same.
pub(crate) fn of(version: Version) -> Vec<Difference> {
    let all = [newer::ALL, older::ALL, memory::ALL].concat();
    all.into_iter().filter(|difference| difference.concerns(version)).collect()
}

/// Makes of our text what the other version prints; says which differences there were.
pub(crate) fn apply(
    differences: &[Difference],
    ours: &str,
    theirs: &str,
    function: &Function,
) -> (String, Vec<bool>) {
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<String>>();
    let mut printed = Printed { ours: lines(ours), theirs: lines(theirs), bytes: &function.bytes };
    let mut applied = Vec::with_capacity(differences.len());
    for difference in differences {
        let before = printed.ours.clone();
        (difference.change)(&mut printed);
        applied.push(before != printed.ours);
    }
    (printed.ours.concat(), applied)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differential::space::Address;

    #[test]
    fn our_own_version_has_only_what_stands_in_memory() {
        assert_eq!(of(OURS).len(), memory::ALL.len());
        assert_eq!(of((3, 15, 0)).len(), memory::ALL.len() + newer::ALL.len());
        assert_eq!(of((3, 9, 0)).len(), memory::ALL.len() + older::ALL.len());
    }

    #[test]
    fn older_versions_print_less() {
        let function = Function { address: Address::of(0), bytes: vec![0x20; 0x200] };
        let changed = |version, ours: &str| apply(&of(version), ours, "", &function).0;
        let flit =
            "\tCapabilities: [100 v1] Flit Logging\n\t\tLog1: x\n\t\t\ty\n\tCapabilities: [120 v1] Null\n";
        assert_eq!(
            changed((3, 13, 0), flit),
            "\tCapabilities: [100 v1] Extended Capability ID 0x32\n\tCapabilities: [120 v1] Null\n"
        );
        assert_eq!(changed(OURS, flit), flit);
        let express = "\tCapabilities: [40] Express (v2) Endpoint, IntMsgNum 17, FLIT Mode Supported\n";
        assert_eq!(
            changed((3, 13, 0), express),
            "\tCapabilities: [40] Express (v2) Endpoint, IntMsgNum 17\n"
        );
        assert_eq!(changed((3, 9, 0), express), "\tCapabilities: [40] Express (v2) Endpoint, MSI 11\n");
        let intel = "\tCapabilities: [40] Vendor Specific Information: Intel Capabilities v1\n\t\tCapA: x\n\t\t      y\n\
            \tKernel modules: z\n";
        assert_eq!(
            changed((3, 12, 0), intel),
            "\tCapabilities: [40] Vendor Specific Information: Len=20 <?>\n\tKernel modules: z\n"
        );
    }

    #[test]
    fn what_stands_in_memory_is_taken_over_and_nothing_else() {
        let function = Function { address: Address::of(0), bytes: vec![0; 64] };
        let range = |kind: &str, interleave: &str| {
            format!("\t\t\tValid- Active+ Type={kind} Class=DRAM interleave={interleave} timeout=4s\n")
        };
        let apply = |ours: &str, theirs: &str| apply(&of(OURS), ours, theirs, &function).0;
        assert_eq!(apply(&range("??3", "??11"), &range("(null)", "21902")), range("(null)", "21902"));
        assert_eq!(apply(&range("CDAT", "512"), &range("(null)", "21902")), range("CDAT", "512"));
        // Codes that have a name, or that no field has: ours is wrong, and must not pass.
        for (kind, interleave) in
            [("??2", "512"), ("??8", "512"), ("CDAT", "??7"), ("CDAT", "??32"), ("??x", "512")]
        {
            let ours = range(kind, interleave);
            assert_eq!(apply(&ours, &range("(null)", "21902")), ours);
        }
        // It crashed there, and what it had written ends anywhere.
        let ours = range("??5", "??11");
        for cut in
            ["Type=Storage Clas", "Type=Storage Class=D", "Type=Storage Class=DRAM interleave=(null) tim"]
        {
            let theirs = format!("\t\t\tValid- Active+ {cut}");
            let changed = apply(&ours, &theirs);
            assert_eq!(changed.get(..theirs.len()), Some(theirs.as_str()), "{cut}");
        }
        assert!(!apply(&range("CDAT", "512"), "\t\t\tValid- Active+ Type=Sto").contains("Sto"));
    }
}

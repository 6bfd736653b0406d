//! Access Control Services and Alternative Routing-ID Interpretation.

use super::Body;
use super::flags::{Flags, Write, bits};
use crate::config_space::word;
use crate::lspci::Text;

/// Capability and control. lspci knows neither the enhanced controls nor Intel's layout.
static ACS: Flags<7> = Flags::new(
    "\tSrcValid~ TransBlk~ ReqRedir~ CmpltRedir~ UpstreamFwd~ EgressCtrl~ DirectTrans~\n",
    [0, 1, 2, 3, 4, 5, 6],
);

pub(super) fn access_control_services(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    text.str("\t\tACSCap:").signs(&ACS, word::<0x04, _>(registers));
    text.str("\t\tACSCtl:").signs(&ACS, word::<0x06, _>(registers));
}

static ARI: Flags<2> = Flags::new("\tMFVC~ ACS~, ", [0, 1]);

pub(super) fn alternative_routing_id(text: &mut Text, body: Body<'_>) {
    let Some(registers) = body.registers::<0x08>() else { return };
    let capability = u32::from(word::<0x04, _>(registers));
    text.str("\t\tARICap:").signs(&ARI, capability);
    text.str("Next Function: ").dec(bits(capability, 8, 8).into()).end();
    let control = u32::from(word::<0x06, _>(registers));
    text.str("\t\tARICtl:").signs(&ARI, control);
    text.str("Function Group: ").dec(bits(control, 4, 3).into()).end();
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_cut_off, shown};

    #[test]
    fn acs() {
        let list = [0x0001_000d, 0x001d_005f];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Access Control Services\n\
             \t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+\n\
             \t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-\n"
        );
        assert_cut_off(&list, "");
    }

    #[test]
    fn ari() {
        let list = [0x0001_000e, 0x0052_0d02];
        assert_eq!(
            shown(&list),
            "\tCapabilities: [100 v1] Alternative Routing-ID Interpretation (ARI)\n\
             \t\tARICap:\tMFVC- ACS+, Next Function: 13\n\
             \t\tARICtl:\tMFVC- ACS+, Function Group: 5\n"
        );
        assert_cut_off(&list, "");
    }
}

//! What matters to a reset in the extended capabilities.

use super::{Findings, bytes};
use pcicfg::extended::{
    AccessControlServices, AcsControl, AdvancedErrorReporting, AtsControl, CxlPort,
    DownstreamPortContainment, DpcStatus, DpcTriggerEnable, ExtendedCapability, ExtendedCapabilityEntry,
    ReadinessTime, ReadinessTimeReporting, ResizableBar, SrIov, SrIovControl,
};
use pcicfg::registers::words;

pub(super) fn findings(entry: ExtendedCapabilityEntry<'_>) -> Findings {
    let mut findings = Findings::default();
    match entry.decode() {
        Err(truncated) => findings.notable(truncated.to_string()),
        Ok(ExtendedCapability::AdvancedErrorReporting(aer)) => error_reporting(&mut findings, aer),
        Ok(ExtendedCapability::DownstreamPortContainment(dpc)) => containment(&mut findings, dpc),
        Ok(ExtendedCapability::AccessControlServices(acs)) => access_control(&mut findings, acs),
        Ok(ExtendedCapability::SrIov(sr_iov)) => self::sr_iov(&mut findings, sr_iov),
        Ok(ExtendedCapability::ResizableBar(bars) | ExtendedCapability::VfResizableBar(bars)) => {
            resizable_bars(&mut findings, bars);
        }
        Ok(ExtendedCapability::ReadinessTimeReporting(times)) => readiness(&mut findings, times),
        Ok(ExtendedCapability::AddressTranslationServices(ats)) => {
            let enabled = ats.control().contains(AtsControl::ENABLE);
            findings.plain(if enabled { "enabled: the device caches translations" } else { "disabled" });
        }
        Ok(ExtendedCapability::DeviceSerialNumber(number)) => {
            findings.plain(number.serial_number().to_string());
        }
        Ok(ExtendedCapability::VendorSpecific(vendor)) => findings.plain(format!(
            "id {:04x}, revision {}, {} bytes",
            vendor.vsec_id(),
            vendor.vsec_revision(),
            vendor.vsec_length()
        )),
        Ok(ExtendedCapability::DesignatedVendorSpecific(vendor)) => {
            findings.plain(format!(
                "vendor {:04x}, id {:04x}, {} bytes",
                vendor.dvsec_vendor_id(),
                vendor.dvsec_id(),
                vendor.dvsec_length()
            ));
            if vendor.cxl_port().is_some_and(CxlPort::secondary_bus_reset_masked) {
                findings.notable("a CXL port that masks Secondary Bus Reset: use the cxl_bus method");
            }
        }
        Ok(_) => {}
    }
    findings
}

fn error_reporting(findings: &mut Findings, aer: AdvancedErrorReporting<'_>) {
    let uncorrectable = words(aer.uncorrectable_error_status());
    let correctable = words(aer.correctable_error_status());
    if uncorrectable.is_empty() && correctable.is_empty() {
        findings.plain("no error raised");
    }
    if !uncorrectable.is_empty() {
        findings.notable(format!("uncorrectable errors raised: {}", uncorrectable.join(", ")));
    }
    if !correctable.is_empty() {
        findings.notable(format!("correctable errors raised: {}", correctable.join(", ")));
    }
    let received = aer.root_error_status().map_or_else(Vec::new, words);
    if !received.is_empty() {
        findings.notable(format!("from below: {}", received.join(", ")));
    }
}

fn containment(findings: &mut Findings, dpc: DownstreamPortContainment<'_>) {
    findings.plain(match dpc.control().trigger_enable() {
        DpcTriggerEnable::Disabled => "off",
        DpcTriggerEnable::Fatal => "takes the link down on fatal errors",
        DpcTriggerEnable::NonFatalOrFatal => "takes the link down on non-fatal and fatal errors",
        _ => "of a reserved setting",
    });
    let status = dpc.status();
    if status.contains(DpcStatus::TRIGGER_STATUS) {
        findings.notable(format!(
            "triggered ({:?}): the link is held down until Trigger Status is cleared",
            status.trigger_reason()
        ));
    }
    if status.contains(DpcStatus::RP_BUSY) {
        findings.notable("busy with the containment");
    }
}

fn access_control(findings: &mut Findings, acs: AccessControlServices<'_>) {
    // What the kernel asks of a port before it lets functions below into groups of their own
    // (REQ_ACS_FLAGS).
    let required = AcsControl::SOURCE_VALIDATION
        | AcsControl::P2P_REQUEST_REDIRECT
        | AcsControl::P2P_COMPLETION_REDIRECT
        | AcsControl::UPSTREAM_FORWARDING;
    if acs.control().contains(required) {
        findings.plain("isolates: what is below can have IOMMU groups of its own");
    } else {
        findings.plain("does not isolate (the kernel asks for SV, RR, CR and UF)");
    }
    if acs.has_intel_layout() {
        findings.plain("laid out in Intel's own way");
    }
}

fn sr_iov(findings: &mut Findings, sr_iov: SrIov<'_>) {
    if sr_iov.control().contains(SrIovControl::VF_ENABLE) {
        findings.notable(format!(
            "{} of {} virtual functions exist: a reset of this function takes them with it",
            sr_iov.num_vfs(),
            sr_iov.total_vfs()
        ));
    } else {
        findings.plain(format!("no virtual functions, {} possible", sr_iov.total_vfs()));
    }
}

fn resizable_bars(findings: &mut Findings, bars: ResizableBar<'_>) {
    if bars.number_of_resizable_bars().is_none() {
        findings.notable("an impossible number of registers");
    }
    for entry in bars.entries() {
        let size = entry.control().bar_size().map_or_else(|| "of no valid size".to_string(), bytes);
        let largest = entry
            .supported_sizes()
            .last()
            .map_or_else(String::new, |size| format!(" of at most {}", bytes(size)));
        findings.plain(format!("BAR {} is {size}{largest}", entry.control().bar_index()));
    }
}

fn readiness(findings: &mut Findings, times: ReadinessTimeReporting<'_>) {
    if !times.valid() {
        findings.plain("not valid yet");
        return;
    }
    let time = |time: ReadinessTime| {
        time.duration().map_or_else(|| "not permitted".to_string(), |time| format!("{time:?}"))
    };
    findings.plain(format!(
        "needs after a reset {}, after link up {}, after FLR {}, from D3hot to D0 {}",
        time(times.reset_time()),
        time(times.dl_up_time()),
        time(times.flr_time()),
        time(times.d3hot_to_d0_time())
    ));
}

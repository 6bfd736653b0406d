//! What matters to a reset in the capabilities of the first 256 bytes.

use super::Findings;
use pcicfg::capability::{
    AdvancedFeatures, Capability, CapabilityEntry, DeviceStatus, Msi, MsiMessageControl, MsiX,
    MsiXMessageControl, PciExpress, PowerManagement, PowerManagementCapabilities, PowerState,
    SlotCapabilities, SlotControl, SlotStatus,
};

pub(super) fn findings(entry: CapabilityEntry<'_>) -> Findings {
    let mut findings = Findings::default();
    match entry.decode() {
        Err(truncated) => findings.notable(truncated.to_string()),
        Ok(Capability::PowerManagement(pm)) => power_management(&mut findings, pm),
        Ok(Capability::Msi(msi)) => self::msi(&mut findings, msi),
        Ok(Capability::MsiX(msi_x)) => self::msi_x(&mut findings, msi_x),
        Ok(Capability::PciExpress(express)) => pci_express(&mut findings, express),
        Ok(Capability::AdvancedFeatures(features)) => advanced_features(&mut findings, features),
        Ok(Capability::BridgeSubsystem(ids)) => {
            findings.plain(format!("subsystem {:04x}:{:04x}", ids.subsystem_vendor_id(), ids.subsystem_id()))
        }
        Ok(Capability::EnhancedAllocation(_)) => {
            findings.notable("the addresses are fixed here, not in the Base Address Registers");
        }
        Ok(_) => {}
    }
    findings
}

fn power_management(findings: &mut Findings, pm: PowerManagement<'_>) {
    let control = pm.control_status();
    match control.power_state() {
        PowerState::D0 => findings.plain("in D0"),
        state => findings.notable(format!("in {state:?}: asleep")),
    }
    if control.no_soft_reset() {
        findings
            .plain("NoSoftRst+: keeps its state through D3hot, so that the pm method would reset nothing");
    } else {
        findings.plain("NoSoftRst-: announces to be reset by D3hot and back");
    }
    if pm.capabilities().contains(PowerManagementCapabilities::IMMEDIATE_READINESS_ON_RETURN_TO_D0) {
        findings.plain("ready at once on return to D0");
    }
}

fn msi(findings: &mut Findings, msi: Msi<'_>) {
    let control = msi.message_control();
    let count = |vectors: Option<u8>| vectors.map_or_else(|| "?".to_string(), |vectors| vectors.to_string());
    if control.contains(MsiMessageControl::MSI_ENABLE) {
        findings.plain(format!(
            "enabled, {} of {} vectors",
            count(control.multiple_message_enable()),
            count(control.multiple_message_capable())
        ));
    } else {
        findings.plain("disabled");
    }
}

fn msi_x(findings: &mut Findings, msi_x: MsiX<'_>) {
    let control = msi_x.message_control();
    let state = match (
        control.contains(MsiXMessageControl::MSI_X_ENABLE),
        control.contains(MsiXMessageControl::FUNCTION_MASK),
    ) {
        (true, false) => "enabled",
        (true, true) => "enabled, all masked",
        (false, _) => "disabled",
    };
    let vectors = control.table_size();
    let table = msi_x.table();
    findings.plain(format!(
        "{state}, {vectors} {} in BAR {} at {:x}",
        if vectors == 1 { "vector" } else { "vectors" },
        table.bar_index(),
        table.offset()
    ));
}

fn pci_express(findings: &mut Findings, express: PciExpress<'_>) {
    findings.plain(
        express.device_port_type().name().map_or_else(|| "of a reserved type".to_string(), str::to_string),
    );
    if express.function_level_reset_capable() {
        findings.plain("FLReset+: Function Level Reset is announced");
    } else if !express.device_port_type().is_downstream_port() {
        findings.plain("FLReset-: no Function Level Reset");
    }
    if express.transactions_pending() {
        findings.notable("transactions pending: requests wait for their completion");
    }
    errors(findings, express.device_status());
    slot(findings, express);
    if express.rrs_software_visibility_enabled() {
        findings.plain("RRS is visible: what is not ready below reads vendor 0001");
    }
}

fn errors(findings: &mut Findings, status: DeviceStatus) {
    let seen: Vec<&str> = [
        (DeviceStatus::CORRECTABLE_ERROR_DETECTED, "correctable error"),
        (DeviceStatus::NON_FATAL_ERROR_DETECTED, "non-fatal error"),
        (DeviceStatus::FATAL_ERROR_DETECTED, "fatal error"),
        (DeviceStatus::UNSUPPORTED_REQUEST_DETECTED, "unsupported request"),
    ]
    .into_iter()
    .filter(|(bit, _)| status.contains(*bit))
    .map(|(_, name)| name)
    .collect();
    if !seen.is_empty() {
        findings.notable(format!("seen since they were last cleared: {}", seen.join(", ")));
    }
}

fn slot(findings: &mut Findings, express: PciExpress<'_>) {
    let (Some(capabilities), Some(control), Some(status)) =
        (express.slot_capabilities(), express.slot_control(), express.slot_status())
    else {
        return;
    };
    let hot_plug = match (
        capabilities.contains(SlotCapabilities::HOT_PLUG_CAPABLE),
        capabilities.contains(SlotCapabilities::HOT_PLUG_SURPRISE),
    ) {
        (true, true) => "hot-plug, surprise removal",
        (true, false) => "hot-plug",
        (false, _) => "no hot-plug",
    };
    let present = status.contains(SlotStatus::PRESENCE_DETECT_STATE);
    findings.plain(format!(
        "slot {}: {hot_plug}, {}",
        capabilities.physical_slot_number(),
        if present { "occupied" } else { "empty" }
    ));
    match express.slot_power_on() {
        Some(true) => findings.plain("slot power on"),
        Some(false) => findings.notable("slot power off: whatever is in it reads all-ones"),
        None => {}
    }
    let notified = control.intersection(SlotControl::NOTIFICATION_ENABLES);
    if !notified.is_empty() && control.contains(SlotControl::HOT_PLUG_INTERRUPT_ENABLE) {
        findings.plain("hot-plug events are reported to the kernel");
    }
}

fn advanced_features(findings: &mut Findings, features: AdvancedFeatures<'_>) {
    if features.function_level_reset_capable() {
        findings.plain("Function Level Reset is announced");
    } else {
        findings.plain("no Function Level Reset");
    }
    if features.transactions_pending() {
        findings.notable("transactions pending: requests wait for their completion");
    }
}

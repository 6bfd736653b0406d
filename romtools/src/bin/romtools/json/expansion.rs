//! What a PC-AT or Open Firmware header leads to, as JSON.

use romtools::expansion::pxe::{IpxeHeader, UndiRomId};
use romtools::expansion::{Headers, PnpHeader, Stop};
use romtools::image::BLOCK;
use romtools::open_firmware::Fcode;
use serde::Serialize;

use super::hex;

/// The headers that there are, and why there are no more.
#[derive(Serialize)]
pub(super) struct PnpHeaders {
    headers: Vec<PnpHeaderJson>,
    /// `end`, or why the walk ended elsewhere.
    stop: &'static str,
}

impl PnpHeaders {
    pub(super) fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }
}

impl From<Headers<'_>> for PnpHeaders {
    fn from(mut headers: Headers<'_>) -> Self {
        let read = headers.by_ref().map(|header| PnpHeaderJson::from(&header)).collect();
        let stop = match headers.stop() {
            None | Some(Stop::End) => "end",
            Some(Stop::Outside { .. }) => "outside",
            Some(Stop::Loop { .. }) => "loop",
            Some(Stop::TooMany { .. }) => "too-many",
            Some(_) => "not-pnp",
        };
        Self { headers: read, stop }
    }
}

#[derive(Serialize)]
struct PnpHeaderJson {
    offset: u16,
    revision: u8,
    length: usize,
    /// 0 where it is right; `null` where the header is not wholly in the image.
    sum: Option<u8>,
    device_id: Option<String>,
    manufacturer_name: Option<String>,
    product_name: Option<String>,
    device_type: String,
    device_indicators: u8,
    boot_connection_vector: u16,
    disconnect_vector: u16,
    bootstrap_entry_vector: u16,
    static_resource_information_vector: u16,
}

impl From<&PnpHeader<'_>> for PnpHeaderJson {
    fn from(header: &PnpHeader<'_>) -> Self {
        let text = |name: Option<&[u8]>| name.map(|name| String::from_utf8_lossy(name).into_owned());
        Self {
            offset: header.offset,
            revision: header.revision,
            length: 16 * usize::from(header.length),
            sum: header.sum(),
            device_id: (!header.device_id.is_none()).then(|| header.device_id.to_string()),
            manufacturer_name: text(header.manufacturer_name()),
            product_name: text(header.product_name()),
            device_type: header.device_type.to_string(),
            device_indicators: header.indicators.0,
            boot_connection_vector: header.boot_connection_vector,
            disconnect_vector: header.disconnect_vector,
            bootstrap_entry_vector: header.bootstrap_entry_vector,
            static_resource_information_vector: header.static_resource_information_vector,
        }
    }
}

#[derive(Serialize)]
pub(super) struct UndiJson {
    offset: u16,
    length: u8,
    sum: Option<u8>,
    undi_revision: String,
    loader: u16,
    stack_size: u16,
    data_size: u16,
    code_size: u16,
    bus_type: String,
}

impl From<UndiRomId> for UndiJson {
    fn from(undi: UndiRomId) -> Self {
        Self {
            offset: undi.offset,
            length: undi.length,
            sum: undi.sum,
            undi_revision: undi.undi_revision.map(|number| number.to_string()).join("."),
            loader: undi.loader,
            stack_size: undi.stack_size,
            data_size: undi.data_size,
            code_size: undi.code_size,
            bus_type: String::from_utf8_lossy(&undi.bus_type).into_owned(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct IpxeJson {
    offset: u16,
    length: u8,
    sum: Option<u8>,
    shrunk_length: usize,
    build_id: String,
}

impl From<IpxeHeader> for IpxeJson {
    fn from(ipxe: IpxeHeader) -> Self {
        Self {
            offset: ipxe.offset,
            length: ipxe.length,
            sum: ipxe.sum,
            shrunk_length: usize::from(ipxe.shrunk_length) * BLOCK,
            build_id: hex(&ipxe.build_id.to_be_bytes()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct FcodeJson {
    start: u8,
    start_name: Option<&'static str>,
    format: u8,
    length: u32,
    checksum: u16,
    /// `null` where the program is not wholly in the image.
    sum: Option<u16>,
}

impl From<Fcode> for FcodeJson {
    fn from(fcode: Fcode) -> Self {
        Self {
            start: fcode.start,
            start_name: fcode.start_name(),
            format: fcode.format,
            length: fcode.length,
            checksum: fcode.checksum,
            sum: fcode.sum,
        }
    }
}

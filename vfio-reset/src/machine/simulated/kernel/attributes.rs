//! The attributes of a function that user space reads and writes.

use super::methods::Method;
use super::{State, path};
use crate::error::{Error, Result};
use crate::machine::Attribute;
use crate::method::METHODS;
use pcicfg::Address;
use std::io;

impl State {
    /// Reads an attribute.
    pub(in super::super) fn attribute(
        &self,
        address: Address,
        attribute: Attribute,
    ) -> Result<Option<String>> {
        let Some(device) = self.kernel.devices.get(&address) else { return Ok(None) };
        Ok(Some(match attribute {
            Attribute::ResetMethod => {
                return Ok(device.reset_methods.as_ref().map(|methods| methods.join(" ")));
            }
            Attribute::PowerControl => if device.auto_suspend { "auto" } else { "on" }.into(),
            Attribute::PowerState => device.power_state.clone(),
            Attribute::D3coldAllowed => u8::from(device.d3cold_allowed).to_string(),
            Attribute::DriverOverride => device.driver_override.clone().unwrap_or_else(|| "(null)".into()),
            Attribute::Remove | Attribute::Rescan => {
                let denied = io::Error::from_raw_os_error(libc::EACCES);
                return Err(Error::read(path(address, attribute.path()), denied));
            }
        }))
    }

    /// Writes an attribute.
    pub(in super::super) fn set_attribute(
        &mut self,
        address: Address,
        attribute: Attribute,
        value: &str,
    ) -> Result<()> {
        let refused =
            |errno| Error::write(path(address, attribute.path()), io::Error::from_raw_os_error(errno));
        let value = value.trim();
        self.wait_for_lock(address);
        let flag = || match value {
            "0" | "n" | "N" | "off" => Ok(false),
            "1" | "y" | "Y" | "on" => Ok(true),
            _ => Err(refused(libc::EINVAL)),
        };
        match attribute {
            Attribute::ResetMethod => self.set_reset_methods(address, value).map_err(refused)?,
            Attribute::PowerControl => {
                let auto = match value {
                    "auto" => true,
                    "on" => false,
                    _ => return Err(refused(libc::EINVAL)),
                };
                if let Some(device) = self.kernel.devices.get_mut(&address) {
                    device.auto_suspend = auto;
                }
                if auto { self.suspend_if_idle(address) } else { self.resume(address) }
            }
            Attribute::PowerState => return Err(refused(libc::EACCES)),
            Attribute::D3coldAllowed => {
                let allowed = flag()?;
                if let Some(device) = self.kernel.devices.get_mut(&address) {
                    device.d3cold_allowed = allowed;
                }
            }
            Attribute::DriverOverride => {
                if let Some(device) = self.kernel.devices.get_mut(&address) {
                    device.driver_override = (!value.is_empty()).then(|| value.to_string());
                }
            }
            Attribute::Remove => {
                if flag()? {
                    self.remove(address);
                }
            }
            Attribute::Rescan => {
                if flag()? {
                    self.rescan_bus_of(address);
                }
            }
        }
        Ok(())
    }

    /// `reset_method_store`: each name is probed anew, and the list stays if one is refused.
    fn set_reset_methods(&mut self, address: Address, value: &str) -> std::result::Result<(), i32> {
        let device = self.kernel.devices.get(&address).cloned().ok_or(libc::ENODEV)?;
        if device.reset_methods.is_none() {
            return Err(libc::ENOENT);
        }
        let methods = if value.is_empty() {
            self.log(address, "All device reset methods disabled by user");
            Vec::new()
        } else if value == "default" {
            self.supported_methods(address, &device)
        } else {
            let mut methods = Vec::new();
            for name in value.split_whitespace() {
                let Some(method) = name.parse::<Method>().ok().filter(|method| method.is_listed()) else {
                    self.log(address, &format!("Invalid reset method '{name}'"));
                    return Err(libc::EINVAL);
                };
                if !self.supports(address, &device, method) {
                    self.log(address, &format!("Unsupported reset method '{name}'"));
                    return Err(libc::EINVAL);
                }
                if methods.len() == METHODS.len() {
                    self.log(address, "Too many reset methods");
                    return Err(libc::EINVAL);
                }
                methods.push(method);
            }
            methods
        };
        if let Some(device) = self.kernel.devices.get_mut(&address) {
            device.reset_methods = Some(methods.iter().map(|method| method.to_string()).collect());
        }
        Ok(())
    }
}

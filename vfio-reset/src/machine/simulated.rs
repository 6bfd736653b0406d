//! stub
use super::*;
use crate::error::Result;
use std::path::Path;
/// stub
pub struct Simulated;
impl Simulated {
    /// stub
    pub fn open(_: &str) -> Result<Self> {
        Ok(Self)
    }
    /// stub
    pub fn names() -> &'static [&'static str] {
        &[]
    }
    /// stub
    pub fn load_state(&self, _: &str, _: &Path) -> Result<()> {
        Ok(())
    }
    /// stub
    pub fn save_state(&self) -> String {
        String::new()
    }
}
impl Machine for Simulated {
    fn kind(&self) -> MachineKind {
        unimplemented!()
    }
    fn name(&self) -> String {
        unimplemented!()
    }
    fn host(&self) -> Result<HostFacts> {
        unimplemented!()
    }
    fn functions(&self) -> Result<Vec<Address>> {
        unimplemented!()
    }
    fn facts(&self, _: Address) -> Result<FunctionFacts> {
        unimplemented!()
    }
    fn users(&self, _: Address) -> Result<Vec<DeviceUser>> {
        unimplemented!()
    }
    fn config(&self, _: Address) -> Result<Vec<u8>> {
        unimplemented!()
    }
    fn read_config(&self, _: Address, _: u16, _: &mut [u8]) -> Result<()> {
        unimplemented!()
    }
    fn write_config(&self, _: Address, _: u16, _: &[u8]) -> Result<()> {
        unimplemented!()
    }
    fn attribute(&self, _: Address, _: Attribute) -> Result<Option<String>> {
        unimplemented!()
    }
    fn set_attribute(&self, _: Address, _: Attribute, _: &str) -> Result<()> {
        unimplemented!()
    }
    fn kernel_reset(&self, _: Address, _: Duration) -> Result<KernelReset> {
        unimplemented!()
    }
    fn kernel_log_mark(&self) -> LogMark {
        unimplemented!()
    }
    fn kernel_log(&self, _: LogMark) -> Result<Vec<LogLine>> {
        unimplemented!()
    }
    fn clock(&self) -> &dyn Clock {
        unimplemented!()
    }
}

//! The registers of the CXL capabilities, and what their bits mean.

use bitflags::bitflags;
use core::time::Duration;

bitflags! {
    /// CXL Capability, offset 0Ah.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlCapability: u16 {
        /// CXL.cache.
        const CACHE_CAPABLE = 1 << 0;
        /// CXL.io.
        const IO_CAPABLE = 1 << 1;
        /// CXL.mem.
        const MEM_CAPABLE = 1 << 2;
        /// Memory comes up by hardware and firmware alone.
        const MEM_HW_INIT_MODE = 1 << 3;
        /// The cache can be emptied on demand.
        const CACHE_WRITEBACK_AND_INVALIDATE_CAPABLE = 1 << 6;
        /// The CXL reset exists.
        const CXL_RESET_CAPABLE = 1 << 7;
        /// A CXL reset can clear volatile memory.
        const CXL_RESET_MEM_CLEAR_CAPABLE = 1 << 11;
        /// The device is several logical ones.
        const MULTIPLE_LOGICAL_DEVICE = 1 << 13;
        /// Viral containment.
        const VIRAL_CAPABLE = 1 << 14;
        /// The device tells when it can be used.
        const PM_INIT_COMPLETION_REPORTING_CAPABLE = 1 << 15;
        const _ = !0;
    }

    /// CXL Control, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlControl: u16 {
        /// CXL.cache.
        const CACHE_ENABLE = 1 << 0;
        /// CXL.io.
        const IO_ENABLE = 1 << 1;
        /// CXL.mem.
        const MEM_ENABLE = 1 << 2;
        /// The host need not hear of clean lines that are dropped.
        const CACHE_CLEAN_EVICTION = 1 << 11;
        /// Viral containment.
        const VIRAL_ENABLE = 1 << 14;
        const _ = !0;
    }

    /// CXL Status, offset 0Eh.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlStatus: u16 {
        /// The device is in viral; write 1 to clear.
        const VIRAL_STATUS = 1 << 14;
        const _ = !0;
    }

    /// CXL Control 2, offset 10h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlControl2: u16 {
        /// The device caches no more.
        const DISABLE_CACHING = 1 << 0;
        /// Writing 1 empties the cache; reads 0.
        const INITIATE_CACHE_WRITE_BACK_AND_INVALIDATION = 1 << 1;
        /// Writing 1 begins a CXL reset; reads 0.
        const INITIATE_CXL_RESET = 1 << 2;
        /// A CXL reset clears volatile memory.
        const CXL_RESET_MEM_CLEAR_ENABLE = 1 << 3;
        /// Volatile memory is kept by a hot reset.
        const DESIRED_VOLATILE_HDM_STATE_AFTER_HOT_RESET = 1 << 4;
        const _ = !0;
    }

    /// CXL Status 2, offset 12h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlStatus2: u16 {
        /// The cache holds nothing.
        const CACHE_INVALID = 1 << 0;
        /// The last CXL reset is done.
        const CXL_RESET_COMPLETE = 1 << 1;
        /// The last CXL reset failed.
        const CXL_RESET_ERROR = 1 << 2;
        /// The device can be used.
        const POWER_MANAGEMENT_INITIALIZATION_COMPLETE = 1 << 15;
        const _ = !0;
    }

    /// CXL Capability 2, offset 16h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlCapability2: u16 {
        const _ = !0;
    }

    /// CXL Capability 3, offset 38h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlCapability3: u16 {
        /// Volatile memory has a value after a cold reset.
        const DEFAULT_VOLATILE_HDM_STATE_AFTER_COLD_RESET = 1 << 0;
        /// Volatile memory has a value after a warm reset.
        const DEFAULT_VOLATILE_HDM_STATE_AFTER_WARM_RESET = 1 << 1;
        /// Volatile memory has a value after a hot reset.
        const DEFAULT_VOLATILE_HDM_STATE_AFTER_HOT_RESET = 1 << 2;
        /// That can be chosen.
        const VOLATILE_HDM_STATE_AFTER_HOT_RESET_CONFIGURABLE = 1 << 3;
        const _ = !0;
    }

    /// DVSEC CXL Range Size Low.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlRangeSizeLow: u32 {
        /// What is said here means something.
        const MEMORY_INFO_VALID = 1 << 0;
        /// The memory can be used.
        const MEMORY_ACTIVE = 1 << 1;
        const _ = !0;
    }

    /// CXL Port Status, offset 0Ah.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlPortStatus: u16 {
        /// The port can be used.
        const POWER_MANAGEMENT_INITIALIZATION_COMPLETE = 1 << 0;
        /// The port is in viral; write 1 to clear.
        const VIRAL_STATUS = 1 << 14;
        const _ = !0;
    }

    /// A time of Global Persistent Flush.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlGpfTime: u16 {
        const _ = !0;
    }

    /// DVSEC Flex Bus Port Capability, offset 0Ah.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlFlexBusCapability: u16 {
        /// CXL.cache.
        const CACHE_CAPABLE = 1 << 0;
        /// CXL.io.
        const IO_CAPABLE = 1 << 1;
        /// CXL.mem.
        const MEM_CAPABLE = 1 << 2;
        /// 68-byte flits, and virtual hierarchies.
        const CXL_68B_FLIT_AND_VH_CAPABLE = 1 << 5;
        /// Several logical devices.
        const MULTI_LOGICAL_DEVICE_CAPABLE = 1 << 6;
        /// 256-byte flits of low latency.
        const LATENCY_OPTIMIZED_256B_FLIT_CAPABLE = 1 << 13;
        /// Flits for port based routing.
        const PBR_FLIT_CAPABLE = 1 << 14;
        const _ = !0;
    }

    /// DVSEC Flex Bus Port Control, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlFlexBusControl: u16 {
        /// CXL.cache.
        const CACHE_ENABLE = 1 << 0;
        /// CXL.io.
        const IO_ENABLE = 1 << 1;
        /// CXL.mem.
        const MEM_ENABLE = 1 << 2;
        /// Sync headers are left out.
        const SYNC_HEADER_BYPASS_ENABLE = 1 << 3;
        /// The drift buffer is in use.
        const DRIFT_BUFFER_ENABLE = 1 << 4;
        /// 68-byte flits, and virtual hierarchies.
        const CXL_68B_FLIT_AND_VH_ENABLE = 1 << 5;
        /// Several logical devices.
        const MULTI_LOGICAL_DEVICE_ENABLE = 1 << 6;
        /// No training as a restricted device.
        const DISABLE_RCD_TRAINING = 1 << 7;
        /// A retimer.
        const RETIMER_1_PRESENT = 1 << 8;
        /// A second retimer.
        const RETIMER_2_PRESENT = 1 << 9;
        /// 256-byte flits of low latency.
        const LATENCY_OPTIMIZED_256B_FLIT_ENABLE = 1 << 13;
        /// Flits for port based routing.
        const PBR_FLIT_ENABLE = 1 << 14;
        const _ = !0;
    }

    /// DVSEC Flex Bus Port Status, offset 0Eh.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CxlFlexBusStatus: u16 {
        /// CXL.cache.
        const CACHE_ENABLED = 1 << 0;
        /// CXL.io.
        const IO_ENABLED = 1 << 1;
        /// CXL.mem.
        const MEM_ENABLED = 1 << 2;
        /// Sync headers are left out.
        const SYNC_HEADER_BYPASS_ENABLED = 1 << 3;
        /// The drift buffer is in use.
        const DRIFT_BUFFER_ENABLED = 1 << 4;
        /// 68-byte flits, and virtual hierarchies.
        const CXL_68B_FLIT_AND_VH_ENABLED = 1 << 5;
        /// Several logical devices.
        const MULTI_LOGICAL_DEVICE_ENABLED = 1 << 6;
        /// 256-byte flits of low latency.
        const LATENCY_OPTIMIZED_256B_FLIT_ENABLED = 1 << 13;
        /// Flits for port based routing.
        const PBR_FLIT_ENABLED = 1 << 14;
        const _ = !0;
    }
}

impl CxlCapability {
    /// HDM_Count: how many of the two memory ranges there are.
    #[must_use]
    pub const fn hdm_count(self) -> u8 {
        (self.bits() >> 4 & 0x3) as u8
    }

    /// CXL Reset Timeout: how long a CXL reset takes at most; `None` for a reserved code.
    #[must_use]
    pub const fn cxl_reset_timeout(self) -> Option<Duration> {
        let code = self.bits() >> 8 & 0x7;
        match code {
            0 => Some(Duration::from_millis(10)),
            1 => Some(Duration::from_millis(100)),
            2 => Some(Duration::from_secs(1)),
            3 => Some(Duration::from_secs(10)),
            4 => Some(Duration::from_secs(100)),
            _ => None,
        }
    }
}

impl CxlControl {
    /// Cache_SF_Coverage.
    #[must_use]
    pub const fn cache_sf_coverage(self) -> u8 {
        (self.bits() >> 3 & 0x1f) as u8
    }

    /// Cache_SF_Granularity.
    #[must_use]
    pub const fn cache_sf_granularity(self) -> u8 {
        (self.bits() >> 8 & 0x7) as u8
    }
}

impl CxlCapability2 {
    /// Cache Size Unit, in bytes; 0 where the size is not told.
    #[must_use]
    pub const fn cache_size_unit(self) -> u32 {
        let code = self.bits() & 0xf;
        match code {
            1 => 64 << 10,
            2 => 1 << 20,
            _ => 0,
        }
    }

    /// Cache Size, in units.
    #[must_use]
    pub const fn cache_size_units(self) -> u8 {
        (self.bits() >> 8) as u8
    }
}

/// Whether memory keeps what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CxlMediaType {
    /// No.
    Volatile,
    /// Yes.
    NonVolatile,
    /// The device's table (CDAT) tells.
    Cdat,
    /// A code without a meaning, or one of a later revision.
    Reserved(u8),
}

/// What memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CxlMemoryClass {
    /// Memory.
    Memory,
    /// Storage.
    Storage,
    /// The device's table (CDAT) tells.
    Cdat,
    /// A code without a meaning.
    Reserved(u8),
}

/// In which pieces memory is best spread over devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CxlInterleave {
    /// Not at all.
    None,
    /// Of so many bytes.
    Bytes(u16),
    /// A code without a meaning, or one of a later revision.
    Reserved(u8),
}

impl CxlRangeSizeLow {
    /// Media_Type.
    #[must_use]
    pub const fn media_type(self) -> CxlMediaType {
        match (self.bits() >> 2 & 0x7) as u8 {
            0 => CxlMediaType::Volatile,
            1 => CxlMediaType::NonVolatile,
            2 => CxlMediaType::Cdat,
            other => CxlMediaType::Reserved(other),
        }
    }

    /// Memory_Class.
    #[must_use]
    pub const fn memory_class(self) -> CxlMemoryClass {
        match (self.bits() >> 5 & 0x7) as u8 {
            0 => CxlMemoryClass::Memory,
            1 => CxlMemoryClass::Storage,
            2 => CxlMemoryClass::Cdat,
            other => CxlMemoryClass::Reserved(other),
        }
    }

    /// Desired_Interleave.
    #[must_use]
    pub const fn desired_interleave(self) -> CxlInterleave {
        match (self.bits() >> 8 & 0x1f) as u8 {
            0 => CxlInterleave::None,
            1 => CxlInterleave::Bytes(256),
            2 => CxlInterleave::Bytes(4096),
            other => CxlInterleave::Reserved(other),
        }
    }

    /// Memory_Active_Timeout: how long after a reset the memory takes at most; `None` for a reserved
    /// code.
    #[must_use]
    pub const fn memory_active_timeout(self) -> Option<Duration> {
        let code = self.bits() >> 13 & 0x7;
        match code {
            0 => Some(Duration::from_secs(1)),
            1 => Some(Duration::from_secs(4)),
            2 => Some(Duration::from_secs(16)),
            3 => Some(Duration::from_secs(64)),
            4 => Some(Duration::from_secs(256)),
            _ => None,
        }
    }
}

const fn scaled(base: u16, scale: u16) -> Option<Duration> {
    let base = base as u64;
    Some(match scale {
        0 => Duration::from_micros(base),
        1 => Duration::from_micros(10 * base),
        2 => Duration::from_micros(100 * base),
        3 => Duration::from_millis(base),
        4 => Duration::from_millis(10 * base),
        5 => Duration::from_millis(100 * base),
        6 => Duration::from_secs(base),
        7 => Duration::from_secs(10 * base),
        _ => return None,
    })
}

impl CxlGpfTime {
    /// Time Base.
    #[must_use]
    pub const fn time_base(self) -> u8 {
        (self.bits() & 0xf) as u8
    }

    /// Time Scale: 0 for 1 µs, tenfold by each code up to 7 for 10 s.
    #[must_use]
    pub const fn time_scale(self) -> u8 {
        (self.bits() >> 8 & 0xf) as u8
    }

    /// The time; `None` for a reserved scale.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        scaled(self.time_base() as u16, self.time_scale() as u16)
    }
}

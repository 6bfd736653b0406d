//! What VFIO's error numbers mean, and what can be done.
//!
//! The kernel documents two of them. The others were read in its code (`drivers/vfio/`,
//! `drivers/iommu/iommufd/`, 6.1 to 6.18): one number has several causes, and the sentence names those that
//! the caller could not have ruled out before.

use pcicfg::Address;
use std::fmt;

/// A request to VFIO that the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct VfioError {
    /// The function.
    pub address: Address,
    /// What was asked.
    pub operation: VfioOperation,
    /// The error number; 0 where the kernel's answer was no number but "not viable".
    pub errno: i32,
    /// Which file, group or function it was about, where that is not the function itself.
    pub subject: Option<String>,
    /// Something was opened before, and closed again: both are resets.
    pub touched: bool,
}

/// What is asked of VFIO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VfioOperation {
    /// `open("/dev/vfio/vfio")`, and that it is VFIO.
    OpenContainer,
    /// `open("/dev/vfio/GROUP")`
    OpenGroup,
    /// `VFIO_GROUP_GET_STATUS`
    GroupStatus,
    /// `VFIO_GROUP_GET_STATUS` says that the group is not viable.
    GroupViable,
    /// `VFIO_GROUP_SET_CONTAINER`
    SetContainer,
    /// `VFIO_SET_IOMMU`
    SetIommu,
    /// `VFIO_GROUP_GET_DEVICE_FD`
    GetDevice,
    /// `open("/dev/iommu")`
    OpenIommufd,
    /// `open("/dev/vfio/devices/vfioN")`
    OpenCdev,
    /// `VFIO_DEVICE_BIND_IOMMUFD`
    BindIommufd,
    /// `VFIO_DEVICE_GET_INFO`
    DeviceInfo,
    /// `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`
    HotResetInfo,
    /// `VFIO_DEVICE_RESET`
    DeviceReset,
    /// `VFIO_DEVICE_PCI_HOT_RESET`
    HotReset,
    /// `VFIO_DEVICE_GET_REGION_INFO`
    RegionInfo,
    /// `pread` or `pwrite` of a region
    RegionAccess,
    /// `VFIO_DEVICE_SET_IRQS`
    SetInterrupt,
    /// `close` of the function
    Close,
    /// The start of a process that waits for the kernel in our place.
    StartChild,
}

impl VfioOperation {
    /// The call, as the kernel's documentation names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenContainer => "open of /dev/vfio/vfio",
            Self::OpenGroup => "open of the group",
            Self::GroupStatus | Self::GroupViable => "VFIO_GROUP_GET_STATUS",
            Self::SetContainer => "VFIO_GROUP_SET_CONTAINER",
            Self::SetIommu => "VFIO_SET_IOMMU",
            Self::GetDevice => "VFIO_GROUP_GET_DEVICE_FD",
            Self::OpenIommufd => "open of /dev/iommu",
            Self::OpenCdev => "open of the VFIO device",
            Self::BindIommufd => "VFIO_DEVICE_BIND_IOMMUFD",
            Self::DeviceInfo => "VFIO_DEVICE_GET_INFO",
            Self::HotResetInfo => "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO",
            Self::DeviceReset => "VFIO_DEVICE_RESET",
            Self::HotReset => "VFIO_DEVICE_PCI_HOT_RESET",
            Self::RegionInfo => "VFIO_DEVICE_GET_REGION_INFO",
            Self::RegionAccess => "access to a region",
            Self::SetInterrupt => "VFIO_DEVICE_SET_IRQS",
            Self::Close => "close of the VFIO device",
            Self::StartChild => "start of the process that waits for the kernel",
        }
    }
}

impl VfioError {
    /// An error of the function itself.
    #[must_use]
    pub fn new(address: Address, operation: VfioOperation, errno: i32) -> Self {
        Self { address, operation, errno, subject: None, touched: false }
    }

    /// That something had been opened before, which reset it, and was closed again.
    #[must_use]
    pub fn after_opening(mut self) -> Self {
        self.touched = true;
        self
    }

    /// With what it was about.
    #[must_use]
    pub fn about(mut self, subject: impl fmt::Display) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    /// The cause, in a sentence without its end.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        meaning(self.operation, self.errno).0
    }

    /// What can be done, in a sentence without its end.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        meaning(self.operation, self.errno).1
    }

    /// Whether the function has no device file, which the group interface needs none of.
    #[must_use]
    pub fn has_no_file(&self) -> bool {
        self.operation == VfioOperation::OpenCdev
            && matches!(self.errno, libc::ENOENT | libc::ENODEV | libc::ENXIO)
    }

    /// Whether somebody else has the function or its group: a virtual machine, or a driver of the host's.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        use VfioOperation as Op;
        match self.operation {
            Op::GroupViable => true,
            Op::OpenGroup => self.errno == libc::EBUSY,
            // Without interrupt remapping it is EPERM, too; but a virtual machine is what it is on most hosts.
            Op::BindIommufd => matches!(self.errno, libc::EBUSY | libc::EPERM | libc::EINVAL),
            Op::SetContainer => matches!(self.errno, libc::EPERM | libc::EBUSY | libc::EINVAL),
            _ => false,
        }
    }

    /// Whether more rights, or a setting that only root can make, would have helped.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        use VfioOperation as Op;
        match self.errno {
            libc::EACCES => true,
            libc::EPERM => !matches!(self.operation, Op::SetContainer | Op::BindIommufd | Op::HotResetInfo),
            _ => false,
        }
    }
}

impl fmt::Display for VfioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.operation.as_str())?;
        if let Some(subject) = &self.subject {
            write!(f, " ({subject})")?;
        }
        if self.errno != 0 {
            write!(f, " failed with {}", name(self.errno))?;
        }
        let (cause, remedy) = meaning(self.operation, self.errno);
        write!(f, ": {cause}; {remedy}")
    }
}

/// An error number's name, for those that VFIO answers with.
fn name(errno: i32) -> String {
    let name = match errno {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::EIO => "EIO",
        libc::ENXIO => "ENXIO",
        libc::EBADF => "EBADF",
        libc::EAGAIN => "EAGAIN",
        libc::ENOMEM => "ENOMEM",
        libc::EACCES => "EACCES",
        libc::EFAULT => "EFAULT",
        libc::EBUSY => "EBUSY",
        libc::ENODEV => "ENODEV",
        libc::EINVAL => "EINVAL",
        libc::EMFILE => "EMFILE",
        libc::ENOTTY => "ENOTTY",
        libc::ENOSPC => "ENOSPC",
        libc::ETIMEDOUT => "ETIMEDOUT",
        _ => return std::io::Error::from_raw_os_error(errno).to_string(),
    };
    name.to_owned()
}

const BIND: &str = "bind it to vfio-pci: write vfio-pci to its driver_override, its address to its driver's unbind, then \
                    to /sys/bus/pci/drivers_probe";
const LOG: &str = "look at the kernel log (dmesg)";
const AGAIN: &str = "try again";
const RIGHTS: &str = "run as root, or give the user the file (chown), as libvirt and udev rules do";

/// Cause and remedy.
fn meaning(operation: VfioOperation, errno: i32) -> (&'static str, &'static str) {
    use VfioOperation as Op;
    match (operation, errno) {
        // --- setting up -------------------------------------------------------------------------------
        (Op::OpenContainer, libc::ENOENT | libc::ENODEV | libc::ENXIO) => (
            "VFIO is not loaded, or this kernel has no groups and containers",
            "load it (modprobe vfio-pci), or use --vfio cdev where the kernel has iommufd",
        ),
        (Op::OpenContainer, libc::ENOTTY | libc::EINVAL) => (
            "/dev/vfio/vfio is not VFIO's, or speaks another version of its interface",
            "load vfio (modprobe vfio-pci)",
        ),
        (Op::OpenGroup, libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
            ("no function of the group is bound to a VFIO driver, so the group has no file", BIND)
        }
        (Op::OpenGroup, libc::EBUSY) => (
            "another process has the group open: a running virtual machine, most likely",
            "stop the virtual machine first; `plan` names the process if it may be seen",
        ),
        (Op::OpenGroup, libc::EPERM) => (
            "the group has no IOMMU behind it (noiommu), which needs CAP_SYS_RAWIO",
            "run as root, or switch the IOMMU on (intel_iommu=on, or in the firmware)",
        ),
        (Op::GroupViable, _) => (
            "the group is not viable: another function in it is bound to a driver of the host's",
            "bind every function of the group to vfio-pci, or leave it without a driver",
        ),
        (Op::SetContainer, libc::EPERM | libc::EBUSY) => (
            "a driver of the host's, or another process through iommufd, owns the group's DMA",
            "bind every function of the group to vfio-pci, and stop who has one of them open",
        ),
        (Op::SetContainer, libc::EINVAL) => {
            ("the group is in a container already", "stop who has the group open")
        }
        (Op::SetIommu, libc::EPERM) => (
            "the IOMMU does not remap interrupts, so a guest could send any interrupt to the host, and VFIO refuses",
            "switch interrupt remapping (x2APIC, Interrupt Remapping) on in the firmware; where every guest is trusted: \
             `options vfio_iommu_type1 allow_unsafe_interrupts=1` in /etc/modprobe.d",
        ),
        (Op::SetIommu, libc::ENODEV | libc::EINVAL | libc::ENOTTY) => (
            "no IOMMU driver of VFIO's takes the group",
            "load it (modprobe vfio_iommu_type1), and see that the IOMMU is on (dmesg | grep -i iommu)",
        ),
        (Op::OpenIommufd, libc::ENOENT | libc::ENODEV | libc::ENXIO) => (
            "this kernel has no iommufd, or it is not loaded",
            "load it (modprobe iommufd), or use --vfio group",
        ),
        (Op::OpenCdev, libc::ENOENT | libc::ENODEV | libc::ENXIO) => (
            "the function has no VFIO device file: it is not bound to a VFIO driver, or this kernel has none \
             (CONFIG_VFIO_DEVICE_CDEV)",
            "bind it to vfio-pci, or use --vfio group",
        ),
        // `vfio_device_block_group`
        (Op::BindIommufd, libc::EBUSY) => (
            "the file of its IOMMU group is open: a running virtual machine that uses groups, most likely",
            "stop the virtual machine first; `plan` names the process if it may be seen",
        ),
        // `iommu_device_claim_dma_owner`, and before it `iommufd_device_bind` where interrupts are not remapped
        (Op::BindIommufd, libc::EPERM) => (
            "its IOMMU group belongs to another process's iommufd (a running virtual machine, most likely) or to a driver \
             of the host's; if neither, the IOMMU does not remap interrupts",
            "stop the virtual machine, and bind every function of the group to vfio-pci; only if nobody has the group, \
             switch interrupt remapping on in the firmware, or, where every guest is trusted, set \
             iommufd.allow_unsafe_interrupts=1",
        ),
        // `vfio_df_open`, and before it `iommufd_device_bind` where caches are not coherent
        (Op::BindIommufd, libc::EINVAL) => (
            "another process has it open by its device file (a running virtual machine, most likely); if none, its IOMMU \
             does not keep caches coherent, and iommufd refuses",
            "stop the virtual machine first; `plan` names the process if it may be seen",
        ),
        (Op::GetDevice | Op::BindIommufd, libc::EACCES) => (
            "it is a virtual function of a physical function that is on VFIO too, and opening it needs the physical \
             function's VF token",
            "reset it by the kernel (--via kernel), or give the physical function to a driver of the host's",
        ),
        (Op::GetDevice | Op::BindIommufd, libc::EAGAIN) => {
            ("somebody else resets the function or a bridge above right now", AGAIN)
        }
        (Op::GetDevice | Op::BindIommufd, libc::ENODEV) => {
            ("it is not bound to a VFIO driver any more, or is not in this group", BIND)
        }
        (Op::GetDevice, libc::EINVAL) => {
            ("its group has no container with an IOMMU, or the function cannot be switched on", LOG)
        }
        (Op::GetDevice | Op::BindIommufd, libc::EIO | libc::ENXIO) => (
            "the kernel cannot wake it: it is in D3cold, or does not answer",
            "write `on` to power/control of it and of every port above, then look with `show`",
        ),
        (Op::StartChild, _) => (
            "it could not be started, or was killed; what was open stays open until this process ends",
            "see how many processes and files may be there (ulimit -u, ulimit -n), and whether memory is left",
        ),
        (Op::GroupStatus, libc::ENOTTY) => {
            ("the group's file is not VFIO's", "load vfio (modprobe vfio-pci)")
        }
        (_, libc::EMFILE | libc::ENOMEM) => ("the process or the host has run out of files or memory", AGAIN),
        // --- resets -----------------------------------------------------------------------------------
        (Op::DeviceReset, libc::EINVAL) => (
            "no method of the kernel's worked when the function was opened, so it has no reset of its own",
            "use --method hot_reset, which resets it with its neighbours; `plan` says why each method does not work",
        ),
        (Op::DeviceReset | Op::HotReset, libc::EAGAIN) => {
            ("somebody else holds the function, a neighbour or a bridge above (a driver, a reset)", AGAIN)
        }
        (Op::DeviceReset, libc::ENOTTY) => (
            "every method was tried, and the function did not come back, or none of them works any more",
            "look with `show` whether it answers, and at the kernel log",
        ),
        (Op::HotResetInfo, libc::ENODEV) => (
            "neither its slot nor its bus can be reset: it is on a root bus, or the kernel knows of a function there, or of \
             the bridge above, that does not survive it",
            "use another method; where `plan` found nothing against this one, the kernel knows a device that the built-in \
             table of quirks lacks: please report it",
        ),
        (Op::HotResetInfo, libc::EPERM) => (
            "a function that would be reset too has no IOMMU group, so nobody can own it",
            "nothing on this host: use another method, or put the device elsewhere",
        ),
        (Op::HotResetInfo, libc::EAGAIN) => ("functions came or went while they were counted", AGAIN),
        (Op::HotResetInfo, libc::ENOSPC) => {
            ("the number of functions that would be reset grew each time it was asked for", AGAIN)
        }
        (Op::HotResetInfo, libc::EINVAL) => {
            ("the kernel does not take the request's size", "report this as a defect")
        }
        (Op::HotReset, libc::EINVAL) => (
            "a function that would be reset too is not bound to a VFIO driver, or is not owned: a driver was changed \
             meanwhile, or the functions in `plan` are not all",
            "bind each function that `plan` lists to vfio-pci, then plan again",
        ),
        (Op::HotReset, libc::EBADF) => {
            ("the file of a group was closed meanwhile", "report this as a defect")
        }
        (Op::HotReset, libc::ENODEV) => (
            "neither slot nor bus can be reset any more: something that does not survive it was plugged in",
            "plan again",
        ),
        (Op::HotReset, libc::EBUSY) => {
            ("the memory of a function of the set is being mapped or used right now", AGAIN)
        }
        (Op::HotReset, libc::ENOTTY) => (
            "the reset was made, and the link or a function did not come back",
            "look with `show` whether the functions answer, and at the kernel log",
        ),
        (Op::DeviceReset | Op::HotReset, libc::EIO | libc::ENXIO) => {
            ("a function cannot be woken, or does not answer", LOG)
        }
        // --- regions ----------------------------------------------------------------------------------
        (Op::RegionAccess, libc::EIO) => (
            "Memory Space is off, the function sleeps (D3hot), or nothing answers there",
            "set Memory Space in Command, keep it awake (`on` in power/control), and look with `show` whether it answers",
        ),
        (Op::RegionAccess, libc::EINVAL | libc::EFAULT) => {
            ("the access leaves the region", "look at the region's size")
        }
        (Op::RegionAccess, libc::EBUSY) => ("a driver has claimed the range", "unbind the driver first"),
        // --- in general -------------------------------------------------------------------------------
        (_, libc::EACCES | libc::EPERM) => ("this user may not do that", RIGHTS),
        (_, libc::ENODEV | libc::ENXIO | libc::ENOENT) => ("the function is gone", LOG),
        (_, libc::EAGAIN | libc::EBUSY | libc::EINTR) => ("somebody else is at it right now", AGAIN),
        _ => ("the kernel does not say why", LOG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use VfioOperation as Op;

    /// What each call can answer, as read in the kernel's code.
    const ANSWERS: [(VfioOperation, &[i32]); 12] = [
        (Op::OpenContainer, &[libc::ENOENT, libc::EINVAL]),
        (Op::OpenGroup, &[libc::ENOENT, libc::EBUSY, libc::EPERM]),
        (Op::SetContainer, &[libc::EPERM, libc::EINVAL]),
        (Op::SetIommu, &[libc::EPERM, libc::EINVAL]),
        (Op::GetDevice, &[libc::EACCES, libc::EAGAIN, libc::ENODEV, libc::EINVAL, libc::EIO]),
        (Op::OpenIommufd, &[libc::ENOENT]),
        (Op::OpenCdev, &[libc::ENOENT]),
        (
            Op::BindIommufd,
            &[libc::EBUSY, libc::EPERM, libc::EINVAL, libc::EACCES, libc::EAGAIN, libc::ENODEV, libc::EIO],
        ),
        (Op::DeviceReset, &[libc::EINVAL, libc::EAGAIN, libc::ENOTTY, libc::EIO]),
        (Op::HotResetInfo, &[libc::ENOSPC, libc::EINVAL, libc::ENODEV, libc::EPERM, libc::EAGAIN]),
        (
            Op::HotReset,
            &[libc::EINVAL, libc::EBADF, libc::ENODEV, libc::EBUSY, libc::EAGAIN, libc::ENOTTY, libc::EIO],
        ),
        (Op::RegionAccess, &[libc::EIO, libc::EINVAL, libc::EBUSY]),
    ];

    #[test]
    fn every_answer_has_a_cause_and_a_remedy_of_its_own() {
        // An operation that has no answers of its own gets what is said in general.
        let general = |errno| meaning(Op::SetInterrupt, errno).0;
        for (operation, errnos) in ANSWERS {
            let mut causes = std::collections::BTreeSet::new();
            for &errno in errnos {
                let (cause, remedy) = meaning(operation, errno);
                assert_ne!(cause, general(errno), "{operation:?} {errno}");
                assert_ne!(cause, "the kernel does not say why", "{operation:?} {errno}");
                assert!(!remedy.is_empty());
                assert!(causes.insert(cause), "{operation:?}: {cause}");
            }
        }
    }

    #[test]
    fn a_message_says_what_where_why_and_what_now() {
        let address = "0f:00.0".parse().unwrap();
        let error = VfioError::new(address, VfioOperation::OpenGroup, libc::EBUSY).about("/dev/vfio/20");
        let text = error.to_string();
        for part in ["0000:0f:00.0", "(/dev/vfio/20)", "EBUSY", "virtual machine", "stop"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_setting_that_is_missing_is_a_matter_of_permission_and_a_driver_is_not() {
        let address = "01:00.0".parse().unwrap();
        assert!(VfioError::new(address, VfioOperation::SetIommu, libc::EPERM).is_permission());
        assert!(VfioError::new(address, VfioOperation::OpenGroup, libc::EACCES).is_permission());
        assert!(!VfioError::new(address, VfioOperation::SetContainer, libc::EPERM).is_permission());
        assert!(!VfioError::new(address, VfioOperation::HotResetInfo, libc::EPERM).is_permission());
        // With iommufd somebody else has it, most likely: that comes before a setting that weakens the host.
        for errno in [libc::EPERM, libc::EBUSY, libc::EINVAL] {
            let error = VfioError::new(address, VfioOperation::BindIommufd, errno);
            assert!(error.is_in_use() && !error.is_permission());
            assert!(error.remedy().starts_with("stop the virtual machine"), "{error}");
        }
    }
}

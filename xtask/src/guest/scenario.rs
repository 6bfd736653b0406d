//! Scenarios: shell scripts whose first comment block says which machine they want.
//!
//! ```text
//! # One sentence about what is shown.
//! # device: nvme,bus=rp1,serial=A,drive=n0      a QEMU -device (any number)
//! # machine: sim:broken                        a simulated machine, for what is served (needs QEMU 10.1); a .toml is
//! #                                            one of this project's files
//! # served: 01:00.0 bus=rp1,addr=0.0           a function of it as a device, with options of QEMU's (any number)
//! # disk: n0 HELLO-NVME-NAMESPACE               a 16 MiB disk image with this text at offset 0
//! # file: vfio-reset/tests/vendor/writes.txt    a file of this project, in the guest as /lab/files/NAME (any number)
//! # modules: nvme igb                           kernel modules to load besides vfio-pci
//! # iommu: intremap=off                         options of the IOMMU, `intremap=on` unless told
//! # option: -M q35                              further QEMU arguments, split at blanks
//! # append: pci=noaer                           further kernel parameters
//! # timeout: 90                                 seconds, 120 unless told
//! # alone: it measures time                     no other guest runs meanwhile; with the reason
//! ```

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// A scenario that was read and understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scenario {
    /// The file's name without `.sh`.
    pub(crate) name: String,
    /// The script as it is run in the guest.
    pub(crate) script: String,
    /// The prose of its header, in one line.
    pub(crate) summary: String,
    /// Values of QEMU's `-device`, in order.
    pub(crate) devices: Vec<String>,
    /// The simulated machine whose functions are served, as `--machine` takes it.
    pub(crate) machine: Option<String>,
    /// The functions that are served.
    pub(crate) served: Vec<ServedDevice>,
    /// Disk images to make.
    pub(crate) disks: Vec<Disk>,
    /// Files that the guest gets, below the workspace's folder.
    pub(crate) files: Vec<String>,
    /// Kernel modules to load before the script starts.
    pub(crate) modules: Vec<String>,
    /// Options of QEMU's `intel-iommu`.
    pub(crate) iommu: String,
    /// Further QEMU arguments.
    pub(crate) options: Vec<String>,
    /// Further kernel parameters.
    pub(crate) append: String,
    /// How long the guest may take, from QEMU's start.
    pub(crate) timeout: Duration,
    /// Whether no other guest may run meanwhile.
    pub(crate) alone: bool,
}

/// A simulated function as a device of QEMU's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServedDevice {
    /// Its address in the simulated machine.
    pub(crate) address: String,
    /// Properties of QEMU's device: where it is.
    pub(crate) options: Vec<(String, String)>,
}

/// A disk image with a known text at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disk {
    /// QEMU's name of the drive.
    pub(crate) id: String,
    /// What stands at offset 0.
    pub(crate) text: String,
}

impl Scenario {
    /// Reads every `*.sh` of a folder, sorted by name.
    pub(crate) fn all(folder: &Path) -> Result<Vec<Self>> {
        let mut scenarios = Vec::new();
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let Some(name) =
                path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".sh"))
            else {
                continue;
            };
            let script =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            scenarios.push(Self::parse(name, &script).with_context(|| format!("in {}", path.display()))?);
        }
        scenarios.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(scenarios)
    }

    /// Understands the header of a script.
    ///
    /// # Errors
    /// A key that is not known, or a value that does not fit; with the line's number.
    pub(crate) fn parse(name: &str, script: &str) -> Result<Self> {
        let mut scenario = Self {
            name: name.to_owned(),
            script: script.to_owned(),
            summary: String::new(),
            devices: Vec::new(),
            machine: None,
            served: Vec::new(),
            disks: Vec::new(),
            files: Vec::new(),
            modules: Vec::new(),
            iommu: "intremap=on".to_owned(),
            options: Vec::new(),
            append: String::new(),
            timeout: Duration::from_secs(120),
            alone: false,
        };
        for (number, line) in script.lines().enumerate() {
            let Some(line) = line.strip_prefix('#') else {
                break;
            };
            if line.starts_with('!') {
                continue;
            }
            let at = || format!("line {}", number + 1);
            let line = line.trim();
            match line.split_once(' ') {
                Some((key, value)) if key.ends_with(':') => {
                    scenario.set(key.trim_end_matches(':'), value.trim()).with_context(at)?;
                }
                _ => {
                    if !scenario.summary.is_empty() {
                        scenario.summary.push(' ');
                    }
                    scenario.summary.push_str(line);
                }
            }
        }
        if scenario.machine.is_some() == scenario.served.is_empty() {
            bail!("`machine:` and `served:` need each other");
        }
        scenario.summary.truncate(scenario.summary.trim_end().len());
        Ok(scenario)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let words = || value.split_whitespace().map(str::to_owned);
        match key {
            "device" => self.devices.push(value.to_owned()),
            "machine" => self.machine = Some(value.to_owned()),
            "served" => {
                let (address, options) =
                    value.split_once(' ').context("a served function needs an address and a bus")?;
                let option = |option: &str| {
                    let (key, value) =
                        option.split_once('=').context("an option of a device is KEY=VALUE")?;
                    Ok((key.trim().to_owned(), value.trim().to_owned()))
                };
                let options = options.split(',').map(option).collect::<Result<_>>()?;
                self.served.push(ServedDevice { address: address.to_owned(), options });
            }
            "disk" => {
                let (id, text) = value.split_once(' ').context("a disk needs a name and a text")?;
                self.disks.push(Disk { id: id.to_owned(), text: text.trim().to_owned() });
            }
            "file" => self.files.extend(words()),
            "modules" => self.modules.extend(words()),
            "iommu" => self.iommu = value.to_owned(),
            "option" => self.options.extend(words()),
            "alone" => self.alone = true,
            "append" => self.append = value.to_owned(),
            "timeout" => {
                self.timeout =
                    Duration::from_secs(value.parse().context("a timeout is a number of seconds")?);
            }
            _ => {
                bail!(
                    "unknown key `{key}:`; known are device, machine, served, disk, file, modules, iommu, option, append, timeout, alone"
                )
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "#!/bin/sh\n# Shows a thing\n# and another.\n# disk: n0 HELLO THERE\n# device: edu\n\
        # device: nvme,drive=n0\n# modules: nvme  igb\n# option: -global a.b=c\n# iommu: intremap=off\n# timeout: 9\n# alone: so\n\
        # machine: sim:x\n# served: 01:00.1 bus=rp1,addr=0.1\n# file: a/b.txt\n\n# device: not-a-header\nlog hi\n";

    #[test]
    fn a_header_is_understood() {
        let scenario = Scenario::parse("x", SCRIPT).unwrap();
        assert_eq!(scenario.summary, "Shows a thing and another.");
        assert_eq!(scenario.devices, ["edu", "nvme,drive=n0"]);
        assert_eq!(scenario.disks, [Disk { id: "n0".into(), text: "HELLO THERE".into() }]);
        assert_eq!(scenario.files, ["a/b.txt"]);
        assert_eq!(scenario.modules, ["nvme", "igb"]);
        assert_eq!(scenario.options, ["-global", "a.b=c"]);
        assert_eq!(scenario.iommu, "intremap=off");
        assert_eq!(scenario.timeout, Duration::from_secs(9));
        assert!(scenario.alone);
        assert_eq!(scenario.machine.as_deref(), Some("sim:x"));
        let options = [("bus", "rp1"), ("addr", "0.1")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        assert_eq!(scenario.served, [ServedDevice { address: "01:00.1".into(), options }]);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = Scenario::parse("x", "# fine\n# devise: edu\n").unwrap_err();
        assert!(format!("{error:#}").starts_with("line 2: unknown key `devise:`"), "{error:#}");
    }

    #[test]
    fn what_is_served_needs_a_machine_and_a_place() {
        for script in
            ["# machine: sim:x\n", "# served: 01:00.0 bus=rp1\n", "# machine: sim:x\n# served: 01:00.0\n"]
        {
            assert!(Scenario::parse("x", script).is_err(), "{script}");
        }
    }

    #[test]
    fn a_disk_needs_a_text() {
        assert!(Scenario::parse("x", "# disk: n0\n").is_err());
    }

    #[test]
    fn the_shipped_scenarios_are_understood() {
        let folder = crate::workspace().join("tests/guest/scenarios");
        for scenario in Scenario::all(&folder).unwrap() {
            assert!(!scenario.summary.is_empty(), "{} says what it shows", scenario.name);
        }
    }
}

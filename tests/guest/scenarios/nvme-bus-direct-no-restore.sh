# The red half: after a bus reset whose restore is left out, the nvme driver refuses the disk; a state saved before
# heals it.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme

red bus

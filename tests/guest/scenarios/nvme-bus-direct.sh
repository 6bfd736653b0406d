# A bus reset by our own config writes takes an NVMe disk's BARs and Command away; the tool gives them back and the
# nvme driver reads the bytes that were on the namespace.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme

green bus

# A disk is unplugged while it is open through VFIO: the kernel asks to have it released, the tool tells, closes it and
# ends with 6; nobody hangs.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,id=nvme1,bus=rp1,serial=A,drive=n0
# modules: nvme

nvme=0000:01:00.0
bind_vfio $nvme

step "unplugged while it is open"
(vfio-reset vfio $nvme --hold 60s >/tmp/held 2>&1; echo "= $?" >>/tmp/held) &
check "it is open" wait_for 10 grep -q "Held open" /tmp/held
hmp device_del nvme1
check "the kernel asked for it" wait_for 30 grep -q "asked to have it released" /tmp/held
wait
sed 's/^/| /' /tmp/held
check "it was closed" grep -q "closed in" /tmp/held
check "it ended with 6" grep -qx "= 6" /tmp/held
check "the disk is gone" wait_for 10 test ! -e $D/$nvme

step "what is gone cannot be reset"
expect_exit 2 vfio-reset reset $nvme --via vfio

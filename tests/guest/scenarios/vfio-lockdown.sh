# Under kernel lockdown nobody may write configuration space, and VFIO resets all the same: one function by itself, and two
# in one slot together. Nothing is written back by us; what the kernel brings back is compared.
# disk: n0 HELLO-LOCKDOWN
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,addr=0.0,multifunction=on,serial=C,drive=n0
# device: e1000e,romfile=,bus=rp1,addr=0.1
# modules: nvme e1000e
# timeout: 180

first=0000:01:00.0
second=0000:01:00.1
trace_resets
check "the namespace is readable before" reads $first HELLO-LOCKDOWN
bind_vfio $first $second

[ -e /sys/kernel/security/lockdown ] || mount -t securityfs securityfs /sys/kernel/security
echo integrity >/sys/kernel/security/lockdown 2>/dev/null || skip "this kernel has no lockdown"
check "the kernel is locked down" grep -q '\[integrity\]' /sys/kernel/security/lockdown
config $first /tmp/first
config $second /tmp/second
check "nobody may write" not set_register $first 0x4 2 0x0000

step "direct writes are refused"
expect_exit 3 vfio-reset reset $first --via direct --method bus
check "with what lockdown allows" said "locked down"
check "namely these" said "via vfio"

step "one function"
forget_resets
expect_exit 0 vfio-reset reset $first --via vfio --method vfio_reset
check "nothing was written back" said "nothing was written back"
check "the first is as before" same_config $first /tmp/first

step "both together"
forget_resets
expect_exit 0 vfio-reset reset $first --via vfio --method hot_reset
check "VFIO was asked for two" said "2 functions, all ours"
check "the kernel did a bus reset" test "$(count_resets bus)" = 1
check "nothing was written back" said "nothing was written back"
check "the first is as before" same_config $first /tmp/first
check "the second is as before" same_config $second /tmp/second

step "the driver takes it"
check "nvme binds" bind $first nvme
check "the namespace is readable after" reads $first HELLO-LOCKDOWN

# Served devices whose resets are not what they seem: one that claims to do them and does nothing, one whose
# transactions never end, and one that comes back with header type 7f, which the kernel then ignores.
# machine: sim:broken
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3
# served: 03:00.0 bus=rp1
# served: 04:00.0 bus=rp2
# served: 01:00.0 bus=rp3
# timeout: 600

nothing=0000:01:00.0
pending=0000:02:00.0
header=0000:03:00.0
bind_vfio $nothing $pending $header
for function in $nothing $pending $header; do
    set_register $function 0x4 2 0x0006
    config $function /tmp/before-$function
done

step "resets that do nothing"
expect_exit 7 vfio-reset reset $nothing --method flr --via direct
check "it is named" said "nothing was reset"
check "the device was asked" test "$(seen "03:00.0 reset flr")" = 1
# The kernel writes everything back itself: from its reset nobody can tell.
expect_exit 0 vfio-reset reset $nothing --method flr --via kernel
# QEMU itself clears Command and the BARs in a reset of the bus, so configuration space looks like that of a function that
# was reset. Only what is behind the BAR shows that it was not.
base=$(sed -n '1s/ .*//p' $D/$nothing/resource)
devmem $((base + 16)) 32 0x600d600d
expect_exit 0 vfio-reset reset $nothing --method bus --via direct
check "the device was asked" test "$(seen "03:00.0 reset bus")" -ge 1
expect_exit 0 vfio-reset peek $nothing 0 0x10
check "its memory holds what it held" said "0x10: 600d600d"

step "a transaction that never completes"
expect_exit 0 vfio-reset reset $pending --method flr --via kernel
check "the kernel waited for it" sh -c 'dmesg | grep "timed out waiting for pending transaction; performing function level reset anyway"'
check "config space is as before" same_config $pending /tmp/before-$pending
expect_exit 0 vfio-reset reset $pending --method flr --via direct
check "it waited, and says why" said "transactions were still pending after [0-9.]+ (s|ms); the function was reset anyway"
check "the device was reset" test "$(seen "04:00.0 reset flr")" -ge 2
check "config space is as before" same_config $pending /tmp/before-$pending

step "header type 7f after a reset"
serve 01:00.0 'ready_after_ms = { flr = 10000 }'
vfio-reset reset $header --method flr --via direct --budget 60s >/tmp/reset 2>&1 &
wait_for 20 sh -c "lab-tool get $D/$header/config 0x4 4 | grep -q ffffffff"
serve 01:00.0 'header_7f = true'
wait $!
code=$?
sed 's/^/| /' /tmp/reset
check "verification finds it: exit $code" test $code = 7
check "it is named" grep -qi "header type.*7f" /tmp/reset
run vfio-reset show $header
check "show knows what that is" said "7f"

step "the kernel ignores it when it finds it anew"
echo 1 >$D/$header/remove
echo 1 >/sys/bus/pci/rescan
check "it says so" sh -c 'dmesg | grep "unknown header type 7f, ignoring device"'
check "there is no such function" not test -e $D/$header
expect_exit 2 vfio-reset reset $header
serve 01:00.0
echo 1 >/sys/bus/pci/rescan
check "healed, it is found again" wait_for 10 test -e $D/$header
bind_vfio $header
expect_exit 0 vfio-reset reset $header --via kernel --method flr

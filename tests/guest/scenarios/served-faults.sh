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

step "a transaction that never completes"
expect_exit 0 vfio-reset reset $pending --method flr --via kernel
check "the kernel waited for it" sh -c 'dmesg | grep "timed out waiting for pending transaction; performing function level reset anyway"'
check "config space is as before" same_config $pending /tmp/before-$pending
run vfio-reset reset $pending --method flr --via direct
check "it was reset, or the reason is given ($code)" test "$code" = 0 -o "$code" = 6 -o "$code" = 7
check "it says why it waited" said "pending"

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

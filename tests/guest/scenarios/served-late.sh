# Devices that answer seconds after a reset, served by the host: after a function level reset, after D3hot and after a
# bus reset, by the kernel, by direct writes and through VFIO. Each is waited for, and each register is as before.
# machine: sim:broken
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3
# served: 01:00.0 bus=rp1
# served: 05:00.0 bus=rp2
# served: 06:00.0 bus=rp3
# timeout: 600

flr=0000:01:00.0
pm=0000:02:00.0
bus=0000:03:00.0
for function in $flr $pm $bus; do
    bind_vfio $function
    # vfio-pci has let it sleep for a moment, and waking up is a reset to one of them.
    check "$function is awake" wait_for 20 sh -c "lab-tool get $D/$function/config 0x0 4 | grep -q 00051b36"
    set_register $function 0x4 2 0x0006
    config $function /tmp/before-$function
    log "$function: $(methods $function)"
done
check "the kernel lists flr and bus" test "$(methods $flr)" = "flr bus"
check "the kernel lists pm and bus" test "$(methods $pm)" = "pm bus"
check "the kernel lists bus" test "$(methods $bus)" = "bus"

# late METHOD VIA FUNCTION SERVED KIND: resets it, and looks whether the host's model saw the reset.
late() {
    before=$(seen "$4 reset $5")
    expect_exit 0 vfio-reset reset $3 --method $1 --via $2 --budget 60s
    check "$1 by $2: config space is as before" same_config $3 /tmp/before-$3
    check "$1 by $2: the device itself was reset" test "$(seen "$4 reset $5")" -gt "$before"
}

step "late from a function level reset"
late flr kernel $flr 01:00.0 flr
check "the kernel waited" sh -c 'dmesg | grep "not ready 1023ms after FLR; waiting"'
check "it saw it come back" sh -c 'dmesg | grep "ready 4095ms after FLR"'
late flr direct $flr 01:00.0 flr
late vfio_reset vfio $flr 01:00.0 flr

step "late, with a budget that is too short"
expect_exit 0 vfio-reset save $flr --output /tmp/state
expect_exit 6 vfio-reset reset $flr --method flr --via direct --budget 1s
check "it says that it did not come back" said "did not come back|not answer"
check "it came back later" wait_for 20 sh -c "lab-tool get $D/$flr/config 0x0 4 | grep -q 00051b36"
expect_exit 0 vfio-reset restore /tmp/state
check "config space is as before" same_config $flr /tmp/before-$flr

step "late from D3hot"
late pm kernel $pm 05:00.0 pm
check "the kernel waited" sh -c 'dmesg | grep "not ready 1023ms after PM D3hot->D0; waiting"'
late pm direct $pm 05:00.0 pm
late vfio_reset vfio $pm 05:00.0 pm

step "late from a bus reset"
late bus kernel $bus 06:00.0 bus
check "the kernel waited" sh -c 'dmesg | grep "not ready 1023ms after bus reset; waiting"'
late bus direct $bus 06:00.0 bus
late hot_reset vfio $bus 06:00.0 bus

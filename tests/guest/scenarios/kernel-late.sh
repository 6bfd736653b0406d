# A reset by the kernel of a disk that stays silent for longer than the budget: the tool ends within the budget, says
# that the kernel still waits, and nobody who waits for the tool waits for the kernel.
# disk: n0 HELLO-BEHIND-A-SWITCH
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: x3130-upstream,id=up1,bus=rp1
# device: xio3130-downstream,id=dn1,bus=up1,chassis=31,slot=31,addr=0
# device: nvme,bus=dn1,serial=A,drive=n0
# timeout: 120

nvme=0000:03:00.0
root=0000:00:01.0
bind_vfio $nvme
check "the kernel lists flr and bus" test "$(methods $nvme)" = "flr bus"

# Everything below the root port is silent while its bus numbers are wrong. The root port is not locked during the
# reset, the port right above the disk would be.
numbers=$(register $root 0x18 4)
silence() {
    # When it begins the kernel has saved the disk's registers, which must not be all-ones; it looks for the disk for the
    # first time 100 ms later. No process is started in between, which would take too long here.
    hits=0
    while [ "$hits" = 0 ]; do read -r event hits missed <$T/kprobe_profile; done
    set_register $root 0x18 4 0x00ffff00
    echo "$event" >/tmp/silenced-in
    usleep 6000000
    set_register $root 0x18 4 0x$numbers
}

step "the budget is over long before the kernel gives up"
trace_resets
silence &
start=$(cut -d. -f1 /proc/uptime)
# With its output in a pipe: a process left behind must not hold it open.
vfio-reset reset $nvme --method flr --via kernel --budget 2s 2>&1 | cat >/tmp/out
took=$(($(cut -d. -f1 /proc/uptime) - start))
sed 's/^/| /' /tmp/out
check "it took $took s, with a budget of 2 s" test $took -le 4
check "it says that the kernel still waits" grep -q "the kernel is still waiting" /tmp/out
check "it says how to put the list back" grep -q "echo flr bus > reset_method" /tmp/out
check "the kernel's own message is shown" grep -q "not ready 1023ms after FLR; waiting" /tmp/out

step "the kernel is done when the disk answers again"
wait
check "it was silenced in a reset" test "$(cat /tmp/silenced-in)" = flr
check "the kernel saw it come back" wait_for 10 sh -c 'dmesg | grep -q "ready 8191ms after FLR"'
echo "flr bus" >$D/$nvme/reset_method
expect_exit 0 vfio-reset reset $nvme --method flr --via kernel
modprobe nvme
check "nvme binds" bind $nvme nvme
check "the namespace is readable" reads $nvme HELLO-BEHIND-A-SWITCH

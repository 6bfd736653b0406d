# A served device that never answers again after a function level reset: the tool ends within its budget, long before
# the kernel, and says that the kernel still waits. What is dead is not opened, and what dies when it is opened does
# not take the tool with it, nor who comes next.
# machine: sim:broken
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# served: 02:00.0 bus=rp1
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3
# served: 07:00.0 bus=rp2
# served: 08:00.0 bus=rp3,addr=0.0,multifunction=on
# served: 08:00.1 bus=rp3,addr=0.1
# timeout: 900

never=0000:01:00.0
healthy=0000:02:00.0
display=0000:03:00.0
audio=0000:03:00.1
bind_vfio $never $healthy
set_register $healthy 0x4 2 0x0006

step "a healthy one: its BAR, mapped and through VFIO"
base=$(sed -n '1s/ .*//p' $D/$healthy/resource)
devmem $((base + 16)) 32 0x600d600d
expect_exit 0 vfio-reset peek $healthy 0 0x10
check "what the processor wrote is there" said "0x10: 600d600d"
expect_exit 0 vfio-reset peek $healthy 0 0x10 --vfio group
check "opening it was a function level reset, and cleared it" said "0x10: 00000000"
check "the device saw it" test "$(seen "07:00.0 reset flr")" -ge 2

step "dead when it is opened"
set_register $healthy 0x4 2 0x0006
serve 07:00.0 all_ones = true
expect_exit 6 vfio-reset reset $healthy
check "nothing was touched" said "nothing was touched"
expect_exit 0 vfio-reset peek $healthy 0 0x10
check "mapped, it reads all-ones" said "0x10: ffffffff"
# The kernel resets it for whoever opens it, and waits for more than a minute: it is not opened.
resets=$(seen "07:00.0 reset")
start=$(cut -d. -f1 /proc/uptime)
expect_exit 6 vfio-reset peek $healthy 0 0x10 --vfio group
took=$(($(cut -d. -f1 /proc/uptime) - start))
check "nothing was touched, and nothing waited for ($took s)" test $took -le 20
check "that is said" said "nothing was touched"
check "the device saw no reset" test "$(seen "07:00.0 reset")" = "$resets"
serve 07:00.0
check "healed, it can be opened" wait_for 90 vfio-reset vfio $healthy

step "dead, and mapped through VFIO"
# The kernel answers an access to the mapping of a device that it cannot reach with SIGBUS, so that must not be tried.
bind_vfio $display $audio
set_register $display 0x4 2 0x0006
expect_exit 0 vfio-reset peek $display 0 0x10 --vfio group --mapped
serve 08:00.0 all_ones = true
expect_exit 6 vfio-reset peek $display 0 0x10 --vfio group --mapped
check "it is not opened" said "nothing was touched"
serve 08:00.0
check "healed, its memory is read again" wait_for 90 vfio-reset peek $display 0 0x10 --vfio group --mapped

step "the budget is over long before the kernel gives up"
start=$(cut -d. -f1 /proc/uptime)
expect_exit 6 vfio-reset reset $never --method flr --via kernel --budget 3s
took=$(($(cut -d. -f1 /proc/uptime) - start))
check "it took $took s, with a budget of 3 s" test $took -le 20
check "it says that the kernel still waits" said "the kernel is still waiting"
check "it says how to put the list back" said "echo flr bus > reset_method"
check "the kernel's own message is shown" said "not ready 1023ms after FLR; waiting"
check "the device saw one function level reset" test "$(seen "02:00.0 reset flr")" = 1

step "the kernel gives up"
check "after more than a minute" wait_for 150 sh -c "dmesg | grep -q '$never: not ready 65535ms after FLR; giving up'"
took=$(($(cut -d. -f1 /proc/uptime) - start))
check "it took the kernel $took s" test $took -ge 60
expect_exit 6 vfio-reset reset $never
check "the tool touches it no more" said "nothing was touched"

step "it does not come back from the reset that opening it is"
serve '07:00.0 dies_on = ["flr"], not_ready = "all_ones"'
set_register $healthy 0x4 2 0x0006
expect_exit 6 vfio-reset peek $healthy 0 0x10 --vfio group --mapped --budget 5s
check "it says that it did not come back" said "did not come back within 5.0 s from the reset that opening it is"
# The kernel lets nobody read its configuration space meanwhile, nor open its group.
start=$(cut -d. -f1 /proc/uptime)
expect_exit 6 vfio-reset peek $healthy 0 0x10 --vfio group --budget 5s
expect_exit 6 vfio-reset reset $healthy --budget 5s
took=$(($(cut -d. -f1 /proc/uptime) - start))
check "whoever comes next keeps the budget, too ($took s)" test $took -le 30
check "and is told why" said "is being reset by somebody"
start=$(cut -d. -f1 /proc/uptime)
expect_exit 0 vfio-reset list
check "a list shows it beside the others" said "$healthy .*vfio-pci .*being reset"
check "which are shown as ever" said "$display .*NVIDIA"
expect_exit 0 vfio-reset plan $display --budget 5s
check "nobody else's plan waits for it" said "Would do: hot_reset"
expect_exit 6 vfio-reset show $healthy
took=$(($(cut -d. -f1 /proc/uptime) - start))
check "all that takes a moment ($took s)" test $took -le 20
check "it is still being reset" sh -c "! dmesg | grep -q '$healthy: not ready 65535ms after FLR; giving up'"

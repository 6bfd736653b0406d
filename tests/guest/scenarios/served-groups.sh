# Two functions of one slot in two IOMMU groups, which no device of QEMU's own has: a hot reset needs both groups. While one
# is not ours the reset is refused, with the group that is missing; owned, both are reset in one call with two descriptors.
# machine: tests/guest/machines/two-groups.toml
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# served: 01:00.0 bus=rp1,addr=0.0,multifunction=on
# served: 01:00.1 bus=rp1,addr=0.1
# modules: pci-stub
# timeout: 400

one=0000:01:00.0
other=0000:01:00.1
group() { basename "$(readlink -f "$D/$1/iommu_group")"; }
log "groups: $(group $one) and $(group $other)"
[ "$(group $one)" != "$(group $other)" ] || fail "both are in one group"

# refused FUNCTION MISSING: nothing is reset, and the missing one is named with its group.
refused() {
    resets=$(seen "reset bus")
    expect_exit 3 vfio-reset reset $1 --via vfio --method hot_reset
    check "$2 is named, with its group" said "$2 .*group $(group $2)"
    check "nothing was reset" test "$(seen "reset bus")" = "$resets"
}

step "the other group is nobody's"
bind_vfio $one
unbind $other
refused $one $other
check "the remedy names it" said "$other"

step "the other group has another driver"
bind $other pci-stub
refused $one $other
check "its driver is named" said "pci-stub"

step "both groups are ours"
bind_vfio $other
for function in $one $other; do
    set_register $function 0x4 2 0x0006
    config $function /tmp/before-$function
done
for function in $one $other; do
    before=$(seen "reset bus")
    expect_exit 0 vfio-reset reset $function --via vfio --method hot_reset
    check "VFIO was asked for two" said "2 functions, all ours"
    check "both were reset" test "$(seen "reset bus")" -ge $((before + 2))
    check "the one is as before" same_config $one /tmp/before-$one
    check "the other is as before" same_config $other /tmp/before-$other
done
expect_exit 0 vfio-reset plan $one
check "plan chooses it" said "Would do: hot_reset"
check "plan names both groups" sh -c "grep -q 'group $(group $one)' /tmp/out && grep -q 'group $(group $other)' /tmp/out"

step "somebody else has the other group open"
vfio-reset vfio $other --hold 20s >/tmp/held 2>&1 &
holder=$!
usleep 1500000
resets=$(seen "reset bus")
expect_exit 3 vfio-reset reset $one --via vfio --method hot_reset
check "it says who has it" said "$other .*process [0-9]+ .vfio-reset. has the group open"
check "nothing was reset" test "$(seen "reset bus")" = "$resets"
kill $holder

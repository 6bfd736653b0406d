# A virtual function through VFIO: it is reset alone, never with others; and with its physical function on VFIO too it
# needs a token, which is said.
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: igb,bus=rp1
# modules: igb

pf=0000:01:00.0
wait_for 10 bound $pf igb || fail "igb does not take $pf"
echo 2 >$D/$pf/sriov_numvfs || fail "no virtual function could be made"
vf=$(basename "$(readlink -f $D/$pf/virtfn0)")
log "virtual function $vf"
bind_vfio $vf
config $pf /tmp/pf
config $vf /tmp/vf
trace_resets

step "alone"
forget_resets
expect_exit 0 vfio-reset reset $vf --via vfio --method vfio_reset
check "the kernel did flr: '$(resets)'" test "$(resets)" = flr
check "it is as before" same_config $vf /tmp/vf
check "its physical function is as before" same_config $pf /tmp/pf

step "never with others"
forget_resets
expect_exit 4 vfio-reset reset $vf --via vfio --method hot_reset
check "the reason is given" said "virtual function"
expect_exit 3 vfio-reset reset $pf --via vfio --method hot_reset
check "the physical function's driver and the virtual ones are named" said "igb is bound"
check "and what to do" said "sriov_numvfs"
check "the kernel did none: '$(resets)'" test -z "$(resets)"

step "a token is needed when the physical function is on VFIO too"
echo 0 >$D/$pf/sriov_numvfs
echo Y >/sys/module/vfio_pci/parameters/enable_sriov
bind_vfio $pf
if echo 1 >$D/$pf/sriov_numvfs && wait_for 5 test -e $D/$pf/virtfn0; then
    vf=$(basename "$(readlink -f $D/$pf/virtfn0)")
    bind_vfio $vf
    config $vf /tmp/vf
    if test -e /dev/vfio/devices; then
        # Through iommufd this kernel asks for no token.
        expect_exit 0 vfio-reset reset $vf --via vfio --method vfio_reset
    else
        expect_exit 5 vfio-reset reset $vf --via vfio --method vfio_reset
        check "the reason is given" said "VF token"
    fi
    check "it is as before" same_config $vf /tmp/vf
else
    log "this kernel gives no virtual functions below vfio-pci"
fi

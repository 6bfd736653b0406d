# A disk behind a switch, by a hot reset at the downstream port: it, the port and its neighbour are as before, and the
# nvme driver reads it.
# disk: n0 HELLO-BEHIND-A-SWITCH
# disk: n1 HELLO-OTHER-PORT
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: x3130-upstream,id=up1,bus=rp1
# device: xio3130-downstream,id=dn1,bus=up1,chassis=31,slot=31,addr=0
# device: xio3130-downstream,id=dn2,bus=up1,chassis=32,slot=32,addr=1
# device: nvme,bus=dn1,serial=A,drive=n0
# device: nvme,bus=dn2,serial=B,drive=n1
# modules: nvme

disk=0000:03:00.0
other=0000:04:00.0
all="0000:00:01.0 0000:01:00.0 0000:02:00.0 0000:02:01.0 $disk"
trace_resets
check "the other disk is readable before" reads $other HELLO-OTHER-PORT
bind_vfio $disk
set_register $disk 0x4 2 0x0006
for function in $all; do config $function /tmp/before-$function; done

step "hot reset"
forget_resets
expect_exit 0 vfio-reset reset $disk --via vfio --method hot_reset
check "the kernel did a bus reset" test "$(count_resets bus)" = 1
for function in $all; do
    check "$function is as before" same_config $function /tmp/before-$function
done
check "nvme still has the other disk" bound $other nvme
check "the other disk is readable after" reads $other HELLO-OTHER-PORT

step "the nvme driver takes the disk"
check "nvme binds" bind $disk nvme
check "the namespace is readable after" reads $disk HELLO-BEHIND-A-SWITCH

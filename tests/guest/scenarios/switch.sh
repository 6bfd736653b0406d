# A disk behind a switch, reset at the root port above the switch: each port's whole config space comes back (bus
# numbers, windows, MSI, Slot Control, Device Control), and the nvme driver reads the namespace.
# disk: n0 HELLO-BEHIND-A-SWITCH
# disk: n1 HELLO-OTHER-PORT
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: x3130-upstream,id=up1,bus=rp1
# device: xio3130-downstream,id=dn1,bus=up1,chassis=31,slot=31,addr=0
# device: xio3130-downstream,id=dn2,bus=up1,chassis=32,slot=32,addr=1
# device: nvme,bus=dn1,serial=A,drive=n0
# device: nvme,bus=dn2,serial=B,drive=n1
# modules: nvme

root=0000:00:01.0
ports="0000:01:00.0 0000:02:00.0 0000:02:01.0"
disks="0000:03:00.0 0000:04:00.0"

step "the disks work before"
check "the first disk is readable before" reads 0000:03:00.0 HELLO-BEHIND-A-SWITCH
bind_vfio $disks
for function in $root $ports $disks; do
    config $function /tmp/before-$function
    log "$function: driver $(driver $function), MSI at $(capability $function 05), PCI Express at $(capability $function 10)"
done

# msi PORT, slot PORT, device PORT: MSI's control word, Slot Control and Device Control, in hex.
msi() { register $1 $(($(capability $1 05) + 2)) 2; }
slot() { register $1 $(($(capability $1 10) + 0x18)) 2; }
device() { register $1 $(($(capability $1 10) + 8)) 2; }

step "the ports have something to lose"
downstream="0000:02:00.0 0000:02:01.0"
for port in $downstream; do
    log "$port: MSI $(msi $port), Slot Control $(slot $port), Device Control $(device $port)"
    check "$port: MSI is enabled" test $((0x$(msi $port) & 1)) = 1
    check "$port: Slot Control is not 0" test "$(slot $port)" != 0000
done
# The kernel uses no interrupt of an upstream port, which has no slot; the root port interrupts by MSI-X.
for port in $root $ports; do
    check "$port: Device Control is not 0" test "$(device $port)" != 0000
done
check "the root port's Slot Control is not 0" test "$(slot $root)" != 0000
for port in $downstream; do
    echo "$(msi $port)" >/tmp/msi-$port
    echo "$(slot $port)" >/tmp/slot-$port
    echo "$(device $port)" >/tmp/device-$port
done

step "reset of the whole switch without restore"
for function in $root $ports $disks; do
    expect_exit 0 vfio-reset save $function --output /tmp/state-$function
done
expect_exit 7 vfio-reset reset 03:00.0 --method bus --via direct --bridge $root --test-skip-restore
check "the upstream port has lost its bus numbers" test "$(register 0000:01:00.0 0x18 4)" = 00000000
check "the disk cannot be reached" test "$(register 0000:03:00.0 0x0 4)" = ffffffff
# The root port was not reset, but its hot-plug notification stayed off without the restore.
for function in $root 0000:01:00.0; do
    expect_exit 0 vfio-reset restore /tmp/state-$function
    check "$function: config space is as before" same_config $function /tmp/before-$function
done
# Now the ports below can be reached, and have lost what they had.
for port in $downstream; do
    log "$port: MSI $(msi $port), Slot Control $(slot $port), Device Control $(device $port)"
    check "$port: config space is not as before" not same_config $port /tmp/before-$port
    for what in msi slot device; do
        check "$port: $what is lost" test "$($what $port)" != "$(cat /tmp/$what-$port)"
    done
done
for function in $downstream $disks; do
    expect_exit 0 vfio-reset restore /tmp/state-$function
    check "$function: config space is as before" same_config $function /tmp/before-$function
done

step "reset of the whole switch"
expect_exit 0 vfio-reset reset 03:00.0 --method bus --via direct --bridge $root
for function in $root $ports $disks; do
    check "$function: config space is as before" same_config $function /tmp/before-$function
done

step "reset at the downstream port alone"
expect_exit 0 vfio-reset reset 03:00.0 --method bus --via direct
for function in $root $ports $disks; do
    check "$function: config space is as before" same_config $function /tmp/before-$function
done

step "the nvme driver takes the disks"
for disk in $disks; do
    check "nvme binds to $disk" bind $disk nvme
done
check "the first disk is readable after" reads 0000:03:00.0 HELLO-BEHIND-A-SWITCH
check "the second disk is readable after" reads 0000:04:00.0 HELLO-OTHER-PORT

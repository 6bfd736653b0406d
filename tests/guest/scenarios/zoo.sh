# Forty functions at once: `list` shows each, `plan` agrees with the kernel's reset_method on each, and what `capture`
# writes can be looked at as a machine.
# disk: n1 HELLO-1
# disk: n2 HELLO-2
# disk: n3 HELLO-3
# disk: n4 HELLO-4
# disk: vb HELLO-5
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1,addr=4
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2,addr=5
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3,addr=6
# device: pcie-root-port,id=rp4,bus=pcie.0,chassis=4,slot=4,addr=7
# device: pcie-root-port,id=rp5,bus=pcie.0,chassis=5,slot=5,addr=8
# device: pcie-root-port,id=rp6,bus=pcie.0,chassis=6,slot=6,addr=9
# device: pcie-root-port,id=rp7,bus=pcie.0,chassis=7,slot=7,addr=a
# device: pcie-root-port,id=rp8,bus=pcie.0,chassis=8,slot=8,addr=b
# device: pcie-root-port,id=rp9,bus=pcie.0,chassis=9,slot=9,addr=c
# device: pcie-root-port,id=rp10,bus=pcie.0,chassis=10,slot=10,addr=d
# device: pcie-root-port,id=rp11,bus=pcie.0,chassis=11,slot=11,addr=e
# device: nvme,id=nvme1,bus=rp1,serial=NVME1,drive=n1
# device: e1000e,id=e1000e1,bus=rp2
# device: igb,id=igb1,bus=rp3
# device: nvme-subsys,id=ss0
# device: nvme,id=nvmesriov,bus=rp4,serial=NVMESRIOV,subsys=ss0,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2,max_ioqpairs=6,msix_qsize=5
# device: nvme-ns,drive=n2,bus=nvmesriov
# device: virtio-net-pci-non-transitional,romfile=,id=vnet,bus=rp5
# device: virtio-blk-pci-non-transitional,id=vblk,bus=rp6,drive=vb
# device: qemu-xhci,id=xhci1,bus=rp7
# device: nvme,id=mfnvme,bus=rp8,addr=0.0,multifunction=on,serial=MF0,drive=n3
# device: e1000e,romfile=,id=mfe1000e,bus=rp8,addr=0.1
# device: x3130-upstream,id=up1,bus=rp9
# device: xio3130-downstream,id=dn1,bus=up1,chassis=31,slot=31,addr=0
# device: xio3130-downstream,id=dn2,bus=up1,chassis=32,slot=32,addr=1
# device: nvme,id=swnvme,bus=dn1,serial=SW,drive=n4
# device: e1000e,romfile=,id=swe,bus=dn2
# device: pcie-pci-bridge,id=pb1,bus=rp10
# device: e1000,romfile=,id=ce1000,bus=pb1,addr=1
# device: edu,id=cedu,bus=pb1,addr=2
# device: ati-vga,id=vga1,bus=rp11,addr=0.0,multifunction=on
# device: ich9-intel-hda,id=hdamf,bus=rp11,addr=0.1
# device: edu,id=edu0,bus=pcie.0,addr=14
# device: bochs-display,id=bd0,bus=pcie.0,addr=15
# device: virtio-rng-pci,id=rng0,bus=pcie.0,addr=16
# device: i82801b11-bridge,id=dmi,bus=pcie.0,addr=1e
# device: rtl8139,romfile=,id=rtl,bus=dmi,addr=1
# modules: nvme igb shpchp
# timeout: 300

step "VFs"
wait_for 10 bound 0000:03:00.0 igb
echo 2 >$D/0000:03:00.0/sriov_numvfs
wait_for 10 bound 0000:04:00.0 nvme
echo 2 >$D/0000:04:00.0/sriov_numvfs
count=$(ls $D | wc -l)
log "$count functions"
check "there are at least 42 functions" test $count -ge 42

# These six (and no other) list a `bus` that they cannot do: three bridges, and the first functions of three devices or
# buses with several (listed before the kernel knew of the others).
stale_bus="0000:08:00.0 0000:09:00.0 0000:0a:00.0 0000:0d:00.0 0000:0e:01.0 0000:0f:00.0"

step "list"
expect_exit 0 vfio-reset list
for path in $D/*; do
    short=${path##*/0000:}
    grep -q "$short" /tmp/out || check "list shows $short" false
done

step "plan of each function"
for path in $D/*; do
    address=${path##*/}
    kernel=$(methods $address)
    vfio-reset plan $address --json >/tmp/plan 2>/tmp/err || {
        [ -z "$kernel" ] || check "plan $address" false
    }
    [ -s /tmp/plan ] || check "plan $address prints JSON: $(cat /tmp/err)" false
    check "plan $address: schema" test "$(lab-tool json /tmp/plan /schema)" = 1
    lab-tool json /tmp/plan /methods method available stale >/tmp/methods
    ours=$(awk '$2 == "true" || $3 == "true" { printf "%s%s", n++ ? " " : "", $1 }' /tmp/methods)
    check "plan $address: '$ours' is the kernel's '$kernel'" test "$ours" = "$kernel"
    stale=$(awk '$3 == "true" { print $1 }' /tmp/methods)
    case " $stale_bus " in
    *" $address "*) check "plan $address: bus is stale" test "$stale" = bus ;;
    *) check "plan $address: nothing is stale ($stale)" test -z "$stale" ;;
    esac
done

step "show and tree"
expect_exit 0 vfio-reset tree
expect_exit 0 vfio-reset show 01:00.0

step "capture"
expect_exit 0 vfio-reset capture --output /tmp/captured
expect_exit 0 vfio-reset --machine /tmp/captured list --json
for path in $D/*; do
    grep -q "${path##*/}" /tmp/out || check "the captured machine has ${path##*/}" false
done
expect_exit 0 vfio-reset capture --output /tmp/captured.tar.gz
expect_exit 0 vfio-reset --machine /tmp/captured.tar.gz list
expect_exit 0 vfio-reset --machine /tmp/captured.tar.gz plan 01:00.0

# What the tool refuses with exit 3 and a reason: a driver in use, a mounted file system, swap, a bus reset asked of a
# VF, a sibling under a driver. Nothing is written and everything goes on working.
# disk: n0 HELLO-NVME-NAMESPACE
# disk: n1 HELLO-SRIOV
# disk: n2 HELLO-MULTI-FUNCTION
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3
# device: nvme,bus=rp1,serial=A,drive=n0
# device: nvme-subsys,id=ss0
# device: nvme,id=pf,bus=rp2,serial=B,subsys=ss0,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2,max_ioqpairs=6,msix_qsize=5
# device: nvme-ns,drive=n1,bus=pf
# device: nvme,bus=rp3,addr=0.0,multifunction=on,serial=C,drive=n2
# device: e1000e,romfile=,bus=rp3,addr=0.1
# modules: nvme e1000e crc32c-generic ext4
# timeout: 180

nvme=0000:01:00.0
pf=0000:02:00.0
vf=0000:02:00.1
first=0000:03:00.0
second=0000:03:00.1

grep -qw ext4 /proc/filesystems || skip "this kernel has no ext4"
trace_resets

# refused_with CODE WORDS COMMAND...: ends with this code and reason; the function, its reset_method and the port above
# it are untouched.
refused_with() {
    wanted=$1
    words=$2
    shift 2
    config $function /tmp/before
    config $port /tmp/port
    list=$(methods $function)
    forget_resets
    expect_exit "$wanted" "$@"
    check "the kernel did no reset: '$(resets)'" test -z "$(resets)"
    check "reset_method is what it was" test "$(methods $function)" = "$list"
    check "the reason is given ($words)" said "$words"
    check "config space is untouched" same_config $function /tmp/before
    check "the port is untouched" same_config $port /tmp/port
}

# refused WORDS COMMAND...: the same with exit 3.
refused() { refused_with 3 "$@"; }

step "the nvme driver is bound"
function=$nvme port=0000:00:01.0
check "the namespace is readable" reads $nvme HELLO-NVME-NAMESPACE
for via in kernel direct; do
    refused "nvme" vfio-reset reset $nvme --method flr --via $via
    refused "nvme" vfio-reset reset $nvme --method bus --via $via
done
check "the namespace is still readable" reads $nvme HELLO-NVME-NAMESPACE

step "a file system is mounted"
disk=$(namespace $nvme)
mke2fs -q "$disk" 2>/dev/null || mke2fs "$disk" >/dev/null || fail "no file system could be made"
mount -t ext4 "$disk" /mnt || mount -t ext2 "$disk" /mnt || fail "the file system cannot be mounted"
echo precious >/mnt/file
refused "mount" vfio-reset reset $nvme --method flr --via kernel
check "the file is still there" grep -q precious /mnt/file
umount /mnt

step "swap is on"
mkswap "$disk" >/dev/null && swapon "$disk" || fail "swap cannot be switched on"
refused "swap" vfio-reset reset $nvme --method bus --via direct
# Not even with the driver overridden.
refused "swap" vfio-reset reset $nvme --method bus --via direct --allow driver
swapoff "$disk"

step "the user overrides: the nvme driver can live with a reset by the kernel"
function=$nvme
expect_exit 0 vfio-reset reset $nvme --method flr --via kernel --allow driver
check "nvme still has it" bound $nvme nvme

step "bus reset of a VF"
unbind $pf
bind $pf nvme
wait_for 5 test -e $D/$pf/sriov_numvfs
if echo 1 >$D/$pf/sriov_numvfs && wait_for 5 test -e $D/$vf; then
    bind_vfio $vf
    log "the kernel lists for the VF: $(methods $vf)"
    function=$pf port=0000:00:02.0
    for via in kernel direct; do
        refused "vf|virtual function" vfio-reset reset $vf --method bus --via $via
    done
    refused "virtual function" vfio-reset reset $pf --method flr --via kernel --allow driver
    check "the VF is still enabled" test "$(cat $D/$pf/sriov_numvfs)" = 1
else
    fail "no VF could be made"
fi

step "a sibling under a driver"
bind_vfio $first
check "e1000e has the sibling" bound $second e1000e
function=$first port=0000:00:03.0
refused "03:00.1" vfio-reset reset $first --method bus --via direct
# The kernel lists `bus` here and could not do it: that is no usable method rather than a danger.
refused_with 4 "03:00.1" vfio-reset reset $first --method bus --via kernel
expect_exit 0 vfio-reset reset $first --method flr --via kernel
check "e1000e still has the sibling" bound $second e1000e
# The kernel listed a stale `bus` that it does not take back: whether that is still listed or not, flr is, and first.
check "flr is still the first method" test "$(methods $first | cut -d' ' -f1)" = flr
echo "bus" >$D/$first/reset_method 2>/dev/null && log "this kernel takes bus here"
check "a list the kernel does not take changes nothing" test "$(methods $first | cut -d' ' -f1)" = flr

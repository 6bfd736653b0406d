# The methods written by ourselves, on functions other than a disk: they reset something (but QEMU's D3hot), the kernel
# takes no part, and nothing in config space differs afterwards, SR-IOV control included.
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3
# device: pcie-root-port,id=rp4,bus=pcie.0,chassis=4,slot=4
# device: igb,bus=rp1
# device: e1000e,bus=rp2
# device: qemu-xhci,bus=rp3
# device: virtio-net-pci-non-transitional,romfile=,bus=rp4
# timeout: 180

trace_resets

# took_effect BOOLEAN: whether this is what the last `run`, of a reset with --json, found of its own effect.
took_effect() { lab-tool json /tmp/out /verification what ok | grep -qx "reset took effect $1"; }

direct() {
    function=$1
    port=$2
    shift 2
    bind_vfio $function
    # As a driver leaves it: memory and bus mastering on.
    set_register $function 0x4 2 0x0006
    for method in "$@"; do
        step "$function $method"
        config $function /tmp/before
        config $port /tmp/port
        forget_resets
        case $method in
        pm)
            # QEMU's devices announce to be reset by D3hot and back, and keep every register: nothing is reset, and
            # the tool sees it.
            expect_exit 7 vfio-reset reset $function --method $method --via direct --json
            check "it saw no effect" took_effect false
            check "it says that nothing was reset" said "nothing was reset"
            ;;
        *)
            expect_exit 0 vfio-reset reset $function --method $method --via direct --json
            check "the reset took effect" took_effect true
            ;;
        esac
        check "the kernel did none: '$(resets)'" test -z "$(resets)"
        check "config space is as before" same_config $function /tmp/before
        check "the port's config space is as before" same_config $port /tmp/port
    done
}

direct 0000:01:00.0 0000:00:01.0 flr pm bus
direct 0000:02:00.0 0000:00:02.0 pm bus
direct 0000:03:00.0 0000:00:03.0 bus
direct 0000:04:00.0 0000:00:04.0 flr pm bus

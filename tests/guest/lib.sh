# Helper functions of the guest's scenarios; busybox sh. A scenario is sourced after this file and `finish` follows it.

# Where the kernel shows its PCI functions.
D=/sys/bus/pci/devices
# How many checks failed so far.
FAILED=0

# log TEXT...: a line for whoever reads the log.
log() { echo "# $*"; }

# step TEXT...: a new part of the scenario begins; the host shows it as progress.
step() { echo "LAB-STEP $*"; }

# fail TEXT...: ends the scenario: what follows would make no sense.
fail() {
    echo "not ok - $*"
    log "last kernel messages:"
    dmesg | tail -n 15
    exit 1
}

# skip TEXT...: ends the scenario: it cannot be shown on this kernel or QEMU.
skip() {
    echo "LAB-SKIP $*"
    exit 77
}

# check TEXT COMMAND...: notes whether the command succeeds, and goes on.
check() {
    check_text=$1
    shift
    if "$@"; then
        echo "ok - $check_text"
    else
        echo "not ok - $check_text ($*)"
        FAILED=$((FAILED + 1))
    fi
}

# finish: the scenario's result.
finish() {
    [ "$FAILED" = 0 ] || { echo "$FAILED checks failed"; exit 1; }
    exit 0
}

# not COMMAND...: succeeds if the command does not.
not() { ! "$@"; }

# wait_for SECONDS COMMAND...: until the command succeeds; fails if it does not in time.
wait_for() {
    wait_rounds=$(($1 * 10))
    shift
    while ! "$@" 2>/dev/null; do
        wait_rounds=$((wait_rounds - 1))
        [ $wait_rounds -gt 0 ] || return 1
        usleep 100000
    done
}

# run COMMAND...: runs it, shows its output, leaves it in /tmp/out and /tmp/err and its code in $code.
run() {
    echo "\$ $*"
    "$@" >/tmp/out 2>/tmp/err </dev/null
    code=$?
    sed 's/^/| /' /tmp/out
    sed 's/^/! /' /tmp/err
    echo "= $code"
}

# expect_exit CODES COMMAND...: runs it and checks its code; CODES is one, or several as in `3|4`.
expect_exit() {
    expected=$1
    shift
    run "$@"
    case "|$expected|" in
    *"|$code|"*) echo "ok - exit $code: $*" ;;
    *)
        echo "not ok - exit $code, expected $expected: $*"
        FAILED=$((FAILED + 1))
        ;;
    esac
}

# said WORDS: whether the last `run` printed a line that matches this extended expression, in either case of letters.
said() { cat /tmp/out /tmp/err | grep -qiE "$1"; }

# driver ADDRESS: the driver bound to a function, or nothing.
driver() { [ -e "$D/$1/driver" ] && basename "$(readlink -f "$D/$1/driver")"; }

# bound ADDRESS DRIVER: whether just that driver is bound.
bound() { [ "$(driver "$1")" = "$2" ]; }

# unbind ADDRESS: takes the driver away, if there is one.
unbind() { [ ! -e "$D/$1/driver" ] || echo "$1" >"$D/$1/driver/unbind"; }

# bind ADDRESS DRIVER: gives the function to a driver, away from its present one; whether that worked.
bind() {
    unbind "$1"
    echo "$2" >"$D/$1/driver_override"
    echo "$1" >/sys/bus/pci/drivers_probe
    wait_for 5 bound "$1" "$2"
}

# bind_vfio ADDRESS...: gives functions to vfio-pci and keeps them in D0 (vfio-pci lets idle ones sleep in D3hot).
bind_vfio() {
    for function in "$@"; do
        bind "$function" vfio-pci || fail "vfio-pci does not take $function"
        echo on >"$D/$function/power/control"
    done
}

# namespace ADDRESS: the block device of an NVMe function, under the nvme driver. With multipath the function has a
# hidden nvme0c0n1 below it, and nvme0n1 is what is read.
namespace() {
    for block in "$D/$1"/nvme/nvme*/nvme*n1; do
        [ -e "$block" ] || continue
        echo "/dev/$(basename "$block" | sed 's/c[0-9]*n/n/')"
        return 0
    done
    return 1
}

# reads ADDRESS TEXT: whether the NVMe function's namespace begins with the text (the host wrote it there).
reads() {
    wait_for 10 namespace "$1" >/dev/null || return 1
    wait_for 5 test -b "$(namespace "$1")" || return 1
    found=$(dd if="$(namespace "$1")" bs=512 count=1 2>/dev/null | head -c ${#2})
    log "$(namespace "$1") begins with: $found"
    [ "$found" = "$2" ]
}

# register ADDRESS OFFSET BYTES: a register of config space, in hex.
register() { lab-tool get "$D/$1/config" "$2" "$3"; }

# set_register ADDRESS OFFSET BYTES VALUE: writes one.
set_register() { lab-tool put "$D/$1/config" "$2" "$3" "$4"; }

# config ADDRESS FILE: copies a function's whole config space.
config() { lab-tool save "$D/$1/config" "$2"; }

# capability ADDRESS ID: offset of a capability (ID as two hex digits), or failure.
capability() {
    next=$(register "$1" 0x34 1)
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        [ "$next" != 00 ] || return 1
        if [ "$(register "$1" 0x$next 1)" = "$2" ]; then
            echo 0x$next
            return 0
        fi
        next=$(register "$1" $((0x$next + 1)) 1)
    done
    return 1
}

# events ADDRESS: the bits of a function that the hardware sets by itself and nobody restores, for `lab-tool diff`:
# errors in Status and Secondary Status, Device Status, the link's and the slot's change bits.
events() {
    echo 0x4:0xf9000000
    [ $((0x$(register "$1" 0xe 1) & 0x7f)) = 1 ] && echo 0x1c:0xf9000000
    pcie=$(capability "$1" 10) || return 0
    printf '0x%x:0x%x\n' $((pcie + 8)) 0x000f0000 $((pcie + 16)) 0xc0000000 $((pcie + 24)) 0x011f0000
}

# same_config ADDRESS FILE: whether config space is, bit by bit, what it was when FILE was written (events excepted).
same_config() {
    config "$1" /tmp/now
    lab-tool diff "$2" /tmp/now $(events "$1")
}

# methods ADDRESS: the kernel's reset_method.
methods() { cat "$D/$1/reset_method" 2>/dev/null; }

# Where the kernel traces.
T=/sys/kernel/tracing

# trace_resets: from now on the kernel notes each reset that it does itself. Looking whether a method is there
# (`probe`) calls the same functions and is none.
trace_resets() {
    [ -e $T/kprobe_events ] || mount -t tracefs tracefs $T
    echo "p:lab/flr pcie_flr" >>$T/kprobe_events &&
        echo "p:lab/pm pci_pm_reset probe=%si:u8" >>$T/kprobe_events &&
        echo "p:lab/bus pci_bridge_secondary_bus_reset" >>$T/kprobe_events &&
        echo "probe == 0" >$T/events/lab/pm/filter &&
        echo 1 >$T/events/lab/enable || fail "the kernel's resets cannot be traced"
}

# forget_resets: what was traced so far does not count.
forget_resets() { echo >$T/trace; }

# resets: the methods by which the kernel did a reset since, each once.
resets() { echo $(sed -n 's/.*: \([a-z]*\): (.*/\1/p' $T/trace | sort -u); }

# count_resets METHOD: how often the kernel did a reset by the method since.
count_resets() { grep -c ": $1: (" $T/trace; }

# host LINE...: has the host do what the line says, waits until it is done, and leaves its answer in $answer.
host() {
    echo "$*"
    while read -r reply; do
        case "$reply" in
        *HOST-DONE*)
            answer=$(echo "${reply#*HOST-DONE}" | tr -d '\r' | sed 's/^ *//')
            return 0
            ;;
        esac
    done </dev/ttyS0
}

# hmp COMMAND...: has the host send a command to QEMU's monitor.
hmp() { host "HMP> $*"; }

# serve ADDRESS BEHAVIOUR...: changes how a served function behaves from now on (`KEY = VALUE, ...`, as `behaviour` in
# a machine's description); the address is that in the simulated machine. Without a behaviour it is healthy.
serve() {
    host "SERVE> $*"
    [ "$answer" = ok ] || fail "the server says: $answer"
}

# seen TEXT...: how many lines of the server's trace contain the text, such as `01:00.0 reset flr`.
seen() {
    host "SEEN> $*" >&2
    echo "$answer"
}

# qemu_said FILE: leaves in the file what QEMU itself has printed since this was last asked, at most 32 lines: the events that
# `option: -trace NAME` asks for. It is the only observer of the devices that nothing in the guest can deceive.
qemu_said() {
    usleep 300000
    host "QEMU> said" >/dev/ttyS0
    echo "$answer" | sed 's| / |\n|g' >"$1"
}

# red METHOD: the red half of an NVMe scenario: after a direct reset of 0000:01:00.0 whose restore is left out, the nvme
# driver refuses the disk; a state saved before heals it. The namespace holds HELLO-NVME-NAMESPACE.
red() {
    nvme=0000:01:00.0
    bind_vfio $nvme
    config $nvme /tmp/before
    expect_exit 0 vfio-reset save $nvme --output /tmp/state

    step "reset without restore"
    expect_exit 7 vfio-reset reset $nvme --method $1 --via direct --test-skip-restore
    check "config space is not as before" not same_config $nvme /tmp/before

    step "the nvme driver refuses the disk"
    bind $nvme nvme
    check "nvme gives up" wait_for 40 not bound $nvme nvme
    check "the kernel says why" sh -c 'dmesg | grep "Device not ready; aborting initialisation"'
    check "there is no namespace" not namespace $nvme

    step "restore from the saved state"
    bind_vfio $nvme
    expect_exit 0 vfio-reset restore /tmp/state
    check "config space is as before" same_config $nvme /tmp/before
    check "nvme binds" bind $nvme nvme
    check "the namespace is readable" reads $nvme HELLO-NVME-NAMESPACE
}

# green METHOD: the green half: the same reset loses the BAR and Command, the tool gives them back (to the port above
# too), and the nvme driver reads the namespace.
green() {
    nvme=0000:01:00.0
    port=0000:00:01.0

    step "the disk works before"
    check "the namespace is readable before" reads $nvme HELLO-NVME-NAMESPACE
    bind_vfio $nvme
    config $nvme /tmp/before
    config $port /tmp/port
    expect_exit 0 vfio-reset save 01:00.0 --output /tmp/state
    expect_exit 0 vfio-reset save 00:01.0 --output /tmp/state-port

    step "the reset alone loses the BAR and Command"
    expect_exit 7 vfio-reset reset 01:00.0 --method $1 --via direct --test-skip-restore
    check "BAR 0 is lost" test "$(register $nvme 0x10 4)" = 00000004
    check "Command is lost" test "$(register $nvme 0x4 2)" = 0000
    expect_exit 0 vfio-reset restore /tmp/state-port
    expect_exit 0 vfio-reset restore /tmp/state
    check "restoring a saved state gives all of it back" same_config $nvme /tmp/before

    step "the reset with its restore"
    expect_exit 0 vfio-reset reset 01:00.0 --method $1 --via direct
    check "config space is as before" same_config $nvme /tmp/before
    check "the port is as before" same_config $port /tmp/port
    check "vfio-pci still has it" bound $nvme vfio-pci

    step "again, while vfio-pci lets the disk sleep"
    echo auto >$D/$nvme/power/control
    sleep 1
    log "power state: $(cat $D/$nvme/power_state)"
    expect_exit 0 vfio-reset reset 01:00.0 --method $1 --via direct
    echo on >$D/$nvme/power/control
    check "config space is as before" same_config $nvme /tmp/before

    step "the nvme driver takes the disk"
    check "nvme binds" bind $nvme nvme
    check "the namespace is readable after" reads $nvme HELLO-NVME-NAMESPACE
}

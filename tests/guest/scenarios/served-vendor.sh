# A Polaris, a Vega 10 and a Navi 10 whose registers the host's models play: each vendor sequence runs through the really
# mapped BAR, writes what it writes in process, register by register, and each function is as before.
# machine: sim:radeons
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3
# served: 01:00.0 bus=rp1,addr=0.0,multifunction=on
# served: 01:00.1 bus=rp1,addr=0.1
# served: 04:00.0 bus=rp2,addr=0.0,multifunction=on
# served: 04:00.1 bus=rp2,addr=0.1
# served: 07:00.0 bus=rp3,addr=0.0,multifunction=on
# served: 07:00.1 bus=rp3,addr=0.1
# timeout: 900

# writes FILE: what a trace wrote to registers and to configuration space, in order. What a reset has taken from the BARs
# is given back, and here they are elsewhere.
writes() { grep -E '^C?W ' "$1" | grep -vE '^CW 0x(1[048c]|2[04]) '; }

# card NAME GUEST SIMULATED: resets the card in the guest and in process.
card() {
    step "$1"
    card=0000:$2
    audio=${card%0}1
    bind_vfio $card $audio
    set_register $card 0x4 2 0x0007
    set_register $audio 0x4 2 0x0006
    config $card /tmp/before-card
    config $audio /tmp/before-audio
    expect_exit 0 vfio-reset plan $card
    check "the plan is the vendor sequence" said "Would do: vendor"
    expect_exit 0 vfio-reset --machine sim:radeons reset $3 --trace /tmp/in-process
    expect_exit 0 vfio-reset reset $card --budget 120s --trace /tmp/served
    check "the card is as before" same_config $card /tmp/before-card
    check "its audio function is as before" same_config $audio /tmp/before-audio
    writes /tmp/in-process >/tmp/writes-in-process
    writes /tmp/served >/tmp/writes-served
    log "$(wc -l </tmp/writes-served) writes"
    check "there are writes" test "$(wc -l </tmp/writes-served)" -gt 5
    check "they are the same as in process" cmp -s /tmp/writes-served /tmp/writes-in-process
    diff /tmp/writes-in-process /tmp/writes-served | head -n 20
    check "the card's registers were reached" test "$(seen "$3 write BAR 5")" -gt 5
}

card "Polaris 10" 01:00.0 01:00.0
card "Vega 10" 02:00.0 04:00.0
card "Navi 10" 03:00.0 07:00.0

step "a card that was reset can be reset again"
expect_exit 0 vfio-reset reset 02:00.0 --budget 120s

# How long a reset by the tool takes beside `echo 1 > reset`, same function, same method, in turns: at most 1.1 times.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: nvme,bus=rp1,serial=A,drive=n0
# device: e1000e,romfile=,bus=rp2
# timeout: 240

# milliseconds NANOSECONDS
milliseconds() { echo "$(($1 / 1000000)).$(printf %03d $(($1 / 1000 % 1000)))"; }

# measure NAME ADDRESS METHOD: raw_ms is the write to `reset` alone; shell_ms a shell that chooses the method, resets
# and puts the list back; ours_ms the whole process of the tool, which besides saves, waits, compares and reports.
measure() {
    step "$1 $3"
    list=$(methods $2)
    cat >/tmp/by-hand <<EOF
echo $3 >$D/$2/reset_method && echo 1 >$D/$2/reset && echo $list >$D/$2/reset_method
EOF
    rm -f /tmp/raw /tmp/shell /tmp/ours
    # The first of each is not counted.
    for round in 0 1 2 3 4 5 6 7 8 9 10; do
        echo "$3" >$D/$2/reset_method
        raw=$(lab-tool time-write $D/$2/reset 1) || fail "a write to reset failed"
        echo "$list" >$D/$2/reset_method
        shell=$(lab-tool time-run sh /tmp/by-hand) || fail "a shell's reset failed"
        ours=$(lab-tool time-run vfio-reset reset $2 --method $3 --via kernel --json) || fail "vfio-reset failed"
        [ $round = 0 ] || {
            echo $raw >>/tmp/raw
            echo $shell >>/tmp/shell
            echo $ours >>/tmp/ours
        }
    done
    raw=$(lab-tool median </tmp/raw)
    shell=$(lab-tool median </tmp/shell)
    ours=$(lab-tool median </tmp/ours)
    ratio=$(lab-tool ratio $ours $shell)
    within=$?
    echo "LAB-LATENCY method=$3 device=$1 raw_ms=$(milliseconds $raw) shell_ms=$(milliseconds $shell)" \
        "ours_ms=$(milliseconds $ours) ratio=$ratio"
    check "$1 $3 takes at most 1.1 times as long" test $within = 0
}

bind_vfio 0000:01:00.0 0000:02:00.0
measure nvme 0000:01:00.0 flr
measure nvme 0000:01:00.0 bus
measure e1000e 0000:02:00.0 pm
measure e1000e 0000:02:00.0 bus

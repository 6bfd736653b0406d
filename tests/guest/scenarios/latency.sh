# How long a reset by the tool takes beside `echo 1 > reset`, same function, same method, in turns, from the first look
# at the function to the last comparison. The ratio shall be at most 1.1; it is printed and not checked, because a busy
# host makes any figure.
# alone: it measures time
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: nvme,bus=rp1,serial=A,drive=n0
# device: e1000e,romfile=,bus=rp2
# timeout: 240

# milliseconds NANOSECONDS
milliseconds() { echo "$(($1 / 1000000)).$(printf %03d $(($1 / 1000 % 1000)))"; }

# nanoseconds: from the milliseconds of the tool's report.
nanoseconds() { awk '{ printf "%d\n", $1 * 1000000 }'; }

# measure NAME ADDRESS METHOD: what is printed, each a median:
#   raw      the write to `reset` alone, by a process that already runs
#   ours     total_ms of the tool: check, save, choose the method, reset, put the list back, wait, verify
#   direct   total_ms of the tool where it resets by its own writes: check, save, stop, reset, wait, restore, verify
#   step     its step "reset" alone
#   shell    a shell's whole process that chooses the method, resets and puts the list back
#   process  the tool's whole process, which besides looks at every function of the machine and reports
measure() {
    step "$1 $3"
    list=$(methods $2)
    cat >/tmp/by-hand <<EOF
echo $3 >$D/$2/reset_method && echo 1 >$D/$2/reset && echo $list >$D/$2/reset_method
EOF
    rm -f /tmp/samples-*
    # The first of each is not counted.
    for round in 0 1 2 3 4 5 6 7 8 9 10; do
        echo "$3" >$D/$2/reset_method
        raw=$(lab-tool time-write $D/$2/reset 1) || fail "a write to reset failed"
        echo "$list" >$D/$2/reset_method
        shell=$(lab-tool time-run sh /tmp/by-hand) || fail "a shell's reset failed"
        process=$(lab-tool time-run sh -c "exec vfio-reset reset $2 --method $3 --via kernel --json >/tmp/json") ||
            fail "vfio-reset failed"
        vfio-reset reset $2 --method $3 --via direct --json >/tmp/json-direct ||
            # QEMU's devices keep their state through D3hot, and the tool sees that nothing was reset.
            [ "$? $3" = "7 pm" ] || fail "vfio-reset failed"
        [ $round != 0 ] || continue
        echo $raw >>/tmp/samples-raw
        echo $shell >>/tmp/samples-shell
        echo $process >>/tmp/samples-process
        lab-tool json /tmp/json /total_ms | nanoseconds >>/tmp/samples-ours
        lab-tool json /tmp/json-direct /total_ms | nanoseconds >>/tmp/samples-direct
        lab-tool json /tmp/json /steps step time_ms | sed -n 's/^reset //p' | nanoseconds >>/tmp/samples-step
    done
    for name in raw ours direct step shell process; do
        median=$(lab-tool median </tmp/samples-$name) || fail "there are no samples of $name"
        eval "$name=$median"
    done
    ratio=$(lab-tool ratio $ours $raw)
    direct_ratio=$(lab-tool ratio $direct $raw)
    step_ratio=$(lab-tool ratio $step $raw)
    echo "LAB-LATENCY method=$3 device=$1 raw_ms=$(milliseconds $raw) ours_ms=$(milliseconds $ours) ratio=$ratio" \
        "direct_ms=$(milliseconds $direct) direct_ratio=$direct_ratio" \
        "step_ratio=$step_ratio shell_ms=$(milliseconds $shell) process_ms=$(milliseconds $process)" \
        "process_ratio=$(lab-tool ratio $process $shell)"
}

bind_vfio 0000:01:00.0 0000:02:00.0
measure nvme 0000:01:00.0 flr
measure nvme 0000:01:00.0 bus
measure e1000e 0000:02:00.0 pm
measure e1000e 0000:02:00.0 bus

# A display with its audio function, served by the host, that nothing but a reset of the bus resets: the plan is a hot
# reset, both functions see it, and each register is as before. With one of them elsewhere nothing is done.
# machine: sim:broken
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# served: 08:00.0 bus=rp1,addr=0.0,multifunction=on
# served: 08:00.1 bus=rp1,addr=0.1
# timeout: 400

display=0000:01:00.0
audio=0000:01:00.1
bind_vfio $display $audio
log "reset_method: '$(methods $display)' and '$(methods $audio)'"
expect_exit 4 vfio-reset reset $display --via kernel
for function in $display $audio; do
    set_register $function 0x4 2 0x0006
    config $function /tmp/before-$function
done
base=$(sed -n '1s/ .*//p' $D/$display/resource)
devmem $((base + 16)) 32 0x600d600d
expect_exit 0 vfio-reset peek $display 0 0x10
check "its memory holds a word" said "0x10: 600d600d"

step "a hot reset resets both"
expect_exit 0 vfio-reset plan $display
check "it is what plan chooses" said "Would do: hot_reset"
expect_exit 0 vfio-reset reset $display
for function in $display $audio; do
    check "$function is as before" same_config $function /tmp/before-$function
done
check "the display was reset" test "$(seen "08:00.0 reset bus")" -ge 1
check "the audio function was reset" test "$(seen "08:00.1 reset bus")" -ge 1
expect_exit 0 vfio-reset peek $display 0 0x10
check "its memory was cleared" said "0x10: 00000000"

step "the audio function is not ours"
unbind $audio
resets=$(seen "reset bus")
expect_exit 3 vfio-reset reset $display --via vfio
check "it is named" said "$audio .* not ours"
check "nothing was reset" test "$(seen "reset bus")" = "$resets"

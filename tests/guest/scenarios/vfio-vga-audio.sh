# A display with its audio function: the kernel has no reset for either, and lists a `bus` that it cannot do. A hot reset
# resets both, unasked; each register is as before. With the audio function elsewhere nothing is done.
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: ati-vga,bus=rp1,addr=0.0,multifunction=on
# device: ich9-intel-hda,bus=rp1,addr=0.1

vga=0000:01:00.0
audio=0000:01:00.1
port=0000:00:01.0
trace_resets

step "the kernel alone can do nothing"
bind_vfio $vga $audio
log "reset_method: '$(methods $vga)' and '$(methods $audio)'"
check "a write to reset fails" not sh -c "echo 1 >$D/$vga/reset"
expect_exit 4 vfio-reset reset $vga --via kernel
expect_exit 4 vfio-reset reset $vga --via vfio --method vfio_reset
check "the reason is given" said "no method that resets it alone"

step "a hot reset is what plan chooses"
expect_exit 0 vfio-reset plan $vga
check "it does" said "Would do: hot_reset"
for function in $vga $audio; do
    set_register $function 0x4 2 0x0006
    config $function /tmp/before-$function
done
config $port /tmp/port
for function in $vga $audio; do
    forget_resets
    expect_exit 0 vfio-reset reset $function
    check "the kernel reset the bus at the request and when it was closed" test "$(count_resets bus)" = 2
    check "it says so" said "reset 2 times in all"
    check "the display is as before" same_config $vga /tmp/before-$vga
    check "the audio function is as before" same_config $audio /tmp/before-$audio
    check "the port is as before" same_config $port /tmp/port
done

step "without the restore"
expect_exit 7 vfio-reset reset $vga --test-skip-restore
check "Command is not as before" test "$(register $vga 0x4 2)" != 0006
set_register $vga 0x4 2 0x0006
set_register $audio 0x4 2 0x0006

step "its ROM through VFIO"
expect_exit 0 vfio-reset vfio $vga --rom /tmp/rom
check "it begins with 55 aa" test "$(od -An -tx1 -N2 /tmp/rom | tr -d ' ')" = 55aa
echo 1 >$D/$vga/rom
cat $D/$vga/rom >/tmp/rom-sysfs
echo 0 >$D/$vga/rom
size=$(wc -c </tmp/rom-sysfs)
head -c "$size" /tmp/rom >/tmp/rom-cut
check "it is what sysfs shows ($size bytes)" cmp /tmp/rom-cut /tmp/rom-sysfs

step "the audio function is not ours"
unbind $audio
config $vga /tmp/before-$vga
forget_resets
expect_exit 3 vfio-reset reset $vga --via vfio
check "it is named" said "$audio .* not ours"
check "the kernel did none: '$(resets)'" test -z "$(resets)"
check "the display is untouched" same_config $vga /tmp/before-$vga

# romtools reads a device's ROM through the kernel and switches it off again; where it cannot, it says why. The boot
# display's ROM is in the shadow as well.
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: e1000e,bus=rp1
# device: VGA,bus=pcie.0,addr=5
# device: edu,bus=pcie.0,addr=6

network=0000:01:00.0
display=0000:00:05.0

# is_off ADDRESS: whether the ROM reads nothing, as before anyone switched it on.
is_off() { not cat "$D/$1/rom" >/tmp/off 2>&1; }

# by_hand ADDRESS FILE: the ROM as a shell reads it.
by_hand() {
    echo 1 >"$D/$1/rom"
    cat "$D/$1/rom" >"$2"
    echo 0 >"$D/$1/rom"
}

step "a ROM"
check "it is off" is_off $network
by_hand $network /tmp/by-hand
expect_exit 0 romtools read $network -o /tmp/read.rom
check "it is what a shell reads" cmp /tmp/by-hand /tmp/read.rom
check "it is the device's" said "10d3"
check "it is off again" is_off $network
expect_exit 0 romtools check /tmp/read.rom

step "a register of it"
expect_exit 0 vfio-reset peek $network 6 0
check "it is off again" is_off $network

step "nothing is overwritten"
expect_exit 1 romtools read $network -o /tmp/by-hand
check "it is off also then" is_off $network

step "a device that does not decode memory"
command=$(register $network 0x4 2)
set_register $network 0x4 2 0x0000
expect_exit 1 romtools read $network -o /tmp/none.rom
check "it says why" said "memory decoding is off"
check "no file is left" not test -e /tmp/none.rom
check "it is off after the failure" is_off $network
set_register $network 0x4 2 $command
expect_exit 0 romtools read $network -o /tmp/again.rom
check "it reads the same as before" cmp /tmp/read.rom /tmp/again.rom

step "a device without a ROM"
expect_exit 1 romtools read 00:06.0 -o /tmp/none.rom
check "it says so" said "no ROM BAR"

step "the shadow"
expect_exit 0 romtools read $display -o /tmp/display.rom
check "the kernel shows the shadow as its ROM" said "the firmware's copy"
expect_exit "0|7" romtools read $display --from shadow -o /tmp/shadow.rom
check "it is the display's" said "1234:1111"
run romtools compare /tmp/display.rom /tmp/shadow.rom
check "another device's ROM is not looked for there" not romtools read $network --from shadow -o /tmp/none.rom

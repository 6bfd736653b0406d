# A disk that answers only seconds after a bus reset is waited for and restored; one that does not answer within the
# budget ends in exit 6, and restoring it later heals it.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme

nvme=0000:01:00.0
port=0000:00:01.0
bind_vfio $nvme
config $nvme /tmp/before
config $port /tmp/port
expect_exit 0 vfio-reset save $nvme --output /tmp/state

# For this long after the reset every read of the disk gives all ones; its registers are as the reset left them.
step "an answer after 2.5 s"
lab-tool dark $D/$port/config 2500 &
usleep 200000
expect_exit 0 vfio-reset reset $nvme --method bus --via direct --budget 10s
check "a bus reset was seen" wait $!
check "config space is as before" same_config $nvme /tmp/before
check "the port is as before" same_config $port /tmp/port

step "no answer within 2 s"
lab-tool dark $D/$port/config 6000 &
usleep 200000
start=$(cut -d. -f1 /proc/uptime)
expect_exit 6 vfio-reset reset $nvme --method bus --via direct --budget 2s
took=$(($(cut -d. -f1 /proc/uptime) - start))
check "the budget was kept ($took s)" test $took -le 4
check "the reason is given" said "come back|not answer|not respond|ffff"
check "a bus reset was seen" wait $!
expect_exit 0 vfio-reset restore /tmp/state
check "config space is as before" same_config $nvme /tmp/before
check "nvme binds" bind $nvme nvme
check "the namespace is readable" reads $nvme HELLO-NVME-NAMESPACE

"""The power goes: QEMU is killed in the middle of everything, again and again. The disk keeps what the guest had it flush."""

import json
import random
import re
import subprocess
import time
from pathlib import Path

from lab.agent import CONFIG, Agent
from lab.bench import Typist, case, figure
from lab.machine import Machine

ROUNDS = 10
REPORTS = "BIN-1\\n4006381333931\\nTM-EMPTY\\nTM-DONE\\n"
# The log goes out through the serial line, character by character: what was said to the person outlives the machine.
SERIAL_LOG = "[Service]\nStandardError=file:/dev/ttyS0\nStandardOutput=file:/dev/ttyS0\n"
# The agent takes a serial line for a person's terminal.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Whole lines only: the power may go in the middle of one.
BEEP = re.compile(r'saved id=([0-9a-f-]{36}) kind="?\w+"? sequence=(\d+)\r?\n')


@case
def a_machine_whose_power_is_cut_keeps_what_beeped(bench):
    disk = bench.machine.folder / "state.raw"
    with open(disk, "wb") as file:
        file.truncate(128 << 20)
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-F", disk], check=True)
    beeped = {}
    for number in range(ROUNDS):
        with_power(bench, disk, beeped, first=number == 0, cut=True)
    pending = with_power(bench, disk, beeped, first=False, cut=False)
    figure(f"{ROUNDS} power cuts, {len(beeped)} beeps, {pending} reports in the queue, 0 lost")
    assert len(beeped) > 5 * ROUNDS, "too little happened to prove anything"


def with_power(bench, disk, beeped, first, cut):
    """One time from power to power: what beeped before is there; then more beeps. Returns how many reports wait."""
    machine = Machine(bench.machine.image, bench.machine.share)
    try:
        machine.start()
        machine.attach_disk("state", disk)
        guest, agent = machine.guest, install(machine, first)
        typist = Typist(guest, "power", "1eab:0001")
        agent.start({"name": "power", "kind": "evdev", "path": typist.node}, log="info")
        agent.until_scanner("power")
        waiting = {row["id"]: row["sequence"] for row in json.loads(guest.run(f"tallyman queue list --json --config {CONFIG}"))}
        lost = {beep: sequence for beep, sequence in beeped.items() if waiting.get(beep) != sequence}
        assert not lost, f"what beeped is gone: {lost}"
        assert agent.status()["quarantined"] == [], "a power cut is no damage"
        if cut:
            typist.order('type 1000 "EMP-7\\n"')
            typist.order(f'again 1000 300 "{REPORTS}"')
            time.sleep(random.uniform(2, 6))
            machine.cut_power()
            console = Path(machine.folder / "console.log").read_text(errors="replace")
            beeped |= {beep: int(sequence) for beep, sequence in BEEP.findall(COLOUR.sub("", console))}
        return len(waiting)
    finally:
        machine.stop()


def install(machine, first):
    guest = machine.guest
    guest.run("mount -t 9p -o trans=virtio,version=9p2000.L,ro host /mnt/host; modprobe uinput")
    guest.until("test -b /dev/vdb")
    guest.run("mkdir -p /var/lib/tallyman; mount /dev/vdb /var/lib/tallyman")
    agent = Agent(guest)
    agent.install()
    if first:
        agent.enrol()
        # From here on there is no network: what beeps stays in the queue.
        guest.stop("receiver")
        guest.run("sync")
    guest.write("/etc/systemd/system/tallyman.service.d/serial.conf", SERIAL_LOG)
    guest.run("systemctl daemon-reload")
    return agent

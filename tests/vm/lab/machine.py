"""The virtual machine: QEMU in software emulation, with USB sockets that scanners are plugged into while it runs.

Without KVM (which a test machine may lack, or have broken) and without any network. A first start boots the guest (about
20 s) and keeps its memory; later ones go on from there, in a second or two.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .channel import Channel, ChannelError
from .guest import Guest

BOOT_SECONDS = 300
QEMU = "qemu-system-x86_64"


class Machine:
    def __init__(self, image, share):
        """`image` is the folder that image.sh made; the guest sees the folder `share`, read-only."""
        self.image, self.share = Path(image), Path(share)
        # A Unix socket's path has room for 107 bytes, which a checkout's folder may exceed.
        self.folder = Path(tempfile.mkdtemp(prefix="tallyman-vm-"))
        self._qemu = self._monitor = self.guest = None

    # --- Starting and stopping

    def start(self):
        """Starts from the kept memory where there is one that fits; makes it first where there is none."""
        disk, memory = self._warm_files()
        if not memory.exists():
            self._warm_up(disk, memory)
        self._overlay(disk, self.folder / "disk.qcow2")
        self._launch(["-incoming", f"exec:cat '{memory}'"])
        self._wait_migrated()
        # The memory was kept of a machine that stood still, so it stands still.
        self.monitor("cont")
        self.guest.wait_up(60)
        # It slept since the memory was kept.
        self.guest.set_time(time.time_ns())

    def cut_power(self):
        """From one instruction to the next there is no machine any more. Disks that were attached have what was flushed."""
        self._qemu.kill()
        self._qemu.wait()

    def stop(self):
        """Ends QEMU, in order if it can, and removes what this run wrote."""
        if self._qemu and self._qemu.poll() is None:
            try:
                self.monitor("quit", seconds=5)
                self._qemu.wait(10)
            except (ChannelError, OSError, subprocess.TimeoutExpired):
                self._qemu.kill()
                self._qemu.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _warm_files(self):
        """Names that change with whatever the kept memory depends on: the disk, the machine's make, QEMU."""
        version = subprocess.run([QEMU, "--version"], capture_output=True, check=True).stdout
        parts = [(self.image / "stamp").read_bytes(), version, repr(self._make()).encode()]
        name = "warm-" + hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
        return self.image / f"{name}.qcow2", self.image / f"{name}.memory"

    def _warm_up(self, disk, memory):
        for old in self.image.glob("warm-*"):
            old.unlink()
        overlay = self.folder / "disk.qcow2"
        self._overlay(self.image / "disk.qcow2", overlay)
        self._launch([])
        self.guest.wait_up(BOOT_SECONDS)
        self.guest.run("systemctl is-system-running --wait || systemctl list-jobs; sync", seconds=BOOT_SECONDS)
        self.monitor("stop")
        self.monitor("migrate", uri=f"exec:cat >'{memory}.part'")
        self._wait_migrated()
        self.monitor("quit")
        self._qemu.wait(30)
        shutil.move(overlay, disk)
        # Its name is given last: memory that exists is whole, and its disk is there.
        os.rename(f"{memory}.part", memory)

    def _wait_migrated(self):
        deadline = time.monotonic() + 120
        while (status := self.monitor("query-migrate")["status"]) != "completed":
            if status in ("failed", "cancelled") or time.monotonic() > deadline:
                raise ChannelError(f"the guest's memory could not be kept: {status}")
            time.sleep(0.1)

    def _overlay(self, base, overlay):
        overlay.unlink(missing_ok=True)
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base), str(overlay)]
        subprocess.run(command, check=True)

    def _make(self):
        """What the machine is made of, but for its disk and its sockets."""
        return [
            # One processor, whose clock goes on by 1 ns an instruction (2^0): about the speed of a small handheld's core.
            # While the guest has something to do, its time is counted in its own work, so that a busy host makes neither
            # the agent slower nor a scanner faster. While the guest waits, its clock is the host's.
            *["-machine", "q35,i8042=off", "-cpu", "max", "-smp", "1", "-m", "512"],
            *["-accel", "tcg", "-icount", "shift=0", "-nodefaults", "-display", "none", "-nic", "none", "-no-reboot"],
            *["-device", "virtio-rng-pci", "-device", "virtio-serial-pci", "-device", "qemu-xhci,id=usb,p2=8,p3=8"],
            # Where a disk is plugged in.
            *["-device", "pcie-root-port,id=bay,chassis=1"],
            # A key press goes to a display, and from there to the keyboard that is bound to it: one display for each
            # keyboard lets each be typed on alone.
            *["-device", "bochs-display,id=screen0,romfile=", "-device", "bochs-display,id=screen1,romfile="],
            # The operator's own keyboard.
            *["-device", "usb-kbd,id=desk,bus=usb.0,port=1,serial=DESK0001,display=screen0"],
        ]

    def _launch(self, more):
        kernel = "root=/dev/vda rw console=ttyS0 quiet mitigations=off"
        log = self.folder / "qemu.log"
        command = [
            *[QEMU, *self._make()],
            *["-kernel", str(self.image / "vmlinuz"), "-initrd", str(self.image / "initrd"), "-append", kernel],
            # Nothing of the disk outlives the run, so QEMU need not wait for the host's.
            *["-drive", f"file={self.folder}/disk.qcow2,format=qcow2,if=none,id=disk,cache=unsafe"],
            *["-device", "virtio-blk-pci,drive=disk"],
            *["-virtfs", f"local,path={self.share},mount_tag=host,security_model=none,readonly=on"],
            *["-serial", f"file:{self.folder}/console.log"],
            *["-qmp", f"unix:{self.folder}/monitor,server=on,wait=off"],
            *["-chardev", f"socket,id=agent,path={self.folder}/agent,server=on,wait=off"],
            *["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"],
            *["-chardev", f"socket,id=line,path={self.folder}/line,server=on,wait=off"],
            *more,
        ]
        with open(log, "wb") as output:
            self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._monitor = self._connect("monitor")
        self._monitor.read(30)  # the greeting
        self.monitor("qmp_capabilities")
        self.guest = Guest(self._connect("agent"))

    def _connect(self, name):
        deadline = time.monotonic() + 30
        while True:
            try:
                return Channel(self.folder / name)
            except OSError:
                if self._qemu.poll() is not None or time.monotonic() > deadline:
                    raise ChannelError("QEMU did not start: " + (self.folder / "qemu.log").read_text()) from None
                time.sleep(0.02)

    # --- Hands

    def monitor(self, command, **arguments):
        return self._monitor.call(command, **arguments)

    def sleep(self, seconds=60):
        """Suspends the guest to its memory (ACPI S3), as the power button of a handheld does, and wakes it up again."""
        self.guest.order("echo mem >/sys/power/state")
        self._until_it("suspended", seconds)
        self.monitor("system_wakeup")
        self._until_it("running", seconds)
        self.guest.wait_up(seconds)

    def _until_it(self, state, seconds):
        deadline = time.monotonic() + seconds
        while (now := self.monitor("query-status")["status"]) != state:
            if time.monotonic() > deadline:
                raise ChannelError(f"the machine is {now} after {seconds} s, not {state}")
            time.sleep(0.1)

    def attach_disk(self, name, file):
        """Gives the guest a disk whose flushes reach the file, so that it outlives the machine."""
        options = {"driver": "raw", "node-name": name, "file": {"driver": "file", "filename": str(file)}}
        self.monitor("blockdev-add", **options, cache={"direct": False, "no-flush": False})
        self.monitor("device_add", driver="virtio-blk-pci", id=name, drive=name, bus="bay")

    def plug(self, driver, name, **properties):
        self.monitor("device_add", driver=driver, id=name, bus="usb.0", **properties)

    def unplug(self, name):
        self.monitor("device_del", id=name)

    def serial_line(self):
        """The scanner's end of the USB serial cable, as a plain socket."""
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(30)
        line.connect(str(self.folder / "line"))
        return line

"""Everything that a test touches: the machine, the guest, the agent, and scanners to plug in. And how tests are run."""

import json
import shlex
import shutil
import time
import traceback

from .agent import Agent
from .gadget import Gadget
from .keyboard import Keyboard
from .machine import Machine

WEDGE_BY_ID = "/dev/input/by-id/usb-QEMU_QEMU_USB_Keyboard_SCAN0001-event-kbd"
DESK_BY_ID = "/dev/input/by-id/usb-QEMU_QEMU_USB_Keyboard_DESK0001-event-kbd"
SERIAL_BY_ID = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_SER00001-if00-port0"

CASES = []


def case(test):
    """Marks a test: a function that takes the bench. Its name is a sentence."""
    CASES.append(test)
    return test


class Bench:
    def __init__(self, image, share):
        self.machine = Machine(image, share)
        self._plugged = set()

    def set_up(self):
        self.machine.start()
        self.guest = self.machine.guest
        self.guest.run("mount -t 9p -o trans=virtio,version=9p2000.L,ro host /mnt/host; modprobe uinput")
        self.agent = Agent(self.guest)
        self.agent.install()
        self.agent.enrol()
        self.desk, self.wedge = Keyboard(self.machine, "screen0"), Keyboard(self.machine, "screen1")
        self.gadget = Gadget(self.guest)

    def tidy(self):
        """Ends what a test has left running. Scanners of QEMU's stay plugged in, as they do on a desk."""
        self.agent.stop()
        self.guest.run("systemctl stop 'typist-*' 'watcher-*' 'busy-*'")
        self.gadget.unplug()

    # --- Scanners that QEMU plugs in

    def plug_wedge(self, port="2"):
        self._plug("usb-kbd", "wedge", WEDGE_BY_ID, serial="SCAN0001", display="screen1", port=port)

    def unplug_wedge(self):
        self._unplug("wedge", WEDGE_BY_ID)

    def plug_serial(self, port="3"):
        line = {"chardev": "line", "serial": "SER00001", "always-plugged": True}
        self._plug("usb-serial", "serial", SERIAL_BY_ID, port=port, **line)

    def unplug_serial(self):
        self._unplug("serial", SERIAL_BY_ID)

    def _plug(self, driver, name, link, **properties):
        if name not in self._plugged:
            self._plugged.add(name)
            self.machine.plug(driver, name, **properties)
            self.guest.until(f"test -e {link}")

    def _unplug(self, name, link):
        self._plugged.remove(name)
        self.machine.unplug(name)
        self.guest.until(f"! test -e {link}")

    # --- Pretend keyboards and second readers inside the guest

    def order(self, orders):
        """Gives several typists an order each, all at once."""
        Typist.orders(self.guest, orders)

    def typist(self, name, usb="1eab:0001"):
        return Typist(self.guest, name, usb)

    def watch(self, name, node):
        return Watcher(self.guest, name, node)


class Typist:
    """A pretend keyboard with somebody who types on it; see workbench/typist.rs for the orders."""

    def __init__(self, guest, name, usb):
        self._guest, self._unit, self._orders = guest, f"typist-{name}", 0
        self._fifo = f"/run/{self._unit}"
        guest.run(f"rm -f {self._fifo}; mkfifo {self._fifo}")
        # Hardware types, whatever the processor has to do: so this one goes before every other program.
        command = f"/usr/bin/workbench typist {self._fifo} {name} {usb}"
        guest.start(self._unit, command, "CPUSchedulingPolicy=fifo", "CPUSchedulingPriority=50")
        guest.until(f"grep -q node /run/{self._unit}.out")
        self.node = self._said()[0]["node"]
        # udev gives it to the group input a moment later.
        guest.until(f"test $(stat -c %G {self.node}) = input")

    def order(self, order):
        """Gives an order and goes on at once."""
        self.orders(self._guest, {self: order})

    @staticmethod
    def orders(guest, orders):
        """Gives several typists an order each, all at once: one that types already must not be disturbed by the next."""
        for typist in orders:
            typist._orders += 1
        guest.run("\n".join(f"echo {shlex.quote(order)} >{typist._fifo}" for typist, order in orders.items()))

    def type(self, text, rate=1000):
        self.order(f"type {rate} {json.dumps(text)}")
        return self.finish()

    def finish(self, seconds=120):
        """Waits until all orders are done, and returns what was said of the last."""
        # Without looking again and again: starting programs in the guest takes the processor from the reader.
        said = f"<(exec tail --lines=+1 --follow --pid=$$ /run/{self._unit}.out)"
        self._guest.run(f"timeout {seconds} grep --max-count={self._orders} --count done < {said}", seconds + 10)
        return self._said()[-1]

    def _said(self):
        return self._guest.read_json_lines(f"/run/{self._unit}.out")


class Watcher:
    """A second reader of a keyboard."""

    def __init__(self, guest, name, node):
        self._guest, self._unit = guest, f"watcher-{name}"
        guest.start(self._unit, f"/usr/bin/workbench watcher {node}")
        guest.until(f"grep -q watching /run/{self._unit}.out")

    def stop(self):
        """The keys that it saw going down."""
        self._guest.stop(self._unit)
        return [line for line in self._guest.read(f"/run/{self._unit}.out").splitlines() if line.startswith("KEY_")]


def label(prefix, number, length=50):
    """What the typist's order `labels` types: see workbench/typist.rs."""
    fill = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-./"
    text = f"{prefix}-{number:05}-"
    return text + "".join(fill[(number * 7 + place * 3) % len(fill)] for place in range(len(text), length))


def figure(text):
    """A measurement, for people to read."""
    print(f"     {text}", flush=True)


def run_cases(image, share, wanted):
    """Runs the cases whose names hold one of the wanted words (all, if there is none); returns how many failed."""
    cases = [test for test in CASES if not wanted or any(word in test.__name__ for word in wanted)]
    bench, failed = Bench(image, share), 0
    try:
        started = time.monotonic()
        bench.set_up()
        print(f"the machine is up after {time.monotonic() - started:.1f} s", flush=True)
        for test in cases:
            failed += not passes(test, bench)
    finally:
        bench.machine.stop()
    print(f"\n{len(cases) - failed} passed, {failed} failed")
    return failed + (not cases)


def passes(test, bench):
    name, started = test.__name__.replace("_", " "), time.monotonic()
    try:
        test(bench)
    except Exception as error:  # whatever went wrong, the next test has its turn
        print(f"FAILED {name}: {error}", flush=True)
        traceback.print_exc()
        return False
    finally:
        bench.tidy()
    print(f"ok {name} ({time.monotonic() - started:.1f} s)", flush=True)
    return True


def share_folder(image, files):
    """Puts files where the guest sees them."""
    share = image / "share"
    share.mkdir(exist_ok=True)
    for file in files:
        shutil.copy(file, share)
    return share

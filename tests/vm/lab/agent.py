"""The agent in the guest: the real binary as the real service, and what it says it has read."""

import contextlib
import json
import re
import time

CONFIG = "/etc/tallyman/tallyman.toml"
LOG = "/run/tallyman.log"
RECEIVER_PORT = 8069
CATALOG = "/etc/tallyman/catalog.json"
CODE = "7K2QF-0H3MN-9PRST-VWXYZ"

# As the product ships it, but with a log that tells every scan, and in a file that nobody rotates or throttles.
DROP_IN = f"""[Service]
EnvironmentFile=/run/tallyman.environment
StandardError=file:{LOG}
StandardOutput=file:{LOG}
Restart=no
"""
HEAD = f"""state_dir = "/var/lib/tallyman"
[page]
listen = "127.0.0.1:8640"
[catalog]
file = "{CATALOG}"
[odoo]
allow_plain_http = true
retry_max_seconds = 1
"""
# What makes a report: this person, at this bin, with this item.
KNOWN = {
    "operators": [{"badge": "EMP-7", "name": "Ada"}],
    "bins": [{"code": "BIN-1"}],
    "products": [{"code": "4006381333931", "name": "Highlighter"}],
    "documents": [],
}
# Nobody is signed on, so the agent says of every code that it knows no such badge, and repeats it whole.
TOLD = re.compile(r'told the operator feedback=NotUnderstood \{ read: "((?:[^"\\]|\\.)*)", help: "([^"]*)"')
ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))")
PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
CUT_OFF = "The code was cut off"


class Agent:
    def __init__(self, guest):
        self._guest = guest

    def install(self):
        """As the README says, with the binary from the host's share."""
        self._guest.run(
            "id -u tallyman >/dev/null 2>&1 || useradd --system --groups input,dialout tallyman; "
            "install -m 755 /mnt/host/tallyman /mnt/host/workbench /usr/bin/; "
            "install -m 644 /mnt/host/tallyman.service /etc/systemd/system/; "
            "mkdir -p /etc/tallyman /etc/systemd/system/tallyman.service.d"
        )
        self._guest.write("/etc/systemd/system/tallyman.service.d/bench.conf", DROP_IN)
        self._guest.write(CATALOG, json.dumps(KNOWN))
        self._guest.run("systemctl daemon-reload")

    def enrol(self):
        """With the receiver that runs beside it."""
        self._guest.start("receiver", f"/usr/bin/workbench receiver {RECEIVER_PORT}")
        self._guest.until("grep -q listening /run/receiver.out")
        self._guest.write(CONFIG, HEAD)
        self._guest.run(
            "install -d -o tallyman -g tallyman -m 700 /var/lib/tallyman; runuser -u tallyman -- "
            f"tallyman enroll --config {CONFIG} --url http://127.0.0.1:{RECEIVER_PORT} --code {CODE}"
        )

    def start(self, *scanners, log="debug"):
        """(Re)starts the service with these [[scanner]] blocks, each a dict, and waits until it says it is ready.

        Only the log of debug level tells every scan; a measurement of speed does without it.
        """
        self.stop()
        self._guest.write("/run/tallyman.environment", f"RUST_LOG={log}\n")
        self._guest.write(CONFIG, HEAD + "".join(map(scanner_block, scanners)))
        status, _ = self._guest.attempt(f"rm -f {LOG}; systemctl start tallyman")
        if status != 0:
            raise AssertionError(f"the agent did not start:\n{self.log()}")

    def stop(self):
        self._guest.run("systemctl stop tallyman; systemctl reset-failed tallyman 2>/dev/null || true")

    def signal(self, name):
        self._guest.run(f"systemctl kill --signal={name} tallyman")

    def pid(self):
        return int(self._guest.run("systemctl show -p MainPID --value tallyman"))

    def log(self):
        return self._guest.read(LOG)

    def status(self):
        return json.loads(self._guest.run(f"tallyman status --json --config {CONFIG}"))

    def cpu(self):
        """CPU time used so far, in seconds."""
        used = self._guest.run("grep usage_usec /sys/fs/cgroup/system.slice/tallyman.service/cpu.stat")
        return int(used.split()[1]) / 1e6

    def waits(self):
        """How often each thread went to sleep, by its number and name."""
        wanted = "'^(Name|Pid|voluntary_ctxt_switches):'"
        words = self._guest.run(f"cat /proc/{self.pid()}/task/*/status | grep -E {wanted}").split()[1::2]
        return {(pid, name): int(count) for name, pid, count in zip(*[iter(words)] * 3)}

    def until_scanner(self, name, connected=True):
        """Waits until the agent says of a scanner that it holds it, or that it doesn't."""

        def is_so(status):
            return any(scanner["name"] == name and scanner["connected"] == connected for scanner in status["scanners"])

        self.until_status(f"{name} to be {'connected' if connected else 'away'}", is_so)

    def until_held(self, name, hold, node=None, seconds=60):
        """Waits until the agent says how it holds a scanner's device: "grabbed", "waiting" or "watched"."""

        def is_so(status):
            held = [device for scanner in status["scanners"] if scanner["name"] == name for device in scanner["devices"]]
            return any(device["hold"] == hold and node in (None, device["node"]) for device in held)

        self.until_status(f"{node or name} to be {hold}", is_so, seconds)

    def until_status(self, what, is_so, seconds=60):
        deadline = time.monotonic() + seconds
        while not is_so(status := self.status()):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s for {what}: {status}\n{self.log()[-3000:]}")
            time.sleep(0.1)
        return status

    def scans(self):
        """Every code since the start, in order: its text, or its text and CUT_OFF for one that lacks something."""
        return [(unescape(text), CUT_OFF in help) for text, help in TOLD.findall(self.log())]

    def until_scans(self, count, seconds=60):
        """Waits until that many codes were read, and returns all that were by then."""
        deadline = time.monotonic() + seconds
        while len(scans := self.scans()) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(scans)} of {count} codes came within {seconds} s:\n{self.log()[-3000:]}")
            time.sleep(0.2)
        return scans

    @contextlib.contextmanager
    def test_of_scanners(self):
        """While this goes on, scans go to `tallyman scan` and make no reports."""
        self._guest.start("tester", f"/usr/bin/tallyman scan --json --config {CONFIG}")
        try:
            self.until_status("a test of the scanners", lambda status: status["testing"])
            yield Test(self._guest)
        finally:
            self._guest.stop("tester")


class Test:
    """What `tallyman scan --json` prints in the guest."""

    def __init__(self, guest):
        self._guest = guest

    def until_scans(self, count, seconds=30):
        """Waits until that many codes were shown, and returns all that were by then."""
        deadline = time.monotonic() + seconds
        while len(scans := self._guest.read_json_lines("/run/tester.out")) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(scans)} of {count} codes were shown within {seconds} s")
            time.sleep(0.2)
        return scans


def scanner_block(scanner):
    """JSON's strings, numbers and truth values are TOML's too."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in scanner.items()]
    return "\n".join(["[[scanner]]", *lines, ""])


def unescape(text):
    """Undoes how Rust writes a string for a person who debugs."""

    def character(match):
        code, plain = match.groups()
        return chr(int(code, 16)) if code else PLAIN_ESCAPES.get(plain, plain)

    return ESCAPE.sub(character, text)

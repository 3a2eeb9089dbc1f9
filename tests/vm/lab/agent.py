"""The agent in the guest: the real binary as the real service, and what it says it has read."""

import json
import re
import time

CONFIG = "/etc/tallyman/tallyman.toml"
LOG = "/run/tallyman.log"
RECEIVER_PORT = 8069
CODE = "7K2QF-0H3MN-9PRST-VWXYZ"

# As the product ships it, but with a log that tells every scan, and in a file that nobody rotates or throttles.
DROP_IN = f"""[Service]
Environment=RUST_LOG=debug
StandardError=file:{LOG}
StandardOutput=file:{LOG}
Restart=no
"""
HEAD = """state_dir = "/var/lib/tallyman"
[page]
listen = "127.0.0.1:8640"
[odoo]
allow_plain_http = true
retry_max_seconds = 1
"""
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
        )
        self._guest.write("/etc/systemd/system/tallyman.service.d/bench.conf", DROP_IN)
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

    def start(self, *scanners):
        """(Re)starts the service with these [[scanner]] blocks, each a dict, and waits until it says it is ready."""
        self.stop()
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

    def until_scanner(self, name, connected=True, seconds=60):
        """Waits until the agent says of a scanner that it holds it, or that it doesn't."""
        deadline = time.monotonic() + seconds
        while True:
            states = {scanner["name"]: scanner for scanner in self.status()["scanners"]}
            if name in states and states[name]["connected"] == connected:
                return
            if time.monotonic() > deadline:
                wanted = "connected" if connected else "away"
                raise AssertionError(f"{name} is not {wanted} after {seconds} s: {states.get(name)}\n{self.log()}")
            time.sleep(0.1)

    def scans(self):
        """Every code since the start, in order: its text, or its text and CUT_OFF for one that lacks something."""
        return [
            (unescape(text), CUT_OFF in help) for text, help in TOLD.findall(self.log())
        ]

    def until_scans(self, count, seconds=60):
        """Waits until that many codes were read, and returns all that were by then."""
        deadline = time.monotonic() + seconds
        while len(scans := self.scans()) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(scans)} of {count} codes came within {seconds} s:\n{self.log()[-3000:]}")
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

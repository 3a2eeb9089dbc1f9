"""What runs inside the virtual machine, as root, through the guest agent: it needs no network and no login."""

import base64
import json
import shlex
import time

from .channel import ChannelError


WRITE_AT_ONCE = 1 << 16


class GuestError(Exception):
    """A command in the guest failed or took too long; says what it printed."""


class Guest:
    def __init__(self, channel):
        self._channel = channel

    def wait_up(self, seconds):
        deadline = time.monotonic() + seconds
        while not self._channel.is_answering(2):
            if time.monotonic() > deadline:
                raise ChannelError("the guest never answered")

    def set_time(self, nanoseconds):
        self._channel.call("guest-set-time", time=nanoseconds)

    def is_idle(self):
        """Answers when the guest comes round to it: a way to wait until it has dealt with what was sent before."""
        self._channel.call("guest-ping")

    def run(self, command, seconds=60):
        """Runs a command of the shell and returns what it printed, on either stream."""
        status, output = self.attempt(command, seconds)
        if status != 0:
            raise GuestError(f"`{command}` ended with {status}: {output}")
        return output

    def attempt(self, command, seconds=60):
        """Like run, with the exit status."""
        process = self._channel.call("guest-exec", **_shell(command))["pid"]
        deadline, pause = time.monotonic() + seconds, 0.02
        while not (answer := self._channel.call("guest-exec-status", pid=process))["exited"]:
            if time.monotonic() > deadline:
                raise GuestError(f"`{command}` did not end within {seconds} s")
            time.sleep(pause)
            pause = min(0.5, pause * 1.5)
        output = base64.b64decode(answer.get("out-data", "")).decode(errors="replace")
        return answer.get("exitcode", -answer.get("signal", 1)), output.strip()

    def order(self, command):
        """Has a command run without waiting for an answer: the guest may be asleep before it can give one. `wait_up`, when
        it is awake again, throws a late answer away."""
        self._channel.send("guest-exec", **_shell(command))

    def until(self, condition, seconds=60):
        """Waits inside the guest until a command of the shell succeeds; returns how long that took, in seconds."""
        started = time.monotonic()
        patience = f"end=$((SECONDS + {seconds})); until {condition}; do ((SECONDS < end)) || exit 1; sleep 0.1; done"
        status, output = self.attempt(patience, seconds + 60)
        if status != 0:
            raise GuestError(f"`{condition}` was not so within {seconds} s: {output}")
        return time.monotonic() - started

    def start(self, name, command, *properties):
        """Starts a process that goes on, as a unit of its own; what it prints goes to /run/NAME.out."""
        output = f"/run/{name}.out"
        self.run(
            f"rm -f {output}; systemctl reset-failed {name} 2>/dev/null; "
            f"systemd-run -q --unit={name} --collect -p StandardOutput=file:{output} -p StandardError=inherit "
            + "".join(f"-p {setting} " for setting in properties)
            + command
        )

    def stop(self, name):
        self.attempt(f"systemctl stop {name}")

    def write(self, path, content):
        """Writes a file whose folder is there."""
        data = content.encode() if isinstance(content, str) else content
        handle = self._channel.call("guest-file-open", path=path, mode="w")
        while data:
            part = base64.b64encode(data[:WRITE_AT_ONCE]).decode()
            data = data[self._channel.call("guest-file-write", handle=handle, buf_b64=part)["count"] :]
        self._channel.call("guest-file-close", handle=handle)

    def read(self, path):
        return self.attempt(f"cat {path}")[1]

    def read_json_lines(self, path):
        return [json.loads(line) for line in self.read(path).splitlines() if line.startswith("{")]


def _shell(command):
    return {"path": "/bin/bash", "arg": ["-c", "exec 2>&1; " + command], "capture-output": True}

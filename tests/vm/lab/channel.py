"""QEMU's two control channels, its own (QMP) and the guest agent's: both are lines of JSON on a Unix socket."""

import json
import select
import socket
import time

# Sent before a guest agent's line to end whatever half a line it may still hold, and by it before an answer.
FLUSH = b"\xff"
SEND_SECONDS = 30


class ChannelError(Exception):
    """The other side refused a command, went away, or didn't answer in time."""


class Channel:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        # For sending; reading has its own limits.
        self._socket.settimeout(SEND_SECONDS)
        self._socket.connect(str(path))
        self._unread = b""

    def close(self):
        self._socket.close()

    def call(self, command, seconds=60, **arguments):
        """Sends a command and returns what it returned. Underscores in argument names stand for hyphens."""
        self.send(command, **arguments)
        deadline = time.monotonic() + seconds
        while True:
            message = self.read(deadline - time.monotonic())
            if "error" in message:
                raise ChannelError(f"{command}: {message['error'].get('desc', message['error'])}")
            if "return" in message:
                return message["return"]
            # Anything else is an event, which nobody here waits for.

    def send(self, command, **arguments):
        """Sends a command whose answer nobody waits for."""
        arguments = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._send({"execute": command, "arguments": arguments})

    def is_answering(self, seconds):
        """Asks a guest agent for a number that it hasn't said before: answers to older questions are thrown away."""
        number = time.monotonic_ns() & 0x7FFFFFFF
        self._socket.sendall(FLUSH)
        self._send({"execute": "guest-sync", "arguments": {"id": number}})
        deadline = time.monotonic() + seconds
        try:
            while self.read(deadline - time.monotonic()).get("return") != number:
                pass
        except ChannelError:
            return False
        return True

    def read(self, seconds):
        """The next message."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._unread:
            left = max(0, deadline - time.monotonic())
            if not select.select([self._socket], [], [], left)[0]:
                raise ChannelError("no answer in time")
            received = self._socket.recv(1 << 16)
            if not received:
                raise ChannelError("the other side closed the channel")
            self._unread += received
        line, self._unread = self._unread.split(b"\n", 1)
        return json.loads(line.lstrip(FLUSH) or b"{}")

    def _send(self, message):
        self._socket.sendall(json.dumps(message).encode() + b"\n")

"""Types on one of QEMU's USB keyboards, as a scanner that pretends to be one, or as its operator."""

import time

# QEMU gives the guest one key event each 8 ms and keeps 16 of them meanwhile; what comes on top is dropped without a word.
# So each waits for the guest to come round: a guest that gets no time from its host slows the typist, and loses nothing.
# Twice the 8 ms, for a guest that is behind catches up only then.
PERIOD = 0.016

NAMED = {" ": "spc", "\r": "ret", "\t": "tab", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right"}
NAMED |= {";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash"}
SHIFTED = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./"))
GS = "\x1d"


def key_events(character):
    """The keys that type a character on a US keyboard, as (QEMU's name, whether it goes down)."""
    if character == GS:
        held, key = "ctrl", "]"
    elif character.isupper() or character in SHIFTED:
        held, key = "shift", SHIFTED.get(character, character.lower())
    else:
        held, key = None, character
    name = NAMED.get(key, key)
    tap = [(name, True), (name, False)]
    return [(held, True), *tap, (held, False)] if held else tap


class Keyboard:
    def __init__(self, machine, screen):
        self._machine, self._screen = machine, screen

    def type(self, text):
        for event in (event for character in text for event in key_events(character)):
            self._send(*event)
            time.sleep(PERIOD)
            self._machine.guest.is_idle()

    def _send(self, name, down):
        event = {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}
        self._machine.monitor("input-send-event", device=self._screen, events=[event])

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


def stroke(character):
    """The modifier that is held, if any, and the key that types a character on a US keyboard."""
    if character == GS:
        return "ctrl", "]"
    if character.isupper() or character in SHIFTED:
        return "shift", SHIFTED.get(character, character.lower())
    return None, character


def key_events(character):
    """The same as (QEMU's name, whether it goes down)."""
    held, key = stroke(character)
    name = NAMED.get(key, key)
    tap = [(name, True), (name, False)]
    return [(held, True), *tap, (held, False)] if held else tap


# HID usage tables, keyboard page: the usages of these characters' keys follow one another from 0x04 on. 0x32 is a key that
# a US keyboard doesn't have.
USAGES = {character: 0x04 + place for place, character in enumerate("abcdefghijklmnopqrstuvwxyz1234567890\r\0\0\t -=[]\\\0;'`,./")}
MODIFIERS = {"ctrl": 0x01, "shift": 0x02}


def boot_reports(text):
    """What a boot keyboard reports while it types a text: for each character its key with its modifier, then nothing."""
    reports = b""
    for character in text:
        held, key = stroke(character)
        reports += bytes([MODIFIERS.get(held, 0), 0, USAGES[key]]) + bytes(13)
    return reports


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

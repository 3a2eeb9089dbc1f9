"""Scanners that the guest plays itself: a USB gadget on a pretend host controller (dummy_hcd).

One device with a HID POS scanner, which the guest sees as /dev/hidraw*, a CDC-ACM one, /dev/ttyACM0, and keyboards. This
controller takes reports more often than USB asks a keyboard, so the keyboards keep to the pace of a real host themselves.
"""

import base64
import json
import shlex

from .keyboard import boot_reports

FOLDER = "/sys/kernel/config/usb_gadget/scanner"
BY_ID = "/dev/serial/by-id/usb-Bench_POS_Scanner_SN42-if01"

# No distribution gives hidraw devices to a group; whoever installs a HID POS scanner must.
RULES = "/etc/udev/rules.d/70-bench.rules"
RULE = 'SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0c2e", ATTRS{idProduct}=="0b61", GROUP="input", MODE="0660"'

REPORT_ID = 2
# Characters of a code that one report holds.
ROOM = 56
# From HID POS usage tables 1.02: Bar Code Scanner, its Scanned Data Report, the three characters of the AIM identifier,
# the data, and whether more follows. The length is the generic desktop page's Byte Count.
DESCRIPTOR = bytes.fromhex(
    "058c 0902 a101"  # usage page: bar code scanner; usage: bar code scanner; application collection
    "0912 a102 8502"  # usage: scanned data report; logical collection; report 2
    "1500 26ff00 7508"  # values are bytes
    "0501 093b 9501 8102"  # Byte Count
    "058c 09fb 09fc 09fd 9503 8102"  # Symbology Identifier 1 to 3
    f"09fe 95{ROOM:02x} 820201"  # Decoded Data, a row of buffered bytes
    "09ff 2501 7501 9501 8102"  # Decode Data Continued, one bit
    "9507 8103"  # seven bits of padding
    "c0 c0"
)
KEYBOARDS = 3
# From HID 1.11, appendix B: the report of a boot keyboard, eight bytes: modifiers, one reserved, six keys.
BOOT_KEYBOARD = bytes.fromhex(
    "0501 0906 a101"  # usage page: generic desktop; usage: keyboard; application collection
    "0507 19e0 29e7 1500 2501 7501 9508 8102"  # Ctrl, Shift, Alt and Meta, both sides: a bit each
    "9501 7508 8103"  # reserved
    "9506 7508 1500 2565 0507 1900 2965 8100"  # six keys that are down
    "c0"
)


def escaped(data):
    """For the shell's printf."""
    return "".join(f"\\x{byte:02x}" for byte in data)


class Gadget:
    def __init__(self, guest):
        self._guest = guest

    def plug(self):
        """Puts the device together where that is still to be done, and connects it."""
        self._guest.run(
            f"""set -e
            if ! test -e {RULES}; then
              echo '{RULE}' >{RULES}
              udevadm control --reload
            fi
            modprobe -a dummy_hcd libcomposite
            mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
            if ! test -d {FOLDER}; then
              mkdir -p {FOLDER}/strings/0x409 {FOLDER}/configs/c.1 {FOLDER}/functions/hid.pos {FOLDER}/functions/acm.line
              cd {FOLDER}
              echo 0x0c2e >idVendor
              echo 0x0b61 >idProduct
              echo Bench >strings/0x409/manufacturer
              echo 'POS Scanner' >strings/0x409/product
              echo SN42 >strings/0x409/serialnumber
              echo {1 + 1 + 3 + ROOM + 1} >functions/hid.pos/report_length
              printf '{escaped(DESCRIPTOR)}' >functions/hid.pos/report_desc
              ln -s functions/hid.pos functions/acm.line configs/c.1/
              for keys in $(seq {KEYBOARDS}); do
                mkdir functions/hid.keys$keys
                echo 8 >functions/hid.keys$keys/report_length
                echo 1 >functions/hid.keys$keys/no_out_endpoint
                printf '{escaped(BOOT_KEYBOARD)}' >functions/hid.keys$keys/report_desc
                ln -s functions/hid.keys$keys configs/c.1/
              done
            fi
            ls /sys/class/udc >{FOLDER}/UDC"""
        )
        self._guest.until(f"test -e {BY_ID} && ls /sys/class/hidraw/*/device/uevent | xargs grep -q 'POS Scanner'")

    def unplug(self):
        self._guest.run(f"! grep -qs . {FOLDER}/UDC || echo '' >{FOLDER}/UDC")
        self._guest.until(f"! test -e {BY_ID}")

    def scan(self, aim, code):
        """Reads a bar code: reports of ROOM characters each."""
        data = code.encode()
        for place in range(0, len(data), ROOM):
            part = data[place : place + ROOM]
            more = bytes([place + ROOM < len(data)])
            report = bytes([REPORT_ID, len(part)]) + aim.encode() + part.ljust(ROOM, b"\0") + more
            self._write("/dev/hidg0", report)

    def send(self, text):
        self._write("/dev/ttyGS0", text.encode())

    def keyboard(self, number):
        """The stable name of a keyboard, counted from 0. Its interface stands behind the POS scanner's and the line's two."""
        return f"/dev/input/by-id/usb-Bench_POS_Scanner_SN42-if{number + 3:02}-event-kbd"

    def type(self, texts, rate):
        """Types on the first keyboards, a text on each, all at once, so many reports a second; returns what was said of it."""
        pairs = []
        for number, text in enumerate(texts):
            self._guest.write(f"/run/reports-{number}", boot_reports(text))
            pairs.append(f"/run/reports-{number} /dev/hidg{number + 1}")
        # Before every other program, as hardware does: the next report is there when the host asks for it.
        return json.loads(self._guest.run(f"chrt --fifo 50 workbench reports {rate} {' '.join(pairs)}", seconds=300))

    def _write(self, node, data):
        # In one piece: each write to a HID gadget is a report.
        encoded = shlex.quote(base64.b64encode(data).decode())
        self._guest.run(f"echo {encoded} | base64 -d | dd of={node} bs={len(data)} iflag=fullblock status=none")

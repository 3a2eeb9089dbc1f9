"""Scanners that are neither of QEMU's: the guest plays them itself, with the kernel's USB gadgets on a pretend host."""

from lab.bench import case, figure

from . import expect

POS = {"name": "pos", "kind": "hidraw", "usb": "0c2e:0b61"}
MODEM = {"name": "modem", "kind": "serial", "usb": "0c2e:0b61", "terminator": "cr"}


@case
def a_hid_pos_scanner_gives_its_symbology_with_the_code(bench):
    bench.gadget.plug()
    bench.agent.start(POS)
    bench.agent.until_scanner("pos")
    long = "01040063813339311724123110" + "L" * 60
    with bench.agent.test_of_scanners() as test:
        bench.gadget.scan("]E0", "4006381333931")
        bench.gadget.scan("]C1", long)
        seen = test.until_scans(2)
    figure(", ".join(f"{scan['kind']} {scan['printable'][:24]}" for scan in seen))
    assert [bytes.fromhex(scan["hex"]).decode() for scan in seen] == ["]E04006381333931", "]C1" + long], seen
    assert seen[0]["gtin14"] == seen[1]["gtin14"] == "04006381333931", seen
    assert not seen[0]["flaws"], seen[0]


@case
def a_cdc_acm_scanner_is_read_and_found_again_by_its_usb_id(bench):
    bench.gadget.plug()
    bench.agent.start(MODEM)
    bench.agent.until_scanner("modem")
    bench.gadget.send("A-1\x1dx\rA-2\r")
    bench.agent.until_scans(2)
    bench.gadget.unplug()
    bench.agent.until_scanner("modem", connected=False)
    bench.gadget.plug()
    bench.agent.until_scanner("modem")
    bench.gadget.send("A-3\r")
    expect.whole(bench.agent.until_scans(3), ["A-1\x1dx", "A-2", "A-3"])
    bench.gadget.unplug()

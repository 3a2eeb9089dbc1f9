#!/usr/bin/env python3
"""What biip (an independent implementation, from PyPI) makes of codes: one JSON question a line in, one JSON answer out.

    {"as": "message" | "gtin" | "upc" | "link", "text": "..."}  ->  {"elements": [["01", "..."]], "gtin": "..."} or {"refused": "why"}
"""

import json
import sys

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_messages import GS1Message
from biip.gtin import Gtin
from biip.upc import Upc


def answer(kind, text):
    if kind == "message":
        return {"elements": [[e.ai.ai, e.value] for e in GS1Message.parse(text).element_strings]}
    if kind == "link":
        return {"elements": [[e.ai.ai, e.value] for e in GS1DigitalLinkURI.parse(text).element_strings]}
    if kind == "gtin":
        return {"gtin": Gtin.parse(text).as_gtin_14()}
    return {"gtin": Upc.parse(text).as_upc_a().zfill(14)}


for line in sys.stdin:
    question = json.loads(line)
    try:
        said = answer(question["as"], question["text"])
    except ParseError as error:
        said = {"refused": str(error)}
    print(json.dumps(said))

#!/usr/bin/env python3
"""Makes cases.json from GS1's Barcode Syntax Dictionary: the table as data, and good and bad values for every identifier.

    make_cases.py gs1-syntax-dictionary.txt > cases.json

GS1 publishes the dictionary in its repository gs1/gs1-syntax-dictionary. This reader and its checks share nothing with the
Rust ones: they are written from the dictionary's header and from the names of its checks, so that a mistake has to be made
twice, in two languages, to go unseen.
"""

import json
import re
import sys

DIGITS = "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CSET82 = "!\"%&'()*+,-./" + DIGITS + ":;<=>?" + UPPER + "_" + UPPER.lower()
ALPHABET = {"N": DIGITS, "X": CSET82, "Y": "#-/" + DIGITS + UPPER, "Z": "-_" + DIGITS + UPPER + UPPER.lower()}
OUTSIDE = {"N": "A", "X": "^", "Y": "a", "Z": "+"}


def check_digit(digits):
    weighted = (int(d) * (3, 1)[place % 2] for place, d in enumerate(reversed(digits)))
    return str(-sum(weighted) % 10)


def check_pair(data):
    primes = [n for n in range(2, 110) if all(n % d for d in range(2, n))]
    total = sum(CSET82.index(c) * p for c, p in zip(reversed(data), primes)) % 1021
    pair = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    return pair[total // 32] + pair[total % 32]


def iban_check(country, account):
    spelled = "".join(str(int(c, 36)) for c in account + country + "00")
    return f"{98 - int(spelled) % 97:02}"


def run(characters, length):
    """A value of the wished length that uses the whole alphabet, a digit first."""
    start = characters.index("1") if "1" in characters else 0
    return "".join(characters[(start + place) % len(characters)] for place in range(length))


# What each check likes and refuses. A good value is a function of the wished length; bad values are fixed.
COUPON = "01234567890121101100"       # company prefix of 6, offer, save value 1, requirement 1, code 0, family 000 ...
RULES = {
    "yymmdd": (lambda n: "270131", ["271301", "270132", "270229", "270100", "000000"]),
    "yymmd0": (lambda n: "280200", ["281300", "280230", "270229", "280001"]),
    "yyyymmdd": (lambda n: "19991231", ["19991301", "19990229", "19990100"]),
    "hhmi": (lambda n: "2359", ["2400", "2360", "9999"]),
    "hh": (lambda n: "23", ["24", "99"]),
    "mi": (lambda n: "59", ["60"]),
    "ss": (lambda n: "59", ["60"]),
    "iso4217": (lambda n: "978", ["000", "123"]),
    "iso3166": (lambda n: "276", ["000", "999", "280"]),
    "iso3166999": (lambda n: "999", ["000", "280"]),
    "iso3166alpha2": (lambda n: "DE", ["XX", "de", "D1"]),
    "latitude": (lambda n: "1800000000", ["1800000001", "9999999999"]),
    "longitude": (lambda n: "3600000000", ["3600000001"]),
    "yesno": (lambda n: "1", ["2", "9"]),
    "hyphen": (lambda n: "-", ["+", "0"]),
    "importeridx": (lambda n: "_", ["*", "%"]),
    "mediatype": (lambda n: "80", ["00", "11", "79"]),
    "iso5218": (lambda n: "9", ["3", "8"]),
    "posinseqslash": (lambda n: "2/3", ["3/2", "0/3", "1/0", "123", "1//", "/12"]),
    "pieceoftotal": (lambda n: "0203", ["0302", "0001", "0100"]),
    "nonzero": (lambda n: "1" * n, None),
    "winding": (lambda n: "9", ["2", "8"]),
    "zero": (lambda n: "0", ["1"]),
    "packagetype": (lambda n: "PX", ["", "QZ", "0000"]),
    "couponcode": (lambda n: "0" + "123456" + "789012" + "1" + "5" + "1" + "1" + "0" + "123", ["", "7123456", "0123456"]),
    "couponposoffer": (lambda n: "0" + "0" + "123456" + "789012" + "0" + "123456", ["", "2", "00123456"]),
}


def good_part(part, length):
    kind, checks = part["type"], part["checks"]
    for name in checks:
        if name in RULES:
            return RULES[name][0](length)
    if "csum" in checks:
        body = ("0" if "gcppos2" in checks else "") + "95213210000123456"
        body = body[: length - 1]
        return body + check_digit(body)
    if "csumalpha" in checks:
        body = ("9521" + "Model-x" + run(CSET82, 20))[: max(length, 7) - 2]
        return body + check_pair(body)
    if "iban" in checks:
        account = "370400440532013000"
        return "DE" + iban_check("DE", account) + account
    if "nozeroprefix" in checks:
        return run("123456789", length)
    if "pcenc" in checks:
        return ("a%20B%c3%A9" + "x" * length)[:length] if length >= 11 else "x" * length
    if "gcppos1" in checks:
        return (run(DIGITS, 4) + run(ALPHABET[kind], 90))[:max(length, 4)]
    if kind == "Z":
        return run(ALPHABET[kind], length)
    return run(ALPHABET[kind], length)


def parse(path):
    rows = []
    for line in open(path, encoding="utf-8"):
        body, _, title = line.partition(" # ")
        tokens = body.split()
        if not tokens or tokens[0].startswith("#"):
            continue
        flags = tokens.pop(1) if not re.match(r"\[?[NXYZ]\.?\.?\d", tokens[1]) else ""
        row = {"ais": tokens.pop(0), "predefined": "*" in flags, "attribute": "?" in flags, "title": title.strip(),
               "parts": [], "req": "", "ex": "", "key": None}
        for token in tokens:
            name, _, value = token.partition("=")
            if name in ("req", "ex"):
                row[name] = value
            elif name == "dlpkey":
                row["key"] = value
            else:
                kind, upto, length, checks = re.fullmatch(r"\[?([NXYZ])(\.\.)?(\d+)\]?((?:,\w+)*)", token).groups()
                row["parts"].append({"type": kind, "min": 1 if upto else int(length), "max": int(length),
                                     "optional": token.startswith("["), "checks": [c for c in checks.split(",") if c]})
        rows.append(row)
    return rows


def identifiers(ais):
    first, _, last = ais.partition("-")
    return [str(n).zfill(len(first)) for n in range(int(first), int(last or first) + 1)]


def good_values(row):
    """The longest, the shortest, and one without the optional parts."""
    longest = "".join(good_part(p, p["max"]) for p in row["parts"])
    shortest = "".join(good_part(p, max(p["min"], 1)) for p in row["parts"] if not p["optional"])
    return sorted({longest, shortest})


def bad_values(row):
    parts = row["parts"]
    bad = [("", "no data")]
    longest = "".join(good_part(p, p["max"]) for p in parts)
    total = sum(p["max"] for p in parts)
    if len(longest) == total:
        bad.append((longest + "1", "too long"))
    required = [p for p in parts if not p["optional"]]
    if required[-1]["min"] > 1 or len(required) > 1:
        bad.append(("".join(good_part(p, max(p["min"], 1)) for p in required)[:-1], "too short"))
    for place, part in enumerate(parts):
        before = "".join(good_part(p, p["max"]) for p in parts[:place])
        behind = "".join(good_part(p, p["max"]) for p in parts[place + 1:])
        value = good_part(part, part["max"])
        bad.append((before + value[:-1] + OUTSIDE[part["type"]] + behind, "a character outside of the set"))
        for name in part["checks"]:
            for wrong in bad_for(name, value):
                bad.append((before + wrong + behind, name))
    return bad


def bad_for(name, value):
    if name == "csum":
        return [value[:-1] + str((int(value[-1]) + 1) % 10), value[:2] + str((int(value[2]) + 1) % 10) + value[3:]]
    if name == "csumalpha":
        return [value[:-1] + ("2" if value[-1] != "2" else "3"), "22"]
    if name in ("gcppos1", "gcppos2"):
        return [] if value.isdigit() else ["95a1" + value[4:], "9"]
    if name == "iban":
        return [value[:2] + "00" + value[4:], "XX" + value[2:], "DE12", value.lower()]
    if name == "nozeroprefix":
        return ["0" + value[1:]]
    if name == "nonzero":
        return ["0" * len(value)]
    if name == "hasnondigit":
        body = "95210000000000000000000"
        return [pair for n in range(2000) if (pair := (body[:-4] + f"{n:04}") + check_pair(body[:-4] + f"{n:04}")).isdigit()][:1]
    if name == "pcenc":
        return ["a%2", "a%", "%zz", "100%"]
    return RULES[name][1]


def main():
    rows = parse(sys.argv[1])
    for row in rows:
        row["cases"] = []
        for ai in identifiers(row["ais"]):
            row["cases"] += [{"ai": ai, "value": value, "ok": True} for value in good_values(row)]
            row["cases"] += [{"ai": ai, "value": value, "ok": False, "breaks": why} for value, why in bad_values(row)]
    print("[")
    print(",\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    print("]")


if __name__ == "__main__":
    main()

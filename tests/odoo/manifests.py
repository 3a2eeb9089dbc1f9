"""What of our addons can be held without an Odoo: `manifests.py check` does, `manifests.py bridges FOLDER...` lists them.

A bridge is listed as "NAME PARTNER,..."; those whose partners are in none of the folders come as "NAME -".
"""

import ast
import sys
from pathlib import Path

ADDONS = Path(__file__).resolve().parents[2] / "deploy" / "odoo"
CORE = "warehouse_exception"
# The partners that are the OCA's under AGPL-3: what builds on them is, too.
AGPL = {"helpdesk_mgmt", "base_tier_validation", "quality_control_oca"}
ENTERPRISE = {"quality_control", "helpdesk", "documents", "approvals"}


def manifests():
    return {file.parent.name: ast.literal_eval(file.read_text()) for file in sorted(ADDONS.glob("*/__manifest__.py"))}


def partners(manifest):
    return [name for name in manifest["depends"] if not name.startswith(CORE)]


def wrong_in(name, manifest):
    folder = ADDONS / name
    wrong = []
    if not manifest["version"].startswith("19.0."):
        wrong.append(f"its version {manifest['version']} is not one of Odoo 19")
    if manifest["license"] != ("AGPL-3" if AGPL & set(manifest["depends"]) else "LGPL-3"):
        wrong.append(f"its license {manifest['license']} doesn't fit its partners'")
    if not (folder / "README.rst").exists():
        wrong.append("it has no README.rst")
    if name != CORE and manifest.get("auto_install") is not True:
        wrong.append("it doesn't install itself with its partner")
    if ENTERPRISE & set(manifest["depends"]):
        readme = " ".join((folder / "README.rst").read_text().split())
        if "**Not tested here**" not in readme or "not tested" not in manifest["summary"]:
            wrong.append("it doesn't say that it was never tested")
    elif name != CORE and not list(folder.glob("tests/test_*.py")):
        wrong.append("it has no tests")
    wrong += [f"{data} is in the manifest and not there" for data in manifest.get("data", ()) if not (folder / data).exists()]
    for file in folder.rglob("*.py"):
        try:
            compile(file.read_text(), str(file), "exec")
        except SyntaxError as error:
            wrong.append(str(error))
    return wrong


def check():
    for name, manifest in manifests().items():
        wrong = wrong_in(name, manifest)
        print(f"matrix: {'FAILED' if wrong else 'ok'}: {name}: its files and manifest", *wrong)
    table = (ADDONS / "README.md").read_text()
    wrong = [name for name in manifests() if f"| `{name}` |" not in table]
    print(f"matrix: {'FAILED' if wrong else 'ok'}: README: its table has every addon", *wrong)
    print("matrix: end: manifests")


def bridges(folders):
    ours = manifests()
    for name, manifest in ours.items():
        if name == CORE:
            continue
        wanted = set(partners(manifest))
        for other in manifest["depends"]:  # a bridge on top of another one needs that one's partners, too
            wanted |= set(partners(ours[other])) if other in ours and other != CORE else set()
        there = all(any((Path(folder) / partner).is_dir() for folder in folders) for partner in wanted)
        print(name, ",".join(sorted(wanted)) if there else "-")


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check()
    elif sys.argv[1:2] == ["bridges"]:
        bridges(sys.argv[2:])
    else:
        sys.exit(__doc__)

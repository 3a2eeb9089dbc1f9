#!/usr/bin/env bash
# To be sourced by root.sh: the OCA's addons that some bridges meet, in the cache. They are fetched when a module is asked for
# that needs them, and from then on seen read-only by every Odoo of the root.

# A folder for each list of versions: a checkout with another list doesn't disturb this one.
OCA=$CACHE/odoo-oca-$(sha256sum <"$HERE/oca.txt" | cut -c 1-8)

oca_is_here() { [[ -e $OCA/.complete ]]; }

# Does one of MODULES, or what it stands on in this checkout, come from the OCA?
needs_oca() { # MODULES
  local module
  for module in ${1//,/ }; do
    if grep -q "^odoo-addon-$module=" "$HERE/oca.txt"; then return; fi
    if [[ -e $ADDONS/$module/__manifest__.py ]] && oca_partners | grep -qf - "$ADDONS/$module/__manifest__.py"; then return; fi
  done
  return 1
}

oca_partners() { sed -nE 's/^odoo-addon-([a-z_]+)=.*/"\1"/p' "$HERE/oca.txt"; }

oca() {
  if oca_is_here; then return; fi
  local new=$OCA.new wheel
  "$HERE/../../tools/need" venv
  say "fetching the OCA's addons into $OCA (once)."
  rm -rf "$new"
  mkdir -p "$new/addons"
  # A pip of its own: Debian's may be missing, and what is installed there is nobody's business.
  python3 -m venv "$new/venv" || die "Python can't make an environment in $new."
  # They are addons of Odoo, which comes from Debian here: what they need besides would be listed in oca.txt, too.
  "$new/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$new/wheels" --requirement "$HERE/oca.txt" ||
    die "the OCA's addons can't be fetched from PyPI. Nothing was changed; the other addons' tests need none of them."
  for wheel in "$new"/wheels/*.whl; do
    python3 -m zipfile -e "$wheel" "$new/unpacked"
  done
  mv "$new"/unpacked/odoo/addons/* "$new/addons/"
  rm -rf "$new/venv" "$new/wheels" "$new/unpacked"
  chmod -R a+rX "$new"
  touch "$new/.complete"
  rm -rf "$OCA"
  mv "$new" "$OCA"
}

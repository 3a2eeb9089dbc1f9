#!/usr/bin/env bash
# The tests against a real Odoo 19: the addons' own, then the road from a scanner to a case (tests/odoo/*.rs).
#
#   suite.sh            bring up an Odoo of our own (tests/odoo/root.sh), run both, stop it
#   suite.sh addons     only the addons' own tests
#   suite.sh road       only the road
#
# With ODOO_URL (http://address:port of this machine or a tunnel), ODOO_API_KEY and, where there are several, ODOO_DB,
# the road is walked against an Odoo that you have; the addon must be installed there. It gets test records: take a
# database that may be thrown away.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$HERE/../.." && pwd)
ROOT_SH=$HERE/root.sh
ADDONS=warehouse_exception,warehouse_exception_purchase,warehouse_exception_sale,warehouse_exception_hr
ADDONS+=,warehouse_exception_account
DB=tallyman_road
WORK=$(mktemp -d)

say() { printf 'suite.sh: %s\n' "$*" >&2; }

# shellcheck disable=SC1091 # it stands beside this file
source "$HERE/serving.sh"

# Stops what this script (or the test that restarts the server) started, by the process ids that were written down.
clean_up() {
  stop_servers "$WORK"
  rm -rf "$WORK"
}
trap clean_up EXIT

own_odoo() {
  "$ROOT_SH" init "$DB" "$ADDONS"
  local port bare_port
  port=$(free_port 8270 8299)
  serve "$ROOT_SH" "$DB" "$port" "$WORK/odoo"
  export ODOO_URL=http://127.0.0.1:$port ODOO_DB=$DB TALLYMAN_ODOO_PID_FILE=$WORK/odoo.pid
  ODOO_API_KEY=$("$ROOT_SH" shell "$DB" 2>"$WORK/shell.log" <<'PYTHON' | sed -n 's/^KEY=//p'
from datetime import datetime, timedelta
keys = env["res.users.apikeys"].with_user(env.ref("base.user_admin"))
print("KEY=" + keys._generate("rpc", "tests", datetime.now() + timedelta(days=1)))
env.cr.commit()
PYTHON
  )
  [[ -n $ODOO_API_KEY ]] || { cat "$WORK/shell.log" >&2; exit 1; }
  export ODOO_API_KEY
  bare_port=$(free_port 8270 8299)
  # A copy: a template that somebody is connected to can't be copied any more.
  "$ROOT_SH" init tallyman_bare stock
  serve "$ROOT_SH" tallyman_bare "$bare_port" "$WORK/bare"
  export TALLYMAN_ODOO_BARE_URL=http://127.0.0.1:$bare_port
}

road() {
  if [[ -z ${ODOO_URL:-} ]]; then own_odoo; else : "${ODOO_API_KEY:?is not set: make an API key in your Odoo profile}"; fi
  (cd "$CHECKOUT" && cargo test --features odoo-tests --test odoo -- --nocapture --test-threads=4)
}

case ${1:-all} in
  addons) "$ROOT_SH" test tallyman_addons "$ADDONS" ;;
  road) road ;;
  all) "$ROOT_SH" test tallyman_addons "$ADDONS"; road ;;
  *) sed -n '2,/^set -e/ s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

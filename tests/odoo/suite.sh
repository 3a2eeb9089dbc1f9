#!/usr/bin/env bash
# The tests against a real Odoo 19: the addons' own, the matrix, many clients at once (concurrency.py), many records
# (volume.py), then the road from a scanner to a case (tests/odoo/*.rs).
#
#   suite.sh              bring up an Odoo of our own (tests/odoo/root.sh), run all, stop it
#   suite.sh addons       only the addons' own tests
#   suite.sh matrix       only the matrix: each addon with and without its partner, and the upgrade from the first release
#   suite.sh concurrency  only eight clients on two workers
#   suite.sh volume       only 50,000 cases: what people open, and the jobs
#   suite.sh road         only the road
#   suite.sh bench        no test: how many events a second
#
# With ODOO_URL (http://address:port of this machine or a tunnel), ODOO_API_KEY and, where there are several, ODOO_DB,
# the road is walked against an Odoo that you have; the addon must be installed there. It gets test records: take a
# database that may be thrown away.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$HERE/../.." && pwd)
ROOT_SH=$HERE/root.sh
# Those whose partners come with Odoo; then those whose partners are the OCA's, in a database of their own: another app that takes
# a case's task would change what the first ones' tests see.
ADDONS=warehouse_exception,warehouse_exception_purchase,warehouse_exception_sale,warehouse_exception_hr
ADDONS+=,warehouse_exception_maintenance,warehouse_exception_automation,warehouse_exception_account
ADDONS+=,warehouse_exception_dashboard
OCA_ADDONS=warehouse_exception_quality_oca,warehouse_exception_helpdesk_mgmt,warehouse_exception_dms,warehouse_exception_tier_validation
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

served() { # DB
  "$ROOT_SH" init "$1" "$ADDONS"
  local port
  port=$(free_port 8270 8299)
  serve "$ROOT_SH" "$1" "$port" "$WORK/odoo"
  export ODOO_URL=http://127.0.0.1:$port ODOO_DB=$1 TALLYMAN_ODOO_PID_FILE=$WORK/odoo.pid
}

own_odoo() {
  local bare_port
  served "$DB"
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

addons() {
  local status=0
  "$ROOT_SH" test tallyman_addons "$ADDONS" || status=1
  "$ROOT_SH" test tallyman_oca "$OCA_ADDONS" || status=1
  return "$status"
}

# A script of Python that runs where the database is, beside the server.
beside() { # SCRIPT DB
  { [[ -z ${ODOO_URL:-} ]] || echo "SERVED = \"$ODOO_URL\""; cat "$HERE/$1"; } | "$ROOT_SH" shell "$2"
}

# Each of these serves a database of its own, for it leaves a lot behind.
alone() { # SCRIPT DB
  (
    WORK=$(mktemp -d)
    trap clean_up EXIT
    served "$2"
    beside "$1" "$2"
  )
}

volume() {
  "$ROOT_SH" init tallyman_volume "$ADDONS"
  (unset ODOO_URL && beside volume.py tallyman_volume)
}

case ${1:-all} in
  addons) addons ;;
  matrix) "$HERE/matrix.sh" ;;
  road) road ;;
  concurrency) alone concurrency.py tallyman_crowd ;;
  volume) volume ;;
  bench) alone bench_ingest.py tallyman_bench ;;
  all)
    addons
    "$HERE/matrix.sh"
    alone concurrency.py tallyman_crowd
    volume
    road
    ;;
  *) sed -n '2,/^set -e/ s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

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
DB=tallyman_road
WORK=$(mktemp -d)

say() { printf 'suite.sh: %s\n' "$*" >&2; }

is_running() { [[ -d /proc/$1 ]]; }

# Stops what this script (or the test that restarts the server) started, by the process ids that were written down.
clean_up() {
  local file pid
  for file in "$WORK"/*.pid; do
    [[ -s $file ]] || continue
    pid=$(<"$file")
    is_running "$pid" || continue
    # A server that sudo started is sudo's to stop.
    kill "$pid" 2>/dev/null || sudo kill "$pid" || true
    for _ in {1..100}; do
      is_running "$pid" || break
      sleep 0.1
    done
  done
  rm -rf "$WORK"
}
trap clean_up EXIT

free_port() {
  local port
  for port in {8270..8299}; do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port" && return; fi
  done
  say "no free port between 8270 and 8299." && exit 1
}

serve() { # NAME DB PORT
  "$ROOT_SH" run "$2" "$3" --workers 2 --log-level warn </dev/null >"$WORK/$1.log" 2>&1 &
  echo $! >"$WORK/$1.pid"
  for _ in {1..240}; do
    if curl -fsS -o /dev/null -m 5 "http://127.0.0.1:$3/web/health" 2>/dev/null; then return; fi
    is_running "$(<"$WORK/$1.pid")" || break
    sleep 0.5
  done
  say "Odoo did not come up:" && cat "$WORK/$1.log" >&2 && exit 1
}

own_odoo() {
  "$ROOT_SH" init "$DB" "$ADDONS"
  local port bare_port
  port=$(free_port)
  serve odoo "$DB" "$port"
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
  bare_port=$(free_port)
  # A copy: a template that somebody is connected to can't be copied any more.
  "$ROOT_SH" init tallyman_bare stock
  serve bare tallyman_bare "$bare_port"
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

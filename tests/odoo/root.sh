#!/usr/bin/env bash
# A real Odoo 19 from Debian's packages, in a root of its own, for Tallyman's tests and demos. Not for production.
#
#   root.sh build                make the root: Debian trixie, with odoo-19 pinned from sid
#   root.sh pg                   start a private PostgreSQL on loopback
#   root.sh template             make the database that every other one is copied from; prints its name
#   root.sh init DB MODULES      (re)create DB from the template and install MODULES (comma-separated)
#   root.sh copy DB FROM         (re)create DB as a copy of FROM
#   root.sh drop DB...           remove databases with their files
#   root.sh update DB MODULES    update MODULES in DB
#   root.sh has DB               succeed if there is such a database
#   root.sh run DB PORT [ARGS]   serve DB on 127.0.0.1:PORT in the foreground; ARGS go to odoo
#   root.sh shell DB             run the Python on standard input with Odoo's env
#   root.sh test DB MODULES      (re)create DB, run the addons' own tests, print "N passed, M failed"
#   root.sh again DB MODULES TAGS  the quick loop: update MODULES in DB (made if missing) and run what TAGS name, as
#                                in Odoo's --test-tags: /warehouse_exception:TestLife.test_x
#   root.sh oca                  fetch the OCA's addons that bridges are tested with; prints where they are
#   root.sh is-up                succeed if the PostgreSQL runs
#   root.sh down                 stop the PostgreSQL, unmount what is left
#
# Each step makes the ones that it needs, so `root.sh test exc warehouse_exception` is enough in a fresh clone.
# The addons are those of the checkout that this script stands in (deploy/odoo), seen read-only. Sign in as admin/admin.
# Where a module is asked for that needs the OCA's addons, those come along (oca.sh).
#
# Settings, with what they are when unset:
#   TALLYMAN_CACHE    ~/.cache/tallyman       the root is made in there
#   TALLYMAN_PG_DIR   /var/tmp/tallyman-pg    the databases (not below a home: the postgres user can't enter those)
#   TALLYMAN_PG_PORT  5544
#   TALLYMAN_MODULES  those of STOCK_MODULES  what the template has; another list makes another template
#   TALLYMAN_ADDONS   deploy/odoo             other addons than the checkout's: those of an earlier release
set -euo pipefail

# Raise RECIPE when build() changes: an older root is then thrown away and made again.
RECIPE=1 SUITE=trixie
# The stock modules that the addons and their bridges meet. Changing the list makes a new template.
STOCK_MODULES=stock,purchase_stock,sale_stock,product_expiry,hr,barcodes_gs1_nomenclature,base_automation,maintenance
STOCK_MODULES+=,spreadsheet_dashboard
STOCK_MODULES=${TALLYMAN_MODULES:-$STOCK_MODULES}

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ADDONS=$(cd "${TALLYMAN_ADDONS:-$HERE/../../deploy/odoo}" && pwd)
CACHE=${TALLYMAN_CACHE:-$HOME/.cache/tallyman}
ROOT=$CACHE/odoo-root
STAMP=$ROOT/.tallyman-recipe
PG_DIR=${TALLYMAN_PG_DIR:-/var/tmp/tallyman-pg}
PG_PORT=${TALLYMAN_PG_PORT:-5544}
FILESTORE=$ROOT/var/lib/odoo/filestore

# shellcheck disable=SC1091 # it stands beside this file
source "$HERE/serving.sh"
# shellcheck disable=SC1091 # it stands beside this file
source "$HERE/oca.sh"

say() { printf 'root.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# --- What the script stands on ------------------------------------------------------------------------------------

become_root() {
  ((EUID == 0)) && return
  say "chroot and mount need root: asking sudo."
  exec sudo -- env TALLYMAN_CACHE="$CACHE" TALLYMAN_PG_DIR="$PG_DIR" TALLYMAN_PG_PORT="$PG_PORT" \
    TALLYMAN_ADDONS="$ADDONS" TALLYMAN_MODULES="$STOCK_MODULES" "$HERE/root.sh" "$@"
}

need() { # COMMAND-OR-FILE PACKAGE WHY
  command -v "$1" >/dev/null || [[ -e $1 ]] && return
  say "installing $2 with apt: $3."
  [[ -n $(compgen -G '/var/lib/apt/lists/*_Packages*') ]] || apt-get -q update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$2" >&2
}

# One builder at a time: a second call waits and then finds the work done.
locked() { # NAME COMMAND...
  local lock
  mkdir -p "$CACHE"
  exec {lock}>"$CACHE/$1.lock"
  flock "$lock"
  "${@:2}" {lock}>&-
  exec {lock}>&-
}

# Runs COMMAND in the root. Everything is mounted in a mount namespace that dies with the process, so that two
# checkouts never see each other's addons and a kill -9 leaves no mount behind. Each step is an exec: the caller's
# process id is the one of COMMAND in the end.
in_root() { # USER COMMAND...
  # shellcheck disable=SC2016 # $1 and $2 belong to the inner shell
  exec unshare --mount -- bash -c '
    set -e
    root=$1 addons=$2 oca=$3 user=$4; shift 4
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mkdir -p "$root/mnt/addons"
    mount --bind "$addons" "$root/mnt/addons"
    mount -o remount,bind,ro "$root/mnt/addons"
    mkdir -p "$root/mnt/oca"
    if [[ -d $oca ]]; then
      mount --bind "$oca" "$root/mnt/oca"
      mount -o remount,bind,ro "$root/mnt/oca"
    fi
    cd /
    exec chroot --userspec="$user" "$root" /usr/bin/env -i HOME=/var/lib/odoo LANG=C.UTF-8 \
      PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
  ' in_root "$ROOT" "$ADDONS" "$OCA/addons" "$@"
}

# --- The root -----------------------------------------------------------------------------------------------------

odoo_works() { (in_root odoo:odoo odoo --version) >/dev/null 2>&1; }

build() {
  local wanted="recipe $RECIPE $SUITE"
  [[ -e $STAMP && $(<"$STAMP") == "$wanted" ]] && return
  if [[ ! -e $STAMP && -e $ROOT/.ready ]] && odoo_works; then
    say "adopting the root that is already in $ROOT."
    unmount_root
  else
    make_root
    odoo_works || die "Odoo was installed in $ROOT but does not start: the packages are unfit for each other today."
  fi
  echo "$wanted" >"$STAMP"
}

make_root() {
  need debootstrap debootstrap "it makes the root"
  need /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring "it says whom to trust for Debian's packages"
  unmount_root
  say "making an Odoo root in $ROOT (about 3 minutes, once)."
  rm -rf --one-file-system "$ROOT"
  mkdir -p "$ROOT"
  debootstrap --variant=minbase --include=ca-certificates "$SUITE" "$ROOT" >&2
  trust_own_authorities
  # No service may start inside the root while packages are installed.
  printf '#!/bin/sh\nexit 101\n' >"$ROOT/usr/sbin/policy-rc.d"
  chmod +x "$ROOT/usr/sbin/policy-rc.d"
  # Only odoo-19 comes from sid: sid's own Python is too new for it.
  sed "s/$SUITE/sid/" "$ROOT/etc/apt/sources.list" >"$ROOT/etc/apt/sources.list.d/sid.list"
  cat >"$ROOT/etc/apt/preferences.d/odoo" <<'PIN'
Package: *
Pin: release n=sid
Pin-Priority: 50

Package: odoo-19
Pin: release n=sid
Pin-Priority: 990
PIN
  # A mirror of sid may be a few days behind, which is no danger to a test.
  (in_root root:root sh -c 'apt-get -q -o Acquire::Check-Valid-Until=false update &&
    apt-get -q -y --no-install-recommends install odoo-19') >&2
}

# A site's own certificate authorities, for those whose mirror stands behind one.
trust_own_authorities() {
  local found=("/usr/local/share/ca-certificates"/*.crt)
  [[ -e ${found[0]} ]] || return 0
  cp "${found[@]}" "$ROOT/usr/local/share/ca-certificates/"
  (in_root root:root update-ca-certificates) >&2
}

# Nothing of this script is mounted outside of its namespaces; an older root may be.
unmount_root() {
  local point
  for point in mnt/addons dev proc; do
    if mountpoint -q "$ROOT/$point"; then umount "$ROOT/$point"; fi
  done
}

# --- PostgreSQL ---------------------------------------------------------------------------------------------------

pg_bin() {
  local bins
  mapfile -t bins < <(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V)
  ((${#bins[@]})) || return 1
  dirname "${bins[-1]}"
}

as_postgres() { (cd / && exec runuser -u postgres -- "$@"); }

sql() { # DB STATEMENT
  psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$PG_PORT" -U postgres -d "$1" -c "$2"
}

# Ours is the one that works in our folder: another server may be listening on the port.
pg_is_ours() { [[ $(sql postgres 'SHOW data_directory' 2>/dev/null) == "$1" ]]; }

pg() {
  pg_bin >/dev/null || need initdb postgresql "Odoo keeps its databases in it"
  local bin data
  bin=$(pg_bin) || die "no PostgreSQL server below /usr/lib/postgresql, even after installing Debian's package."
  data=$PG_DIR/$(basename "$(dirname "$bin")") # a cluster belongs to one major version
  pg_is_ours "$data" && return
  if [[ ! -e $data/PG_VERSION ]]; then
    install -d -o postgres -g postgres "$PG_DIR"
    as_postgres "$bin/initdb" -D "$data" -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
  fi
  forget_stale_pid "$data"
  # A test's database may be lost with the machine, so it need not wait for the disk.
  as_postgres "$bin/pg_ctl" -w -s -D "$data" -l "$PG_DIR/log" \
    -o "-p $PG_PORT -h 127.0.0.1 -k $PG_DIR -c fsync=off -c full_page_writes=off" start ||
    die "PostgreSQL did not start on port $PG_PORT (set TALLYMAN_PG_PORT?): $(tail -n 3 "$PG_DIR/log")"
  [[ $(sql postgres "SELECT count(*) FROM pg_roles WHERE rolname = 'odoo'") == 1 ]] ||
    sql postgres 'CREATE ROLE odoo LOGIN CREATEDB'
}

# After a reboot the pid file may name some other process, and PostgreSQL would not dare to start.
forget_stale_pid() { # DATA
  local pid
  [[ -e $1/postmaster.pid ]] || return 0
  pid=$(head -n 1 "$1/postmaster.pid")
  if ! tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF -- "$1"; then rm -f "$1/postmaster.pid"; fi
}

# --- Databases ----------------------------------------------------------------------------------------------------

# Odoo's command with what every call shares; becomes Odoo.
odoo() { # COMMAND DB ARGS...
  local paths=/usr/lib/python3/dist-packages/odoo/addons,/mnt/addons
  if oca_is_here; then paths+=,/mnt/oca; fi
  in_root odoo:odoo odoo "$1" --database "$2" --db-filter "^$2\$" --db_host 127.0.0.1 --db_port "$PG_PORT" \
    --db_user odoo --addons-path "$paths" --data-dir /var/lib/odoo \
    --http-interface 127.0.0.1 "${@:3}"
}

check_name() { [[ $1 =~ ^[a-z][a-z0-9_]{0,40}$ ]] || die "'$1' is no good name for a database: use a-z, 0-9 and _."; }
db_exists() { [[ $(sql postgres "SELECT count(*) FROM pg_database WHERE datname = '$1'") == 1 ]]; }

drop_db() {
  sql postgres "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)" 2> >(grep -v 'does not exist, skipping' >&2)
  rm -rf "${FILESTORE:?}/$1"
}

template_name() {
  local version
  version=$(dpkg-query --admindir "$ROOT/var/lib/dpkg" -W -f '${Version}' odoo-19)
  echo "tallyman_base_$(sha256sum <<<"$RECIPE $version $STOCK_MODULES $ROOT" | cut -c 1-8)"
}

template() {
  local name
  name=$(template_name)
  # Its files live in the root, which may have been thrown away since.
  db_exists "$name" && [[ -d $FILESTORE/$name ]] && return
  drop_db "$name"
  say "making the template database $name (about 2 minutes, once)."
  drop_db "${name}_new"
  (odoo server "${name}_new" --init "$STOCK_MODULES" --with-demo --stop-after-init --no-http --log-level warn)
  # The name is given last: a template that exists is a whole one.
  mv "$FILESTORE/${name}_new" "$FILESTORE/$name"
  sql postgres "ALTER DATABASE \"${name}_new\" RENAME TO \"$name\""
}

copy_template() { copy_db "$1" "$(template_name)"; }

copy_db() { # DB FROM
  drop_db "$1"
  sql postgres "CREATE DATABASE \"$1\" TEMPLATE \"$2\" OWNER odoo"
  # The filestore is named by content and never written in place, so the copy may share its files.
  cp -al "$FILESTORE/$2" "$FILESTORE/$1"
  # A copy is another database, and the audience of the devices' tokens is made of this id.
  sql "$1" "UPDATE ir_config_parameter SET value = gen_random_uuid()::text WHERE key = 'database.uuid'"
}

ready() { # MODULES
  locked odoo-root build
  locked odoo-pg pg
  locked odoo-template template
  if needs_oca "${1:-}"; then locked odoo-oca oca; fi
}

init() { # DB MODULES
  check_name "$1"
  ready "$2"
  copy_template "$1"
  (odoo server "$1" --init "$2" --stop-after-init --no-http --log-level warn)
}

copy() { # DB FROM
  check_name "$1"
  locked odoo-root build
  locked odoo-pg pg
  db_exists "$2" || die "there is no database $2 to copy."
  copy_db "$1" "$2"
}

drop() { # DB...
  local db
  locked odoo-root build
  locked odoo-pg pg
  for db in "$@"; do
    check_name "$db"
    drop_db "$db"
  done
}

update() { # DB MODULES
  check_name "$1"
  ready "$2"
  (odoo server "$1" --update "$2" --stop-after-init --no-http --log-level warn)
}

run() { # DB PORT ARGS...
  check_name "$1"
  locked odoo-root build
  locked odoo-pg pg
  # Odoo's workers look after their parent and end by themselves a few seconds after a kill -9.
  db_exists "$1" || die "there is no database $1 yet: 'root.sh init $1 warehouse_exception' makes one."
  odoo server "$1" --http-port "$2" --gevent-port "$(($2 + 1000))" "${@:3}"
}

has() { # DB
  locked odoo-root build
  locked odoo-pg pg
  db_exists "$1"
}

# Python on standard input, with Odoo's `env`: what it changes is kept if it says env.cr.commit().
shell() { # DB
  check_name "$1"
  locked odoo-root build
  locked odoo-pg pg
  odoo shell "$1" --no-http --log-level warn
}

# --- The addons' own tests ----------------------------------------------------------------------------------------

run_tests() { # DB MODULES
  check_name "$1"
  ready "$2"
  copy_template "$1"
  tests_in "$1" "/${2//,/,/}" --init "$2"
}

run_again() { # DB MODULES TAGS
  check_name "$1"
  ready "$2"
  # Those that are not installed yet are installed, the others updated.
  if db_exists "$1"; then tests_in "$1" "$3" --init "$2" --update "$2"; else
    copy_template "$1"
    tests_in "$1" "$3" --init "$2"
  fi
}

tests_in() { # DB TAGS ARGS...
  local log port status=0
  port=$(free_port 8169 8199)
  log=$(mktemp)
  # shellcheck disable=SC2064 # the name of now
  trap "rm -f '$log'" EXIT
  (odoo server "$1" "${@:3}" --test-tags "$2" --stop-after-init --workers 0 --max-cron-threads 0 \
    --http-port "$port") 2>&1 | tee "$log" | worth_reading >&2 || status=$?
  verdict "$log" "$status"
}

# Odoo says a line for every test and every request, tens of thousands of them: here goes on what is no such line.
worth_reading() { grep --line-buffered -vE ' INFO [a-z0-9_]+ (werkzeug|odoo\.addons\..*\.tests\..*: Starting |odoo\.addons\.base\.models\.)' || true; }

# Odoo succeeds when no test matched, so the numbers are counted: each module's line is
# "N failed, M error(s) of T tests when loading database".
verdict() { # LOG STATUS
  local total=0 bad=0 failed errors tests
  while read -r failed errors tests; do
    ((total += tests, bad += failed + errors)) || true
  done < <(sed -nE 's/.* ([0-9]+) failed, ([0-9]+) error\(s\) of ([0-9]+) tests when loading.*/\1 \2 \3/p' "$1")
  # Where it broke off, with the lines that were left out above.
  if (($2 != 0 && bad == 0)); then tail -n 40 "$1" >&2; fi
  grep -E '(FAIL|ERROR): ' "$1" >&2 || true
  echo "$((total - bad)) passed, $bad failed"
  ((total > 0)) || die "no test matched: are the addons' names right?"
  ((bad == 0 && $2 == 0)) || die "the tests failed (Odoo's exit code was $2)."
}

is_up() {
  local bin
  command -v psql >/dev/null && bin=$(pg_bin) && pg_is_ours "$PG_DIR/$(basename "$(dirname "$bin")")"
}

down() {
  local bin data
  if bin=$(pg_bin); then
    data=$PG_DIR/$(basename "$(dirname "$bin")")
    if pg_is_ours "$data"; then as_postgres "$bin/pg_ctl" -w -s -D "$data" -m fast stop; fi
  fi
  unmount_root
}

usage() {
  sed -n '2,/^set -e/ s/^# \{0,1\}//p' "$HERE/root.sh"
  exit 2
}

main() {
  local command=${1:-} enough=0
  case $command in
    is-up)
      is_up
      exit
      ;;
    build | pg | template | oca | down) ;;
    init | run | test | copy | update) enough=2 ;;
    again) enough=3 ;;
    shell | has | drop) enough=1 ;;
    *) usage ;;
  esac
  (($# > enough)) || usage
  become_root "$@"
  shift
  case $command in
    build) locked odoo-root build ;;
    pg) locked odoo-pg pg ;;
    template) ready && template_name ;;
    oca) locked odoo-oca oca && echo "$OCA/addons" ;;
    init) init "$@" ;;
    run) run "$@" ;;
    copy) copy "$@" ;;
    drop) drop "$@" ;;
    update) update "$@" ;;
    has) has "$@" ;;
    shell) shell "$@" ;;
    test) run_tests "$@" ;;
    again) run_again "$@" ;;
    down) down ;;
  esac
}

main "$@"

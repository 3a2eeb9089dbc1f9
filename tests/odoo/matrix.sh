#!/usr/bin/env bash
# The addons in every company: installed and uninstalled with and without each partner module, and upgraded from the first
# release, on a real Odoo 19. Closes with "N passed, M failed".
#
#   matrix.sh                        all of it
#   matrix.sh PART...                some of: manifests core partners all upgrade, or the name of a bridge
#
# Settings, besides those of root.sh:
#   TALLYMAN_MATRIX_DB    tallyman_matrix    what the databases' names begin with; they are dropped in the end
#   TALLYMAN_MATRIX_JOBS  2                  how many Odoos at a time
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CHECKOUT=$(cd "$HERE/../.." && pwd)
ROOT_SH=$HERE/root.sh
DB=${TALLYMAN_MATRIX_DB:-tallyman_matrix}
JOBS=${TALLYMAN_MATRIX_JOBS:-2}
CACHE=${TALLYMAN_CACHE:-$HOME/.cache/tallyman}
# Before the first release that had roles, policies and approvals.
FIRST_RELEASE=6084a01
# Odoo's own bridges between apps come along with those, so the core is tried where there is nothing but what it needs.
ALONE=stock,product_expiry
WORK=$(mktemp -d)

say() { printf 'matrix.sh: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

DATABASES=()
clean_up() {
  ((${#DATABASES[@]} == 0)) || "$ROOT_SH" drop "${DATABASES[@]}" || true
  rm -rf "$WORK"
}
trap clean_up EXIT

# --- The parts --------------------------------------------------------------------------------------------------------------
# Each writes what it found into a file of its own: lines "matrix: ok: ..." and "matrix: FAILED: ...", and a last one
# "matrix: end: ...", without which it broke off.

# Runs a script in DB. What stands in front of it are Python's assignments.
script() { # NAME DB SCRIPT ASSIGNMENT...
  {
    printf 'NAME = "%s"\n' "$1"
    printf '%s\n' "${@:4}"
    cat "$HERE/matrix/common.py" "$HERE/matrix/$3.py"
  } | "$ROOT_SH" shell "$2"
}

python_list() { # WORDS, separated by commas
  local IFS=,
  # shellcheck disable=SC2086 # to be split
  printf '"%s", ' $1
}

core() {
  "$ROOT_SH" copy "${DB}_core2" "${DB}_core"
  script "the core alone" "${DB}_core2" core "BRIDGES = [$(python_list "$(names there),$(names absent)")]"
}

partner() { # BRIDGE PARTNERS
  local db=${DB}_${1#warehouse_exception_}
  "$ROOT_SH" copy "$db" "${DB}_core"
  script "$1" "$db" partner "BRIDGE = '$1'" "PARTNERS = [$(python_list "$2")]"
  "$ROOT_SH" drop "$db"
}

together() {
  "$ROOT_SH" copy "${DB}_all" "$("$ROOT_SH" template)"
  script "all together" "${DB}_all" all "BRIDGES = [$(python_list "$(names there)")]" \
    "ABSENT = [$(python_list "$(names absent)")]" "PARTNERS = [$(python_list "$(partners_there)")]"
}

upgrade() {
  local old=$WORK/old modules
  mkdir -p "$old"
  git -C "$CHECKOUT" cat-file -e "$FIRST_RELEASE^{commit}" 2>/dev/null ||
    die "the first release (commit $FIRST_RELEASE) is not in this clone, so the upgrade can't be tried: git fetch --unshallow."
  git -C "$CHECKOUT" archive "$FIRST_RELEASE" deploy/odoo | tar -x -C "$old"
  chmod a+rx "$WORK"
  modules=$(cd "$old/deploy/odoo" && printf '%s,' */__manifest__.py | sed 's|/__manifest__.py||g; s/,$//')
  TALLYMAN_ADDONS=$old/deploy/odoo "$ROOT_SH" init "${DB}_old" "$modules"
  TALLYMAN_ADDONS=$old/deploy/odoo script "the first release" "${DB}_old" old_release
  "$ROOT_SH" update "${DB}_old" warehouse_exception
  script "upgraded from the first release" "${DB}_old" upgraded
}

# --- What there is to try -----------------------------------------------------------------------------------------------------

names() { awk -v which="$1" '(which == "absent") == ($2 == "-") { print $1 }' "$WORK/bridges" | paste -sd, -; }
partners_there() { awk '$2 != "-" { print $2 }' "$WORK/bridges" | tr , '\n' | sort -u | paste -sd, -; }

prepare() {
  local oca
  oca=$("$ROOT_SH" oca)
  python3 "$HERE/manifests.py" bridges "$CACHE/odoo-root/usr/lib/python3/dist-packages/odoo/addons" "$oca" >"$WORK/bridges"
  # The core in an Odoo that has nothing else: the partners' databases are copies of this one.
  TALLYMAN_MODULES=$ALONE "$ROOT_SH" init "${DB}_core" warehouse_exception
}

# A line for each part: its name, and the function that does it with its arguments.
plan() { # PART...
  local part bridge partners
  for part in "$@"; do
    case $part in
      manifests) echo "manifests python3 $HERE/manifests.py check" ;;
      core) echo "core core" ;;
      all) echo "all together" ;;
      upgrade) echo "upgrade upgrade" ;;
      partners) awk '$2 != "-" { print $1, "partner", $1, $2 }' "$WORK/bridges" ;;
      *)
        read -r bridge partners < <(awk -v name="$part" '$1 == name && $2 != "-"' "$WORK/bridges") || die "there is no part '$part'."
        echo "$bridge partner $bridge $partners"
        ;;
    esac
  done
}

run_part() { # NAME FUNCTION ARGS...
  local begun=$SECONDS
  "${@:2}" >"$WORK/$1.out" 2>"$WORK/$1.log" || true
  say "$1: $((SECONDS - begun)) s"
}

work_off() {
  local name call
  while read -r name call; do
    while (($(jobs -rp | wc -l) >= JOBS)); do wait -n || true; done
    # shellcheck disable=SC2086 # a line of words
    run_part "$name" $call </dev/null &
  done <"$WORK/plan"
  wait
}

verdict() {
  local name _call passed=0 failed=0 file
  while read -r name _call; do
    file=$WORK/$name.out
    grep -E '^matrix: (ok|FAILED): ' "$file" || true
    ((passed += $(grep -c '^matrix: ok: ' "$file"))) || true
    ((failed += $(grep -c '^matrix: FAILED: ' "$file"))) || true
    if [[ $(tail -n 1 "$file") != "matrix: end: "* ]]; then
      ((failed += 1))
      printf 'matrix: FAILED: %s broke off:\n' "$name"
      tail -n 40 "$WORK/$name.log"
    fi
  done <"$WORK/plan"
  echo "$passed passed, $failed failed"
  ((failed == 0 && passed > 0))
}

# The longest first, so that none is alone at the end.
parts=("$@")
if (($# == 0)); then parts=(upgrade all core partners manifests); fi
for part in "${parts[@]}"; do
  [[ $part =~ ^[a-z_]+$ ]] || { sed -n '2,/^set -e/ s/^# \{0,1\}//p' "$0"; exit 2; }
done
DATABASES=("${DB}_core")
prepare
DATABASES+=("${DB}_core2" "${DB}_all" "${DB}_old")
while read -r bridge _partners; do DATABASES+=("${DB}_${bridge#warehouse_exception_}"); done <"$WORK/bridges"
plan "${parts[@]}" >"$WORK/plan"
work_off
verdict

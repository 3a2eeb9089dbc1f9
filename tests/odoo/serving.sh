#!/usr/bin/env bash
# To be sourced: Odoo as a server in the background, for the test suite and the demo.

is_running() { [[ -d /proc/$1 ]]; }

# The first port of FIRST..LAST that nobody listens on.
free_port() { # FIRST LAST
  local port
  for ((port = $1; port <= $2; port++)); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port" && return; fi
  done
  echo "no free port between $1 and $2." >&2
  return 1
}

# Serves DB on PORT and waits until it answers; when it doesn't, its log is shown. NAME.pid is there from the start, so
# that an interrupted caller knows what to stop.
serve() { # ROOT_SH DB PORT NAME
  "$1" run "$2" "$3" --workers 2 --log-level warn </dev/null >"$4.log" 2>&1 &
  echo $! >"$4.pid"
  for _ in {1..240}; do
    if curl -fsS -o /dev/null -m 5 "http://127.0.0.1:$3/web/health" 2>/dev/null; then return; fi
    is_running $! || break
    sleep 0.5
  done
  echo "Odoo did not come up:" >&2
  cat "$4.log" >&2
  return 1
}

# Stops the servers whose NAME.pid lie in FOLDER, and waits for each, ten seconds at most.
stop_servers() { # FOLDER
  local file pid
  for file in "$1"/*.pid; do
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
}

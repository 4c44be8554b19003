# What the scripts of this folder share; sourced, not run.

# Prints the pg_config to build with: the one that PG_CONFIG names, else that of the newest server in
# /usr/lib/postgresql that has its headers. Fails when there is none.
find_pg_config() {
	local candidate
	if [ -n "${PG_CONFIG:-}" ]; then
		command -v "$PG_CONFIG"
		return
	fi
	while read -r candidate; do
		if [ -x "${candidate%/*}/postgres" ] && [ -e "$("$candidate" --includedir-server)/postgres.h" ]; then
			echo "$candidate"
			return
		fi
	done < <(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -V -r)
	return 1
}

# progress TITLE COMMAND ...: runs a command whose output matters only when it fails, and shows on stderr
# how long it has been running. Nothing is shown where nobody looks: PROGRESS=yes says that someone does.
progress() {
	local title=$1 log status=0 ticker="" start=$SECONDS
	shift
	log=$(mktemp)
	if [ -t 2 ]; then
		(
			while sleep 1 && kill -0 $$ 2>/dev/null; do
				printf '\r%s ... %d s' "$title" $((SECONDS - start)) >&2
			done
		) &
		ticker=$!
	elif [ "${PROGRESS:-}" = yes ]; then
		printf '%s ...\n' "$title" >&2
	fi
	"$@" >"$log" 2>&1 || status=$?
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null || true
		wait "$ticker" 2>/dev/null || true
		printf '\r%s ... %d s\n' "$title" $((SECONDS - start)) >&2
	fi
	[ $status = 0 ] || cat "$log" >&2
	rm -f "$log"
	return $status
}

# Runs the demo in a throw-away server that stays. Sets demo_server to its folder: the folder of its socket, and of
# ./stop, which ends and removes it.
demo_server=""
start_demo_server() {
	local said
	said=$(mktemp)
	progress "a database with 58,119 real tickets" \
		sh -c 'exec "$0" --keep sh -c "demo/run >demo.log && echo server: \$SANDBOX" >"$1"' scripts/sandbox "$said" || return 1
	demo_server=$(sed -n 's/^server: //p' "$said")
	rm -f "$said"
}
stop_demo_server() {
	[ -z "$demo_server" ] || "$demo_server/stop" >/dev/null 2>&1 || true
}

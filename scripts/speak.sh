#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: TEXT=... speak.sh [BUILD DIR]
# Speaks with a private daemon of this build: through PipeWire if its server
# runs, else JACK, else into speech.wav; says which.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-build}
text=${TEXT:?what to say}

tmp=$(mktemp -d)
daemon=
finish() {
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
		daemon=
	fi
}
trap 'finish; rm -rf "$tmp"' EXIT
export BARKD_SOCKET=$tmp/barkd.sock

# Under sudo the session is that of the user who called it.
runtime=${PIPEWIRE_RUNTIME_DIR:-${XDG_RUNTIME_DIR:-}}
if [ -z "$runtime" ] && [ -n "${SUDO_UID:-}" ]; then
	runtime=/run/user/$SUDO_UID
	export PIPEWIRE_RUNTIME_DIR=$runtime
fi

has_server() {
	case $1 in
	pipewire) [ -S "$runtime/${PIPEWIRE_REMOTE:-pipewire-0}" ] ;;
	jack) compgen -G "/dev/shm/jack_${JACK_DEFAULT_SERVER:-default}_*" \
		>/dev/null ;;
	file) true ;;
	esac
}

# Speaks through one sink; fails if that has no server or no device.
speak() {
	{
		printf '[output]\nsink = %s\nwait_for_sink_s = 5\n' "$1"
		[ "$1" != file ] || printf 'target = speech.wav\n'
	} >"$tmp/barkd.ini"
	"$dir/daemon/barkd" --foreground --config "$tmp/barkd.ini" \
		>"$tmp/log" 2>&1 &
	daemon=$!
	for _ in {1..100}; do
		[ ! -S "$BARKD_SOCKET" ] || break
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.05
	done
	printf '%s' "$text" | "$dir/client/barkctl" say --wait - || return
	finish
}

for sink in pipewire jack file; do
	has_server "$sink" || continue
	if speak "$sink"; then
		case $sink in
		pipewire) echo "Spoken through PipeWire." ;;
		jack) echo "Spoken through JACK." ;;
		file) echo "No PipeWire or JACK server to speak through:" \
			"wrote $PWD/speech.wav" ;;
		esac
		exit 0
	fi
	finish
done
sed 's/^/    /' "$tmp/log" >&2
echo "speak.sh: barkd could not speak; its messages stand above" >&2
exit 1

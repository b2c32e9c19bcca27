#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: examples.sh BUILD SOURCE BARKD MODEL
# The examples build against what is installed, as their heads say, and speak.
set -euo pipefail
build=$1 source=$2 barkd=$3 model=$4
tmp=$(mktemp -d)
daemon=
status=0

# shellcheck disable=SC2317  # the trap calls it
cleanup() {
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	fi
	rm -rf "$tmp"
}
trap cleanup EXIT

result() {
	if [ "$2" = 0 ]; then
		echo "ok examples/$1"
	else
		echo "not ok examples/$1: $(tail -c 300 "$tmp/said" | tr '\n' ' ')"
		status=1
	fi
}

DESTDIR=$tmp/root meson install --no-rebuild -C "$build" >"$tmp/said" 2>&1
lib=$(dirname "$(find "$tmp/root" -name bark.pc)")
share=${lib%/lib*}/share
at=0
for file in bash-completion/completions/barkctl zsh/*/_barkctl \
	fish/vendor_completions.d/barkctl.fish man/man1/barkctl.1 \
	man/man1/barkd.1 man/man5/barkd.ini.5 \
	icons/hicolor/scalable/apps/barkd.svg; do
	# A name may be a pattern.
	compgen -G "$share/$file" >/dev/null && continue
	echo "$file is not installed" >>"$tmp/said"
	at=1
done
result "installed where programs look" $at
export PKG_CONFIG_PATH=$lib PKG_CONFIG_SYSROOT_DIR=$tmp/root
export LD_LIBRARY_PATH=${lib%/pkgconfig}
for pair in stream:bark say:barkd-client; do
	name=${pair%:*}
	at=0
	# shellcheck disable=SC2046  # words are what is wanted
	cc -std=c17 -Wall -Wextra -Werror "$source/examples/$name.c" \
		$(pkg-config --cflags --libs "${pair#*:}") -o "$tmp/$name" \
		>"$tmp/said" 2>&1 || at=1
	result "build $name" $at
done

at=0
"$tmp/stream" "$model" "Hello." >"$tmp/pcm" 2>"$tmp/said" || at=1
# A tenth of a second of samples at least.
[ "$(stat -c %s "$tmp/pcm")" -ge 9600 ] || at=1
result "stream" $at
at=0
"$tmp/stream" "$tmp/none" "Hello." >/dev/null 2>"$tmp/said" && at=1
grep -q none "$tmp/said" || at=1
result "stream without a model" $at

export XDG_RUNTIME_DIR=$tmp
unset BARKD_SOCKET
printf '[model]\nname = %s\n[output]\nsink = file\ntarget = %s\n' \
	"$model" "$tmp/spoken.wav" >"$tmp/barkd.ini"
at=0
"$tmp/say" "Hello." >"$tmp/said" 2>&1 && at=1
[ -s "$tmp/said" ] || at=1
result "say without a daemon" $at
"$barkd" --foreground --config "$tmp/barkd.ini" >/dev/null 2>&1 &
daemon=$!
for _ in $(seq 300); do
	[ -S "$tmp/barkd/barkd.sock" ] && break
	sleep .1
done
at=0
"$tmp/say" "Hello." >"$tmp/said" 2>&1 || at=1
grep -q 'was spoken' "$tmp/said" || at=1
[ "$(stat -c %s "$tmp/spoken.wav")" -gt 9600 ] || at=1
result "say" $at
exit $status

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: fuzz.sh DIR [SECONDS [NAME...]]
# Builds libFuzzer's targets into DIR with clang, and runs each, or those that
# are named, for that long (600), two at a time. Inputs that reach something
# new are kept in DIR/corpus/NAME, what fails in DIR/crashes. Prints a line
# "ok fuzz/NAME: what it ran" or "not ok fuzz/NAME: why" a target.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$1 seconds=${2:-600}
shift $(($# < 2 ? $# : 2))

if [ ! -f "$dir/build.ninja" ]; then
	CC=clang meson setup "$dir" -Dfuzz=true -Db_lundef=false \
		-Db_sanitize=address,undefined -Dbuildtype=debug \
		-Dc_args='-O1 -fsanitize=fuzzer-no-link' >/dev/null
fi
if [ $# = 0 ]; then
	for source in tests/fuzz/fuzz_*.c; do
		name=${source##*/fuzz_}
		set -- "$@" "${name%.c}"
	done
fi
ninja -C "$dir" --quiet "${@/#/tests/fuzz/fuzz_}"
mkdir -p "$dir/crashes"

run() {
	local name=$1 corpus=$dir/corpus/$1 log=$dir/$1.log
	local folders=("$corpus") dict=tests/fuzz/dict/$name.dict
	local options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048
		-max_len=16384 -artifact_prefix="$dir/crashes/$name-")

	mkdir -p "$corpus"
	[ ! -f "$dict" ] || options+=(-dict="$dict")
	[ ! -d "tests/fuzz/seeds/$name" ] ||
		folders+=("tests/fuzz/seeds/$name")
	if UBSAN_OPTIONS=halt_on_error=1 "$dir/tests/fuzz/fuzz_$name" \
		"${options[@]}" "${folders[@]}" >"$log" 2>&1; then
		echo "ok fuzz/$name: $(grep -o '^Done .*' "$log")"
	else
		echo "not ok fuzz/$name: $(grep -m1 -E \
			'^SUMMARY|runtime error|ERROR' "$log"), see $log"
	fi
}
export -f run
export dir seconds
# shellcheck disable=SC2016  # the inner shell expands it
results=$(printf '%s\n' "$@" | xargs -P 2 -I{} bash -c 'run "$1"' _ {} || true)
echo "$results"
[[ $results != *"not ok"* ]]

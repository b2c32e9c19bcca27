#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: check.sh [DIR [PATTERN...]]
# Runs the test programs of a build directory, or those whose names match one
# of the shell patterns, and counts the lines "ok", "not ok" and "skip" that
# they print. A program that fails without saying so, or says nothing, counts
# as one failure. V=1 shows everything; logs are in DIR/testlogs.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-build}
shift || true
patterns=("$@")
logs=$dir/testlogs

passed=0 failed=0 skipped=0

chosen() {
	[ ${#patterns[@]} -eq 0 ] && return
	local p
	for p in "${patterns[@]}"; do
		# shellcheck disable=SC2053  # a pattern is what is wanted
		[[ $1 == $p ]] && return
	done
	return 1
}

count() {
	grep -c "^$1 " "$2" || true
}

# Why a program's exit status is wrong, given that it printed $2 failures.
complaint() {
	local status=$1 bad=$2 lines=$3
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		echo "ran longer than ${4} s or was killed"
	elif [ "$status" -gt 128 ]; then
		echo "died of signal $((status - 128))"
	elif [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		echo "exit status $status"
	elif [ "$status" = 0 ] && [ "$bad" != 0 ]; then
		echo "exit status 0 in spite of failures"
	elif [ "$lines" = 0 ]; then
		echo "printed no result"
	fi
}

run_one() {
	local name=$1 limit=$2 status=0 good bad skip why
	shift 2
	local out=$logs/${name//\//-}.out err=$logs/${name//\//-}.err

	timeout -k 10 "$limit" "$@" >"$out" 2>"$err" </dev/null || status=$?
	good=$(count ok "$out")
	bad=$(count 'not ok' "$out")
	skip=$(count skip "$out")
	why=$(complaint "$status" "$bad" $((good + bad + skip)) "$limit")
	if [ -n "$why" ]; then
		echo "not ok $name: $why" >>"$out"
		bad=$((bad + 1))
	fi
	printf '%-28s %s passed, %s failed, %s skipped\n' "$name" \
		"$good" "$bad" "$skip"
	if [ "${V:-0}" != 0 ]; then
		cat "$out" "$err"
	elif [ "$bad" != 0 ]; then
		grep '^not ok ' "$out"
		tail -n 20 "$err" | sed 's/^/    /'
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
}

rm -rf "$logs"
mkdir -p "$logs"
while IFS=$'\t' read -r name limit command; do
	[ -n "$name" ] || continue
	chosen "$name" || continue
	IFS=$'\t' read -ra words <<<"$command"
	run_one "$name" "$limit" "${words[@]}"
done <"$dir/tests/manifest"

if [ $((passed + failed)) = 0 ]; then
	echo "not ok: no test was run"
	failed=1
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]

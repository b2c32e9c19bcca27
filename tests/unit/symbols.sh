#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: symbols.sh NAME HEADER MACRO LIBRARY
# A library exports what its header declares with MACRO, all of it and nothing
# else; and the header compiles alone.
set -euo pipefail
name=$1 header=$2 macro=$3 library=$4

declared=$(sed 's/^#.*//' "$header" | tr '\n' ' ' |
	grep -oE "$macro [^;(]*\(" | grep -oE '[A-Za-z0-9_]+\($' |
	tr -d '(' | sort)
exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sort)
status=0

result() {
	if [ "$2" = 0 ]; then
		echo "ok $name/$1"
	else
		echo "not ok $name/$1: $3"
		status=1
	fi
}

differ=0
lines=$(diff <(echo "$declared") <(echo "$exported") | grep '^[<>]' |
	tr '\n' ' ') || true
[ -z "$lines" ] && [ -n "$declared" ] || differ=1
result symbols $differ "declared < > exported: $lines"

compiles() {
	local what=$1
	shift
	local rc=0
	"$@" -Wall -Wextra -Wpedantic -Werror -fsyntax-only "$header" || rc=$?
	result "$what" $rc "see the log"
}
compiles c17 "${CC:-cc}" -std=c17 -x c
compiles c++17 "${CXX:-c++}" -std=c++17 -x c++
exit $status

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: house.sh BUILD FOLDER
# Scripts, man pages and units have no mistakes that a checker finds.
set -euo pipefail
build=$1
cd "$(dirname "$0")/../.."
failed=0

check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok house/$name"
	else
		echo "not ok house/$name: $(head -n 1 <<<"$out")"
		echo "$out" >&2
		failed=1
	fi
}

# NAME TOOL: whether the tool is there.
have() {
	command -v "$2" >/dev/null && return
	echo "skip house/$1: no $2"
	return 1
}

if have scripts shellcheck; then
	mapfile -t scripts < <(find scripts tests .ci -type f \
		\( -name '*.sh' -o -path '.ci/run' \))
	check scripts shellcheck "${scripts[@]}"
	check completions shellcheck -s bash completions/barkctl.bash
fi
if have 'man pages' mandoc; then
	for page in docs/*.[0-9] "$build"/docs/*.[0-9]; do
		check "$(basename "$page")" \
			mandoc -Tlint -Wwarning "$page"
	done
fi
if have units systemd-analyze; then
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	# Nothing is installed yet, and there may be no session.
	cp systemd/*.socket "$build"/systemd/*.service "$tmp"
	sed -i 's/^\(Exec[A-Za-z]*\)=.*/\1=\/bin\/true/' "$tmp"/*.service
	check units env XDG_RUNTIME_DIR="$tmp" systemd-analyze --user \
		--man=no verify "$tmp"/*.{socket,service}
fi
exit $failed

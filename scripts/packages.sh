#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: packages.sh SECTION...
# Installs what is missing of these sections of packages.txt; asks for nothing
# and touches nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v dpkg-query >/dev/null; then
	echo "packages.sh: not Debian; see packages.txt for what is needed" >&2
	exit 0
fi

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = 'ii ' ]
}

missing=()
section=
while IFS= read -r line; do
	line=${line%%#*}
	case $line in
	\[*\]) section=${line//[\[\]]/} ;;
	*[![:space:]]*)
		[[ " $* " == *" $section "* ]] || continue
		read -ra choices <<<"${line//|/ }"
		for p in "${choices[@]}"; do
			if installed "$p"; then
				continue 2
			fi
		done
		missing+=("${choices[0]}")
		;;
	esac
done <packages.txt
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "packages.sh: missing packages; as root run:" \
			"apt-get install ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "Installing ${missing[*]}"
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
}
apt update
apt install -y --no-install-recommends --no-remove \
	-o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >/dev/null

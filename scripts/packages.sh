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

# Whether the package lists that are here have it.
offered() {
	[ -n "$(apt-cache show "$1" 2>/dev/null)" ]
}

missing=() wanted=()
section=
while IFS= read -r line; do
	line=${line%%#*}
	case $line in
	\[*\]) section=${line//[\[\]]/} ;;
	*[![:space:]]*)
		[[ " $* " == *" $section "* ]] || continue
		if [[ $line == *\?* ]]; then
			read -r p _ <<<"$line"
			installed "$p" || wanted+=("$p")
			continue
		fi
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
add_offered() {
	for p in "${wanted[@]}"; do
		if offered "$p"; then
			missing+=("$p")
		fi
	done
}

needed=${#missing[@]}
add_offered
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
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
}
apt update
# Before the first update no list offered anything.
missing=("${missing[@]:0:needed}")
add_offered
echo "Installing ${missing[*]}"
apt install -y --no-install-recommends --no-remove \
	-o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >/dev/null

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: deb.sh DIR
# Makes Debian packages of what is checked out, changes included, in DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "$1"
dir=$(cd "$1" && pwd)
version=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' debian/changelog)
tree=$dir/barkd-$version

rm -rf "$tree" "$dir"/*.deb
mkdir "$tree"
git ls-files -z --cached --others --exclude-standard |
	tar c --null -T - --ignore-failed-read 2>/dev/null | tar x -C "$tree"
tar czf "$dir/barkd_$version.orig.tar.gz" -C "$dir" --exclude=debian \
	"barkd-$version"
# What tests/packages.sh builds them of in another release.
tar czf "$dir/barkd_$version.debian.tar.gz" -C "$tree" debian
cd "$tree"
dpkg-buildpackage -us -uc -b
if command -v lintian >/dev/null; then
	lintian --fail-on error,warning ../*.changes
fi

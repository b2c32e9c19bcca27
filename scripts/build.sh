#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: build.sh DIR [MESON OPTION...]
# Configures DIR if that has not been done, and builds. The options apply to
# the first configuration.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$1
shift

if [ ! -f "$dir/build.ninja" ]; then
	meson setup "$dir" "$@"
fi
if [ "${V:-0}" != 0 ]; then
	ninja -C "$dir" -v
else
	ninja -C "$dir"
fi

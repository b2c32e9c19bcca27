#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: venv.sh DIR
# Puts the Python clients with which the tests speak to barkd into DIR/venv,
# as tests/requirements.txt names them. Without them, or without a package
# index, the tests that need them are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1/venv
wanted=tests/requirements.txt

cmp -s $wanted "$venv/requirements.txt" && exit 0
echo "Making $venv"
if ! { python3 -m venv "$venv" &&
	"$venv/bin/pip" install -q --no-input -r $wanted; } >"$1/venv.log" 2>&1
then
	echo "venv.sh: no $venv, see $1/venv.log" >&2
	exit 0
fi
cp $wanted "$venv/requirements.txt"

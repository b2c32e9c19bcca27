#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: install.sh BUILD FOLDER
# What is installed is what the packages take, each file once; nothing of it
# points into the build; and it runs from where it was put.
set -euo pipefail
build=$1
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

result() {
	if [ -z "$2" ]; then
		echo "ok install/$1"
	else
		echo "not ok install/$1: $(tr '\n' ' ' <<<"$2" | cut -c1-300)"
		failed=1
	fi
}

DESTDIR=$tmp meson install -C "$build" --no-rebuild --quiet >/dev/null
prefix=$(meson introspect --buildoptions "$build" | python3 -c '
import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')

# As Debian would have it: /usr, and libraries below the machine's name.
files=$(cd "$tmp" && find . ! -type d -printf '%P\n' |
	sed -E "s|^${prefix#/}/|usr/|
		s|^usr/share/systemd/user|usr/lib/systemd/user|
		s|^usr/lib/[^/]*-linux-gnu[^/]*/|usr/lib/|
		s|^usr/libexec/speech-dispatcher-modules|usr/lib/speech-dispatcher-modules|
		s|^usr/lib/(libbark\|barkd/\|pkgconfig/)|usr/lib/ARCH/\\1|" | sort)

# How often each file is taken, and which lines take nothing.
taken=$(python3 - "$files" debian/*.install <<'EOF'
import fnmatch, sys
files, used = sys.argv[1].split(), {}
for package in sys.argv[2:]:
    for line in open(package).read().split():
        hits = [f for f in files if fnmatch.fnmatch(f, line) or fnmatch.fnmatch(f, line + "/*")]
        if not hits and line != "etc/barkd":
            print("nothing is", line)
        for f in hits:
            used[f] = used.get(f, 0) + 1
for f in files:
    # Only the system's own prefix has it where the package does.
    if "doc/barkd/barkd.conf" in f:
        continue
    if used.get(f, 0) != 1:
        print(f, "is in", used.get(f, 0), "packages")
EOF
)
result 'each file in one package' "$taken"

root=$(cd "$build" && pwd)
texts=$(grep -rIl -e "$root" -e "$tmp" "$tmp" || true)
result 'nothing names the build' "$texts"

missing=
for unit in "$tmp$prefix"/share/systemd/user/*.service \
	"$tmp$prefix"/lib/systemd/user/*.service; do
	[ -e "$unit" ] || continue
	program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
	[ -x "$tmp$program" ] || missing+="$(basename "$unit"): no $program "
done
result 'units start what is there' "$missing"

out=$(LD_LIBRARY_PATH=$(dirname "$(find "$tmp" -name libbark.so.0)") \
	"$tmp$prefix/bin/barkctl" render -m "$tmp$prefix/share/barkd/voices/slt" \
	-v rms -o "$tmp/hello.wav" Hello. 2>&1) || out="${out:-failed}"
[ -s "$tmp/hello.wav" ] || out="nothing was rendered"
result 'it speaks from there' "$out"
exit $failed

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: packages.sh FOLDER
# Installs the packages in FOLDER into a fresh Debian system, speaks there as a
# new user would, and removes them again. As root; takes the package archive
# that this machine is set up with. Prints as tests/tap.h says.

# What stands in single quotes is for another shell; clean() is the trap's.
# shellcheck disable=SC2016,SC2317
set -euo pipefail
folder=$(cd "$1" && pwd)
root=$(mktemp -d)
failed=0

clean() {
	for m in proc dev/shm; do
		mountpoint -q "$root/$m" && umount "$root/$m"
	done
	rm -rf --one-file-system "$root"
}
trap clean EXIT

result() {
	if [ "$2" = 0 ]; then
		echo "ok packages/$1"
	else
		echo "not ok packages/$1: ${3:-see above}"
		failed=1
	fi
}

inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}

archive=$(apt-get indextargets --format '$(SITE) $(RELEASE)' \
	'Created-By: Packages' | sort -u | head -n 1)
# shellcheck disable=SC2086  # two words
set -- $archive
chmod 755 "$root"
debootstrap --variant=minbase "$2" "$root" "$1" >/dev/null
mount -t proc proc "$root/proc"
# Whatever this machine's apt knows of: keys, proxies, certificates.
: >"$root/etc/apt/sources.list"
cp -a /etc/apt/. "$root/etc/apt/"
mkdir -p "$root/etc/ssl" "$root/debs"
cp -aL /etc/ssl/certs "$root/etc/ssl/" 2>/dev/null || true
cp "$folder"/*.deb "$root/debs/"
rm -f "$root"/debs/*dbgsym*
inside apt-get -qq update

rc=0
inside sh -c 'apt-get -qq install -y --no-install-recommends /debs/*.deb \
	speech-dispatcher dbus-daemon pipewire wireplumber python3 \
	gcc libc6-dev pkg-config >/dev/null' || rc=$?
result 'they install' $rc

inside useradd -m listener
cp debian/tests/speaks "$root/tmp/speaks"
rc=0
inside su listener -c 'AUTOPKGTEST_TMP=$(mktemp -d) /tmp/speaks' || rc=$?
result 'a new user hears it' $rc

rc=0
cp examples/say.c "$root/tmp/say.c"
inside sh -c 'cd /tmp && gcc say.c -o say $(pkg-config --cflags --libs barkd-client)' || rc=$?
result 'a program builds' $rc

cat >"$root/tmp/spd.sh" <<'EOF'
set -eu
dir=$(mktemp -d)
export XDG_RUNTIME_DIR="$dir" HOME="$dir"
printf '[output]\nsink = file\ntarget = %s/spoken.wav\n' "$dir" >"$dir/barkd.ini"
barkd --foreground --config "$dir/barkd.ini" 2>/dev/null &
daemon=$!
trap 'kill $daemon' EXIT
sleep 2
dbus-run-session -- timeout 60 spd-say -w -o barkd "Hello. This is a test." || true
test "$(wc -c <"$dir/spoken.wav")" -gt 20000
EOF
rc=0
inside su listener -c 'sh /tmp/spd.sh' || rc=$?
result 'spd-say speaks' $rc

rc=0
inside sh -c 'apt-get -qq purge -y barkd barkd-voice-slt barkd-fast-voice \
	speech-dispatcher-barkd libbark0 libbark-dev libbarkd-client0 \
	libbarkd-client-dev >/dev/null' || rc=$?
left=$(find "$root/etc" "$root/usr" -iname '*barkd*' -o -name 'libbark*' | sed "s|$root||" | tr '\n' ' ')
[ -z "$left" ] || rc=1
result 'nothing is left' $rc "$left"
exit $failed

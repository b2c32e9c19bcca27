#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Usage: packages.sh FOLDER [RELEASE...]
# Installs the packages in FOLDER into a fresh Debian system, speaks there as a
# new user would, and removes them again. For another RELEASE (bookworm, trixie)
# than this machine's it builds them in such a system before. As root; takes the
# package archive that this machine is set up with. Prints as tests/tap.h says.

# What stands in single quotes is for another shell; clean() is the trap's.
# shellcheck disable=SC2016,SC2317
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
chmod 755 "$work"
failed=0

archive=$(apt-get indextargets --format '$(SITE) $(RELEASE)' \
	'Created-By: Packages' | sort -u | head -n 1)
site=${archive% *} own=${archive#* }
[ $# -gt 0 ] || set -- "$own"

leave() {
	for m in "$1"/proc "$1"/dev/shm; do
		mountpoint -q "$m" && umount "$m"
	done
	rm -rf --one-file-system "$1"
}

clean() {
	for root in "$work"/*; do
		leave "$root"
	done
	rm -rf --one-file-system "$work"
}
trap clean EXIT

result() {
	if [ "$2" = 0 ]; then
		echo "ok packages/$release: $1"
	else
		echo "not ok packages/$release: $1: ${3:-see above}"
		failed=1
	fi
}

inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}

# A fresh system of the release in $root.
enter() {
	root=$work/$1
	debootstrap --variant=minbase "$release" "$root" "$site" >/dev/null
	mount -t proc proc "$root/proc"
	# spd-say has a semaphore there.
	mkdir -p "$root/dev/shm"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	# Whatever this machine's apt knows of: keys, proxies, certificates.
	: >"$root/etc/apt/sources.list"
	cp -a /etc/apt/. "$root/etc/apt/"
	if [ "$release" != "$own" ]; then
		rm -f "$root"/etc/apt/sources.list.d/*
		echo "deb $site $release main" >"$root/etc/apt/sources.list"
	fi
	# Packages keep the files of that, and ask nobody.
	printf '%s\n' 'Dpkg::Use-Pty "0";' 'Dpkg::Options:: "--force-confold";' \
		>"$root/etc/apt/apt.conf.d/99quiet"
	mkdir -p "$root/etc/ssl" "$root/debs"
	cp -aL /etc/ssl/certs "$root/etc/ssl/" 2>/dev/null || true
	inside apt-get -qq update
}

# Builds what FOLDER was built of; $debs is where the packages are then.
build() {
	debs=$work/debs-$release
	mkdir "$debs" && enter build && mkdir "$root/src" &&
		tar xzf "$folder"/barkd_*.orig.tar.gz -C "$root/src" &&
		tar xzf "$folder"/barkd_*.debian.tar.gz -C "$root/src"/barkd-* &&
		inside apt-get -qq install -y --no-install-recommends \
			build-essential lintian >/dev/null &&
		inside sh -ec 'cd /src/barkd-*
			apt-get -qq build-dep -y --no-install-recommends . >/dev/null
			dpkg-buildpackage -us -uc -b >/src/log 2>&1 ||
				{ tail -n 30 /src/log >&2; exit 1; }
			lintian --fail-on error,warning ../*.changes' &&
		cp "$root"/src/*.deb "$debs/"
}

try() {
	local rc=0
	enter fresh
	cp "$debs"/*.deb "$root/debs/"
	rm -f "$root"/debs/*dbgsym*
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

	cat >"$root/tmp/spd.sh" <<-'EOF'
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
	left=$(find "$root/etc" "$root/usr" -iname '*barkd*' -o -name 'libbark*' |
		sed "s|$root||" | tr '\n' ' ')
	[ -z "$left" ] || rc=1
	result 'nothing is left' $rc "$left"
}

for release; do
	debs=$folder rc=0
	if [ "$release" != "$own" ]; then
		build || rc=$?
		result 'they build' $rc
		leave "$root"
	fi
	[ $rc != 0 ] || try
	leave "$root"
done
exit $failed

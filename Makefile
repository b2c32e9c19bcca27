# SPDX-License-Identifier: MIT
#
# The commands of the README over meson, ninja and scripts/. Set BUILD for
# another build directory, PREFIX for another place to install to, V=1 to see
# every command and test, TEXT for make speak, RELEASES for make check-packages,
# FUZZ_SECONDS for make fuzz, MINUTES for make soak.

BUILD ?= build
TEXT ?= Hello there. This is your computer speaking.
PREFIX ?= $(if $(filter 0,$(shell id -u)),/usr/local,$(HOME)/.local)
PYTHON ?= python3
RELEASES ?= bookworm trixie
FUZZ_SECONDS ?= 600
MINUTES ?= 60
export V TEXT

.PHONY: build speak check fuzz soak parity install deb check-packages clean

build:
	@scripts/packages.sh build
	@scripts/build.sh $(BUILD)

speak:
	@scripts/packages.sh build speak
	@scripts/build.sh $(BUILD)
	@scripts/speak.sh $(BUILD)

check:
	@scripts/packages.sh build speak check
	@scripts/build.sh $(BUILD)
	@scripts/venv.sh $(BUILD)
	@scripts/check.sh $(BUILD)

# Every parser of what strangers send, FUZZ_SECONDS each; see scripts/fuzz.sh.
fuzz:
	@scripts/packages.sh build ci
	@scripts/fuzz.sh $(BUILD)-fuzz $(FUZZ_SECONDS)

# Mixed load for MINUTES, while the audio server is killed again and again.
soak: build
	@mkdir -p $(BUILD)/soak
	@python3 tests/bench/soak.py $(BUILD) --minutes $(MINUTES) --out $(BUILD)/soak

# What transformers computes now beside what barkctl computes; make check does
# the same with results that are kept in the repository.
parity: build
	@$(PYTHON) -c 'import torch, transformers' || \
		{ echo "PYTHON=... must have torch and transformers"; exit 1; }
	@$(PYTHON) tests/parity/live.py $(BUILD)/client/barkctl

install: build
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@meson install -C $(BUILD)
	@if [ "$$(id -u)" = 0 ] && [ -z "$(DESTDIR)" ]; then /sbin/ldconfig; fi

deb:
	@scripts/packages.sh build deb
	@scripts/deb.sh $(BUILD)-deb

# In fresh Debian systems, as root; for another than this one's release they are
# built there, too.
check-packages: deb
	@tests/packages.sh $(BUILD)-deb $(RELEASES)

clean:
	rm -rf $(BUILD) $(BUILD)-deb $(BUILD)-fuzz

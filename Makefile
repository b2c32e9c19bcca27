# SPDX-License-Identifier: MIT
#
# The commands of the README over meson, ninja and scripts/. Set BUILD for
# another build directory, PREFIX for another place to install to, V=1 to see
# every command and test, TEXT for make speak.

BUILD ?= build
TEXT ?= Hello there. This is your computer speaking.
PREFIX ?= $(if $(filter 0,$(shell id -u)),/usr/local,$(HOME)/.local)
PYTHON ?= python3
export V TEXT

.PHONY: build speak check parity install clean

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
	@scripts/check.sh $(BUILD)

# Lives models of transformers beside ours; needs torch and transformers.
parity: build
	@$(PYTHON) tests/parity/live.py --build $(BUILD)

install: build
	@meson configure $(BUILD) --prefix=$(PREFIX)
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD)

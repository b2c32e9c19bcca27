#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests with real audio servers. Prints as tests/tap.h says.

    run.py --helpers DIR --modules DIR [--barkd FILE --barkctl FILE]
           [--sd-barkd FILE] [--notify FILE] [--wyoming FILE] [--spiel FILE]
           [--venv DIR] [--units DIR] [--voice DIR]... [--fast DIR] [--soak N]
           [--idle SECONDS] [--only PATTERN]... GROUP...

helpers: where sink_host, wavcmp, pw_record and jack_record are; modules: where
the sinks are; units: the source's. Without --barkd and --barkctl: $BARKD and
$BARKCTL. voice: a model that speaks, the first that exists; fast: one that only
has to be fast. venv: where Python clients are. soak: utterances of the long test.
idle: how long nothing may happen.
"""
import argparse
import contextlib
import importlib
import os
import signal
import sys

import harness


def ask_for_time():
    """A busy machine must not make silence late: as root, what the tests
    start takes precedence over other sessions."""
    with contextlib.suppress(OSError):
        os.setsid()
        with open("/proc/self/autogroup", "w") as f:
            f.write("-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--helpers", required=True)
    parser.add_argument("--modules", required=True)
    parser.add_argument("--barkd", default=os.environ.get("BARKD"))
    parser.add_argument("--barkctl", default=os.environ.get("BARKCTL"))
    parser.add_argument("--units")
    parser.add_argument("--sd-barkd")
    parser.add_argument("--notify")
    parser.add_argument("--wyoming")
    parser.add_argument("--spiel")
    parser.add_argument("--venv")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--voice", action="append", default=[])
    parser.add_argument("--fast")
    parser.add_argument("--idle", type=float, default=float(os.environ.get("IDLE", 5)))
    parser.add_argument("--soak", type=int, default=int(os.environ.get("SOAK", 1000)))
    here = os.path.dirname(os.path.abspath(__file__))
    groups = sorted(f[5:-3] for f in os.listdir(here) if f.startswith("test_"))
    parser.add_argument("groups", nargs="+", choices=groups)
    args = parser.parse_args()
    ask_for_time()
    # Ended early: what was started is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for group in args.groups:
        importlib.import_module("test_" + group)
    bench = harness.Bench(args.helpers, args.modules, args.barkd, args.barkctl,
                          args.voice, args.fast, args.soak, args.idle, args.units,
                          args.sd_barkd, args.venv, args.notify,
                          args.wyoming, args.spiel)
    return harness.run(bench, args.only)


if __name__ == "__main__":
    sys.exit(main())

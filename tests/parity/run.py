#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares `barkctl trace` with what transformers computed.

Usage: run.py BARKCTL [FIXTURES [PATTERN]]. Every case of the fixtures is
traced greedily in f32 and exact mode; tokens must be equal, sound within 1e-4
of the largest sample. A stage that differs is traced again from the
reference's tokens, so that each stage is judged by itself. Prints lines as
tests/tap.h does; needs nothing but Python.
"""
import fnmatch
import json
import os
import subprocess
import sys
import tempfile

import npy

STAGES = ("text_ids", "semantic", "coarse", "fine", "audio")
AUDIO_TOLERANCE = 1e-4
HERE = os.path.dirname(os.path.abspath(__file__))


class Failure(Exception):
    pass


def trace(barkctl, model, voice, case, out, given=()):
    """given: stages whose tokens come from the reference, as paths."""
    command = [barkctl, "trace", "-m", model, "-v", voice or "none",
               "--greedy", "--precision", "f32", "--mode", "exact"]
    if case["max"] is not None:
        command += ["--max-semantic", str(case["max"]), "--no-eos"]
    for stage, path in given:
        command += ["--" + stage, path]
    command += ["--text", case["text"], "-o", out]
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace").strip().splitlines()
        raise Failure(f"barkctl trace: exit status {done.returncode}: "
                      + (said[-1] if said else "nothing said"))


def position(shape, i):
    if len(shape) == 1:
        return str(i)
    return f"{i // shape[1]}, {i % shape[1]}"


def difference(want_path, have_path, tolerance):
    """What differs between two arrays, or None."""
    if not os.path.exists(have_path):
        return "missing"
    want_shape, want = npy.read(want_path)
    have_shape, have = npy.read(have_path)
    if tolerance is not None:
        tolerance *= max(1.0, max(map(abs, want), default=0.0))
    for i, (a, b) in enumerate(zip(want, have)):
        if want_shape[1:] != have_shape[1:]:
            break
        if a != b if tolerance is None else not abs(a - b) <= tolerance:
            return (f"[{position(want_shape, i)}] is {b:.9g}, not {a:.9g}; "
                    f"shape {have_shape}, reference {want_shape}")
    if want_shape != have_shape:
        return f"shape is {have_shape}, not {want_shape}"
    return None


def differences(reference, out, stages):
    found = {}
    for stage in stages:
        why = difference(f"{reference}/{stage}.npy", f"{out}/{stage}.npy",
                         AUDIO_TOLERANCE if stage == "audio" else None)
        if why:
            found[stage] = why
    return found


def run_case(barkctl, model, voice, case, reference, out):
    """The differences by stage; a stage after a wrong one is judged alone."""
    trace(barkctl, model, voice, case, out)
    found = differences(reference, out, STAGES)
    wrong = next((s for s in STAGES if s in found), None)
    if wrong is None or STAGES.index(wrong) in (0, len(STAGES) - 1):
        return found
    found = {wrong: found[wrong]}
    for i in range(STAGES.index(wrong), len(STAGES) - 1):
        given = [(s, f"{reference}/{s}.npy") for s in STAGES[1:i + 1]]
        again = f"{out}-{STAGES[i]}"
        trace(barkctl, model, voice, case, again, given)
        found.update(differences(reference, again, [STAGES[i + 1]]))
    return found


def voices_of(model_dir, case):
    """A case's voice in both layouts; one run where it has none."""
    if case["voice"] is None:
        return [("", None)]
    path = os.path.join(model_dir, "voices", case["voice"])
    return [(" npz", path + ".npz"), (" npy", path)]


def find_cases(fixtures):
    for model in sorted(os.listdir(fixtures)):
        at = os.path.join(fixtures, model)
        if not os.path.isdir(os.path.join(at, "model")):
            continue
        for name in sorted(os.listdir(at)):
            case = os.path.join(at, name, "case.json")
            if os.path.exists(case):
                with open(case) as f:
                    yield model, at, json.load(f)


def run(barkctl, fixtures, pattern="*", out=sys.stdout):
    """Whether all cases agree."""
    good, n = True, 0
    for model, at, case in find_cases(fixtures):
        name = f"parity {model}/{case['name']}"
        if not fnmatch.fnmatch(name, f"*{pattern}*"):
            continue
        for suffix, voice in voices_of(at, case):
            n += 1
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    found = run_case(barkctl, os.path.join(at, "model"), voice,
                                     case, os.path.join(at, case["name"]),
                                     os.path.join(scratch, "out"))
                    why = "; ".join(f"{s}{d}" if d.startswith("[") else
                                    f"{s}: {d}" for s, d in found.items())
                except (Failure, OSError, ValueError,
                        subprocess.TimeoutExpired) as error:
                    why = str(error)
            print(f"not ok {name}{suffix}: {why}" if why else
                  f"ok {name}{suffix}", file=out, flush=True)
            good = good and not why
    if n == 0:
        print("not ok parity: no cases found", file=out)
    return good and n > 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if run(sys.argv[1],
                      sys.argv[2] if len(sys.argv) > 2 else
                      os.path.join(HERE, "fixtures"),
                      sys.argv[3] if len(sys.argv) > 3 else "*") else 1)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where the embedded voice's sound begins and ends: at once, and nothing of it is
missing.

Usage: onset.py BARKCTL. Letters, words and sentences are rendered as the daemon
speaks them, with two seeds, with the silence at their ends and without it, and
compared: what can be heard (-30 dB of the largest sample of the first 200 ms, or
of the whole) begins within some milliseconds and ends 150 ms before the end at
most, and what was cut away can not be heard. Prints lines as tests/tap.h does;
needs nothing but Python.
"""
import array
import os
import statistics
import string
import subprocess
import sys
import tempfile
import wave

HERE = os.path.dirname(os.path.abspath(__file__))
VOICE = os.path.join(HERE, "../../voices/slt")
SEEDS = ("1", "2")
RATE = 24000
AUDIBLE = 10 ** (-30 / 20)
WORDS = ("OK Cancel yes Save Delete link Escape Home File folder window seven four five half "
         "house hat hotel fish phone thin thick ship sheet very van this when fox happy soft "
         "safe face stuff path").split()
SENTENCES = [
    "The train to the coast leaves at nine.", "Her answer came a little too late.",
    "First, open the door; then, close it again.", "Please wait.",
    "Have you seen the other half of it?", "Three people were in the room.",
]


def ms(n):
    return 1000 * n / RATE


def render(barkctl, out, text, seed, *options):
    """Samples between -1 and 1."""
    path = os.path.join(out, "a.wav")
    subprocess.run([barkctl, "render", "-m", VOICE, "--mode", "low-latency", "--seed", seed,
                    *options, "-o", path, text], check=True, timeout=60)
    with wave.open(path) as w:
        assert w.getframerate() == RATE
        return [v / 32768 for v in array.array("h", w.readframes(w.getnframes()))]


def peak(x):
    return max(map(abs, x))


def onset(x, level):
    return next(i for i, v in enumerate(x) if abs(v) >= level)


def first_audible(x):
    """The first sample that stands 30 dB below the next 200 ms, at least."""
    at = onset(x, peak(x) * 10 ** (-60 / 20))
    return onset(x, peak(x[at:at + RATE // 5]) * AUDIBLE)


def place(part, whole):
    """Where part lies in whole; its ends are faded."""
    a, n = RATE // 100, RATE // 50
    return next(i for i in range(len(whole) - len(part) + 1)
                if whole[i + a:i + a + n] == part[a:a + n])


def measure(barkctl, texts):
    """[(text, ms before the first sound, behind the last, dB cut before, behind)]"""
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for seed in SEEDS:
            for text in texts:
                whole = render(barkctl, out, text, seed, "--keep-silence")
                x = render(barkctl, out, text, seed)
                at, top = place(x, whole), peak(whole)
                rows.append((text, ms(first_audible(x)),
                             ms(onset(reversed(x), top * AUDIBLE)),
                             peak(whole[:at] or [0]) / top,
                             peak(whole[at + len(x):] or [0]) / top))
    return rows


def check(barkctl, name, texts, median, most):
    rows = measure(barkctl, texts)
    early = [r[1] for r in rows]
    checks = {
        "begin with their first sound":
            statistics.median(early) <= median and max(early) <= most,
        "end soon behind their last sound": max(r[2] for r in rows) <= 150,
        "are whole": max(max(r[3], r[4]) for r in rows) <= AUDIBLE,
    }
    for what, good in checks.items():
        print(f"{'ok' if good else 'not ok'} onset: {name} {what}")
    worst = max(rows, key=lambda r: r[1])
    print(f"# {name}: first sound after {statistics.median(early):.1f} ms (median), "
          f"{worst[1]:.1f} at most ({worst[0]}); {max(r[2] for r in rows):.0f} ms behind the last "
          f"at most", flush=True)
    return all(checks.values())


def main(barkctl):
    good = [check(barkctl, "letters", string.ascii_letters, 10, 20),
            check(barkctl, "words", WORDS, 15, 65),
            check(barkctl, "sentences", SENTENCES, 15, 65)]
    return all(good)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1]) else 1)

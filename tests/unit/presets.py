#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The embedded voices are as high as their speakers, as loud as each other in
any sentence, and the same in both modes.

Usage: presets.py BARKCTL. Prints lines as tests/tap.h does.
"""
import array
import math
import os
import subprocess
import sys
import tempfile
import wave

# Median pitch, Hz: from, to. A woman and two men.
PITCH = {"slt": (150, 220), "awb": (105, 145), "rms": (80, 125)}
TEXT = "Good evening, the mail has come and the garden is still green."
# More than 2 dB apart, were they not levelled.
SOFT = ("Search results, page two of seven.",
        "Recording stopped after twelve seconds.")
LOUD = ("Farmers in the northern valley are hoping for rain before the end of "
        "the month.", "Call me at five five five, zero one nine eight.")
RATE = 8000


def render(barkctl, voice, folder, mode="low-latency", text=TEXT):
    """Samples of a sentence at RATE, -1 to 1."""
    path = os.path.join(folder, voice + ".wav")
    subprocess.run([barkctl, "render", "-v", voice, "--mode", mode, "-o", path,
                    text], check=True)
    with wave.open(path) as w:
        assert w.getparams()[:3] == (1, 2, 3 * RATE), w.getparams()
        x = array.array("h", w.readframes(w.getnframes()))
    return [sum(x[i:i + 3]) / 98304 for i in range(0, len(x) - 2, 3)]


def pitch(x, size=320):
    """Median over frames whose autocorrelation has a clear peak."""
    found = []
    for at in range(0, len(x) - 2 * size, size):
        a = x[at:at + size]
        energy = sum(v * v for v in a)
        if energy < 0.05:
            continue
        best, lag = 0, 0
        for k in range(RATE // 260, RATE // 65):
            b = x[at + k:at + k + size]
            c = sum(map(float.__mul__, a, b))
            c /= math.sqrt(energy * sum(v * v for v in b)) + 1e-9
            if c > best:
                best, lag = c, k
        if best > 0.7:
            found.append(RATE / lag)
    assert len(found) > 15, f"{len(found)} voiced frames"
    return sorted(found)[len(found) // 2]


def loudness(x):
    """dB of the louder frames."""
    frames = sorted(sum(v * v for v in x[i:i + 400]) for i in range(0, len(x), 400))
    loud = frames[len(frames) // 2:]
    return 10 * math.log10(sum(loud) / len(loud) / 400)


def levelled(barkctl):
    """Sentences of soft and of loud sounds are heard alike."""
    with tempfile.TemporaryDirectory() as folder:
        soft, loud = (sum(loudness(render(barkctl, "slt", folder, text=t))
                          for t in texts) / len(texts)
                      for texts in (SOFT, LOUD))
    name, far = "presets sentences alike in loudness", abs(loud - soft)
    print(f"ok {name}" if far < 1.4 else f"not ok {name}: {far:.1f} dB")
    return far < 1.4


def main(barkctl):
    good, level = True, {}
    with tempfile.TemporaryDirectory() as folder:
        for voice, (low, high) in PITCH.items():
            try:
                x = render(barkctl, voice, folder)
                hz, level[voice] = pitch(x), loudness(x)
                why = "" if low <= hz <= high else f"{hz:.0f} Hz"
                if x != render(barkctl, voice, folder, "exact"):
                    why += "another sound in exact mode"
            except (AssertionError, OSError,
                    subprocess.CalledProcessError) as error:
                why = str(error) or "failed"
            name = f"presets pitch of {voice}"
            print(f"not ok {name}: {why}" if why else f"ok {name}", flush=True)
            good = good and not why
    far = (max(level.values()) - min(level.values())
           if len(level) == len(PITCH) else math.inf)
    name = "presets alike in loudness"
    print(f"ok {name}" if far < 4 else f"not ok {name}: {far:.1f} dB")
    return levelled(barkctl) and good and far < 4


if __name__ == "__main__":
    sys.exit(__doc__ if len(sys.argv) != 2 else not main(sys.argv[1]))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Letters and single words of the embedded voice: said right, and no more.

Usage: short.py BARKCTL. What a short text leaves open, a sampled voice fills:
it reads a letter as its sound, or goes on with words that nobody wrote. Each
text is traced as the daemon speaks it, with two seeds; its phones are read
from the semantic tokens and compared with the CMU lexicon's. Nine of ten must
be right, and none may last longer than two seconds. Prints lines as
tests/tap.h does; needs nothing but Python.
"""
import os
import string
import subprocess
import sys
import tempfile

import npy

HERE = os.path.dirname(os.path.abspath(__file__))
VOICE = os.path.join(HERE, "../../voices/slt")
SEEDS = ("1", "2")
RIGHT = 0.9
RATE, LONGEST = 50, 2.0  # tokens a second; seconds
# The voice's semantic tokens (training/tokens.py): below C0 each begins a
# phone, and the phone is the token modulo 41.
PHONES = ("aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng "
          "ow oy p r s sh t th uh uw v w y z zh pau").split()
B0, C0 = 32 * 41, (32 + 12) * 41
LETTERS = ("ey|b iy|s iy|d iy|iy|eh f|jh iy|ey ch|ay|jh ey|k ey|eh l|eh m|"
           "eh n|ow|p iy|k y uw|aa r|eh s|t iy|y uw|v iy|d ah b ax l y uw|"
           "eh k s|w ay|z iy").split("|")
WORDS = {
    "OK": "ow k ey", "Cancel": "k ae n s ax l", "yes": "y eh s", "no": "n ow",
    "Save": "s ey v", "Delete": "d ih l iy t", "menu": "m eh n y uw",
    "button": "b ah t ax n", "link": "l ih ng k", "space": "s p ey s",
    "Escape": "ih s k ey p", "Home": "hh ow m", "File": "f ay l",
    "folder": "f ow l d er", "window": "w ih n d ow", "seven": "s eh v ax n",
    "Monday": "m ah n d iy", "Open": "ow p ax n", "checked": "ch eh k t",
    "Hello": "hh ax l ow", "battery": "b ae t er iy", "Search": "s er ch",
    "comma": "k aa m ax", "Print": "p r ih n t",
}


def speak(barkctl, text, seed):
    """Phones, seconds."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([barkctl, "trace", "-m", VOICE, "--seed", seed,
                        "--text", text, "-o", out], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        _, tokens = npy.read(f"{out}/semantic.npy")
    begun = [int(t) for t in tokens if t < C0]
    phones = [PHONES[(t if t < B0 else t - B0) % len(PHONES)] for t in begun]
    return " ".join(p for p in phones if p != "pau"), len(tokens) / RATE


def check(barkctl, name, texts):
    wrong, slow = [], []
    for seed in SEEDS:
        for text, want in texts.items():
            have, seconds = speak(barkctl, text, seed)
            if have != want:
                wrong.append(f"{text}: {have}")
            if seconds > LONGEST:
                slow.append(f"{text}: {seconds:.1f} s")
    total = len(SEEDS) * len(texts)
    enough = total - len(wrong) >= RIGHT * total
    print(f"{'ok' if enough else 'not ok'} short: {name} are said right"
          + ("" if enough else f": {len(wrong)} of {total}: " + "; ".join(wrong)),
          flush=True)
    print(f"{'not ok' if slow else 'ok'} short: {name} end when they are said"
          + (": " + "; ".join(slow) if slow else ""), flush=True)
    return enough and not slow


def main(barkctl):
    good = check(barkctl, "letters",
                 dict(zip(string.ascii_uppercase, LETTERS)))
    return check(barkctl, "words", WORDS) and good


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(0 if main(sys.argv[1]) else 1)

"""Whether questions rise: the melody at the end of the same words as a statement and as a yes/no question, and in exclamations and lists.

usage: melody.py MODEL [--barkctl PROGRAM] [--voice V]      MODEL "teacher" is hibari itself
Printed for each kind: by how many semitones the last 120 ms that are voiced lie above the 300 ms before (mean, and how many of the sentences rise)."""
import argparse

import numpy as np
import scipy.signal

import evaluate as E
import evaluate_sources

WORDS = """You want some tea|She is at home|They have seen it|He can swim|The shop is open|We are late|It works|Your sister plays the piano|The train has left|You know him
There is more|Anna will call|The file is saved|You like it here|He lives in the old house|The door was locked|It is too loud|We need a new key|Paul wrote this|You heard the bell""".replace("\n", "|").split("|")
QUESTIONS = """Do you want some tea|Is she at home|Have they seen it|Can he swim|Is the shop open|Are we late|Does it work|Does your sister play the piano|Has the train left
Do you know him|Is there more|Will Anna call|Is the file saved|Do you like it here|Does he live in the old house|Was the door locked|Is it too loud
Do we need a new key|Did Paul write this|Did you hear the bell""".replace("\n", "|").split("|")
KINDS = (("statements", [w + "." for w in WORDS]), ("the same as questions", [w + "?" for w in WORDS]), ("yes/no questions", [q + "?" for q in QUESTIONS]),
         ("exclamations", [w + "!" for w in WORDS]))


def rise(x):
    """Semitones by which the end of a wave of 16 kHz lies above what is before."""
    f0 = E.melody(x)
    v = np.log2(f0[f0 > 0]) * 12
    return np.median(v[-10:]) - np.median(v[-34:-10]) if len(v) > 20 else np.nan


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("model")
    p.add_argument("--barkctl")
    p.add_argument("--voice", default="none")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    if a.model == "teacher":
        from hibari import Hibari
        tts = Hibari()
        speak = lambda text: tts(text, seed=1)
    elif a.barkctl:
        speak = lambda text: evaluate_sources.barkctl_wave(a, text)
    else:
        model = evaluate_sources.Model(a)
        speak = lambda text: model.speak([text])[0]
    for kind, texts in KINDS:
        r = np.array([rise(scipy.signal.resample_poly(speak(t), 2, 3)) for t in texts])
        r = r[np.isfinite(r)]
        print("%s: %+.1f semitones at the end, %d of %d rise" % (kind, r.mean(), (r > 1).sum(), len(r)), flush=True)


if __name__ == "__main__":
    main()

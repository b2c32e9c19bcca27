"""Whether a long text is spoken as well at its end as at its beginning.

usage: drift.py BARKCTL MODEL --work DIR [--words 2000] [--voice V] [--turns 5]
Validation texts of the corpus make one text of so many words; it is rendered as one utterance and recognised as a whole.
Each error is charged to the word of the text where it stands; printed is the word error rate of each fifth.
With five turns every fifth of the text stands once in every place, so that a place's words are the same as any other's.
MODEL "teacher" is hibari itself."""
import argparse
import os
import subprocess

import numpy as np
import scipy.io.wavfile

import data
import evaluate as E
import texts


def sentences(work, words, seed=1):
    kinds = [texts.KINDS.index(k) for k in ("example", "everyday", "gloss", "interface")]
    pool = sorted({u[3] for s in data.shards(work) for u in data.utterances(s, True) if u[2] in kinds and not any(c.isdigit() for c in u[3])})
    out, count = [], 0
    for i in np.tile(np.random.default_rng(seed).permutation(len(pool)), 2):
        if count >= words:
            break
        t = pool[i][0].upper() + pool[i][1:]
        out.append(t if t[-1] in ".!?" else t + ".")
        count += len(E.words(t))
    return out


def render(a, text, tmp):
    if a.model == "teacher":
        from hibari import Hibari
        return Hibari()(text, seed=1), 24000
    subprocess.run([a.barkctl, "render", "-m", a.model, "-v", a.voice, "--seed", "1", "-o", tmp, "-"], input=text.encode("ascii"), check=True)
    rate, x = scipy.io.wavfile.read(tmp)
    return x / 32768.0, rate


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("barkctl")
    p.add_argument("model")
    p.add_argument("--work", default="training/work")
    p.add_argument("--words", type=int, default=2000)
    p.add_argument("--voice", default="none")
    p.add_argument("--turns", type=int, default=1)
    a = p.parse_args()
    lines = sentences(a.work, a.words)
    tmp = os.path.join(a.work, "drift.%d.wav" % os.getpid())
    ends = np.cumsum([len(E.words(t)) for t in lines])
    cuts = np.searchsorted(ends, ends[-1] * np.arange(6) / 5)
    parts = [lines[i:j] for i, j in zip(cuts, cuts[1:])]
    wrong, count = np.zeros(5, int), np.zeros(5, int)
    for turn in range(a.turns):
        order = parts[turn % 5:] + parts[:turn % 5]
        x, rate = render(a, " ".join(sum(order, [])), tmp)
        ref = [E.words(" ".join(p)) for p in order]
        err = E.charge(sum(ref, []), E.words(E.recognise(x, rate, tmp)))
        e, n = [e.sum() for e in np.split(err, np.cumsum([len(r) for r in ref])[:-1])], [len(r) for r in ref]
        wrong, count = wrong + e, count + n
        print("%d words, %.0f s of sound, WER %.1f %%; by fifths %s" % (sum(n), len(x) / rate, 100 * err.sum() / sum(n),
                                                                        ", ".join("%.1f %%" % v for v in 100 * np.divide(e, n))), flush=True)
    print("in all: %.1f %%; by fifths %s" % (100 * wrong.sum() / count.sum(), ", ".join("%.1f %%" % v for v in 100 * wrong / count)))
    os.remove(tmp)


if __name__ == "__main__":
    main()

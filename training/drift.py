"""Whether a long text is spoken as well at its end as at its beginning.

usage: drift.py BARKCTL MODEL --work DIR [--words 2000] [--voice V]
Validation texts of the corpus make one text of so many words; it is rendered as one utterance and recognised as a whole.
Each error is charged to the word of the text where it stands; printed is the word error rate of each fifth."""
import argparse
import os
import subprocess

import numpy as np
import scipy.io.wavfile

import data
import evaluate as E
import texts


def text_of(work, words, seed=1):
    kinds = [texts.KINDS.index(k) for k in ("example", "everyday", "gloss", "interface")]
    pool = sorted({u[3] for s in data.shards(work) for u in data.utterances(s, True) if u[2] in kinds and not any(c.isdigit() for c in u[3])})
    out, count = [], 0
    for i in np.tile(np.random.default_rng(seed).permutation(len(pool)), 2):
        if count >= words:
            break
        t = pool[i][0].upper() + pool[i][1:]
        out.append(t if t[-1] in ".!?" else t + ".")
        count += len(E.words(t))
    return " ".join(out)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("barkctl")
    p.add_argument("model")
    p.add_argument("--work", default="training/work")
    p.add_argument("--words", type=int, default=2000)
    p.add_argument("--voice", default="none")
    a = p.parse_args()
    text = text_of(a.work, a.words)
    wav, tmp = (os.path.join(a.work, "drift.%d.%s" % (os.getpid(), k)) for k in ("wav", "tmp.wav"))
    subprocess.run([a.barkctl, "render", "-m", a.model, "-v", a.voice, "--seed", "1", "-o", wav, "-"], input=text.encode("ascii"), check=True)
    rate, x = scipy.io.wavfile.read(wav)
    ref, hyp = E.words(text), E.words(E.recognise(x / 32768.0, rate, tmp))
    err = E.charge(ref, hyp)
    print("%d words, %.0f s of sound, WER %.1f %%; by fifths %s" % (len(ref), len(x) / rate, 100 * err.sum() / len(ref),
                                                                    ", ".join("%.1f %%" % (100 * e.sum() / len(e)) for e in np.array_split(err, 5))))
    os.remove(wav), os.remove(tmp)


if __name__ == "__main__":
    main()

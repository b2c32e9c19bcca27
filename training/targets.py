"""The waves that the decoder learns: the teacher's, made again with the codes' pitch and pulse phase.

usage: targets.py --work DIR [--shards N]    writes W/codec/NNN.wave.npy (2, samples) int16 for the first shards: the whole wave, and its harmonic part.
320 samples a codec frame, as NNN.npz has them."""
import argparse
import os
import time

import numpy as np

import hibari_teacher
import spectra
import tokens
import vocoder as V


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--shards", type=int, default=3)
    p.add_argument("--first", type=int, default=0)
    a = p.parse_args()
    teacher = hibari_teacher.Teacher(a.work)
    for k in range(a.first, a.shards):
        base = os.path.join(a.work, "codec", "%03d" % k)
        if os.path.exists(base + ".wave.npy"):
            continue
        began = time.time()
        shard = tokens.load_shard(os.path.join(a.work, "corpus", "%03d.npz" % k))
        with np.load(base + ".npz") as z:
            at, code, phi = z["at"], z["a"].astype(np.int64), z["phi"].astype(np.int64)
        out = np.zeros((2, at[-1] * V.HOP), np.int16)
        for u, text in enumerate(shard["texts"]):
            d = teacher.speak(teacher.phonemize(text)[0])
            f = slice(at[u], at[u + 1])
            both = spectra.waves(d, code[f], phi[f], int(shard["lead"][u]) * (V.RATE // 80))
            out[:, at[u] * V.HOP:at[u + 1] * V.HOP] = np.rint(np.clip(both, -1, 1) * 32767)
        np.save(base + ".tmp.npy", out)
        os.replace(base + ".tmp.npy", base + ".wave.npy")
        print("%03d: %.2f h, %.0f s" % (k, at[-1] / V.FPS / 3600, time.time() - began), flush=True)


if __name__ == "__main__":
    main()

"""Codec tokens of the embedded voice: computed, not learnt. Codebook 1 = k-means of MGC, for each speaker apart; codebook 2 = pitch and
phase (vocoder.py).

usage: codec_tokens.py --work DIR [--frames N] [--iterations N]     writes W/books.npz from the first W/codec/*.npz of each speaker

books.npz: centroids (1680, 45), mean, std (45, slt's), books (2, 1680, 64): the vectors that the EnCodec decoder sums.
Columns of a vector: 0..44 whitened MGC (book 0); book 1: 45 voiced +1 / noise -1, 46 log F0, 47..62 cos and sin of harmonics
1..8 of the phase in the frame's middle, 63 spare; a noise code has Gaussian numbers in 47..63: they are the decoder's only
source of randomness. Book 3 of the model is zero. A speaker's envelope codes are nobody else's: they tell the networks who speaks."""
import argparse
import glob
import os

import numpy as np

import vocoder as V

DIM, CODES = 64, V.CODES
SPEAKERS = {"slt": slice(0, 1024), "rms": slice(1024, 1352), "awb": slice(1352, CODES)}       # envelope codes


def weights():
    """c1.. count twice: then the distance is the log-spectral one."""
    w = np.full(V.MGC, np.sqrt(2), np.float32)
    w[0] = 1
    return w


def nearest(x, c, block=8192):
    """Index of the nearest row of c for every row of x."""
    half = 0.5 * (c * c).sum(1)
    return np.concatenate([np.argmax(x[i:i + block] @ c.T - half, 1) for i in range(0, len(x), block)])


def kmeans(x, k, iterations, rng):
    c = x[rng.choice(len(x), k, replace=False)].copy()
    for it in range(iterations):
        n = nearest(x, c)
        count = np.bincount(n, minlength=k)
        order = np.argsort(n, kind="stable")
        ends = np.cumsum(count)
        sums = np.add.reduceat(x[order], np.minimum(ends - count, len(x) - 1), axis=0)
        live = count > 0
        c[live] = sums[live] / count[live, None]
        c[~live] = x[rng.choice(len(x), int((~live).sum()))]
        if it % 3 == 2:
            err = np.sqrt(((x - c[n]) ** 2).sum(1)).mean() * 10 / np.log(10)
            print("k-means %d: %.2f dB, %d empty" % (it + 1, err, int((~live).sum())), flush=True)
    return c


def pitch_code(a, phi, rng):
    """Codebook 2: (a - 52) * 28 + phi where voiced, 1024 + (a - 29) * 28 + phi below a = 52, else a noise code at random."""
    a, phi = np.asarray(a, np.int64), np.asarray(phi, np.int64)
    voiced = np.where(a >= V.A_LOW, (a - V.A_LOW) * V.PHASES, 1024 + (a - V.A_DEEP) * V.PHASES) + phi
    return np.where(a > 0, voiced, rng.choice(V.NOISE, len(a)))


def pitch_book(rng):
    v = V.CODE_A > 0
    a, phi = V.CODE_A[v], V.CODE_PHI[v]
    b = np.zeros((CODES, DIM), np.float32)
    mid = 2 * np.pi * (phi + a / 2) / V.PHASES
    b[v, 45] = 1
    b[v, 46] = 6 * np.log(a / 66.0)
    for h in range(8):
        b[v, 47 + 2 * h] = np.cos((h + 1) * mid)
        b[v, 48 + 2 * h] = np.sin((h + 1) * mid)
    b[~v, 45] = -1
    b[~v, 47:] = rng.standard_normal((len(V.NOISE), 17)) * 0.7
    return b


def load_books(work):
    with np.load(os.path.join(work, "books.npz")) as z:
        return {k: z[k] for k in z.files}


def envelope_code(mgc, books, who="slt"):
    """Codebook 1 of MGC frames."""
    w, part = weights(), SPEAKERS[who]
    return part.start + nearest(np.asarray(mgc, np.float32) * w, books["centroids"][part] * w)


def sharpen(book, by):
    """Stretches the cepstra of (>= CODES, DIM) whitened vectors of codebook 1 about each speaker's mean, in place; the level stays. A code is the mean
    of the frames that are nearest to it, and flatter than they are."""
    for part in SPEAKERS.values():
        v = book[part, 1:V.MGC]
        m = v.mean(0)
        book[part, 1:V.MGC] = m + by * (v - m)


def speaker(path):
    """Whose shard W/codec/[rms_|awb_]NNN.npz is."""
    name = os.path.basename(path)
    return name[:3] if name[:3] in SPEAKERS else "slt"


def pause_codes(work, books, who):
    """Envelope codes of the pauses (first 3 frames of each utterance) before a speaker's speech, in its first shard."""
    path = next(p for p in sorted(glob.glob(os.path.join(work, "codec", "*[0-9].npz"))) if speaker(p) == who)
    with np.load(path) as z:
        at = z["at"]
        first = at[:-1][np.diff(at) > 3]
        return envelope_code(z["mgc"][(first[:, None] + np.arange(3)).ravel()], books, who)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--frames", type=int, default=700000, help="of each speaker; 150,000 are too few for 1,024 codes: 0.12 dB more on other frames")
    p.add_argument("--iterations", type=int, default=35)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    rng = np.random.default_rng(a.seed)
    c = np.zeros((CODES, V.MGC))
    mean, std = statistics(a.work)
    for who, part in SPEAKERS.items():
        x = frames_of(a.work, who, a.frames, rng)
        c[part] = kmeans(x * weights(), part.stop - part.start, a.iterations, rng) / weights()
    books = np.zeros((2, CODES, DIM), np.float32)
    books[0, :, :V.MGC] = (c - mean) / std
    books[1] = pitch_book(rng)
    np.savez(os.path.join(a.work, "books.npz"), centroids=c.astype(np.float32), mean=mean, std=std, books=books)


def statistics(work):
    """(mean, std) of slt's MGC, by which the vectors of codebook 1 are whitened: always of the same frames (states.py needs them again)."""
    x = frames_of(work, "slt", 150000, np.random.default_rng(1))
    return x.mean(0), x.std(0)


def frames_of(work, who, count, rng):
    """(count, 45) MGC frames of a speaker, drawn from the first shards."""
    x = []
    for path in sorted(glob.glob(os.path.join(work, "codec", "*.npz"))):
        if speaker(path) == who and sum(map(len, x)) < 2 * count:
            with np.load(path) as z:
                x.append(z["mgc"].astype(np.float32))
    x = np.concatenate(x)
    return x[rng.permutation(len(x))[:count]]


if __name__ == "__main__":
    main()

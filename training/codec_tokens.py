"""Codec tokens of the embedded voice: computed, not learnt. Codebook 1 = k-means of mel-cepstra, for each speaker apart; codebook 2 = pitch and
phase (vocoder.py); codebook 3 = k-means of what codebook 1 leaves; codebook 4 = k-means of the noise's share of each band, every shape with
32 seeds.

usage: codec_tokens.py --work DIR [--frames N] [--iterations N]     writes W/books.npz from the first W/codec/*.npz of each speaker.
Run again when a speaker has been added, it leaves the others' codes as they are.

books.npz: centroids (2048, 45), residuals (1024, 45), shapes (64, 7), mean, std (45, heart's), books (4, 2048, 80): the vectors that the EnCodec
decoder sums. Columns of a vector: 0..44 whitened cepstrum (books 1 and 3); book 2: 45 voiced +1 / noise -1, 46 log F0, 47..62 cos and sin of harmonics
1..8 of the phase in the frame's middle; a noise code has Gaussian numbers in 47..63. Book 4: 64..70 the noise's shares, 71..79 Gaussian numbers of
the seed. Those numbers are the decoder's only source of randomness. A speaker's envelope codes are nobody else's: they tell the networks who speaks."""
import argparse
import glob
import os

import numpy as np

import spectra
import vocoder as V

DIM, CODES = 80, V.CODES
BOOKS = 4
SPEAKERS = {"heart": slice(0, 1280), "kumo": slice(1280, CODES)}       # envelope codes
RESIDUALS, SHAPES = 1024, 64
SEEDS = CODES // SHAPES          # code of book 4 = shape * SEEDS + seed
SHARE = slice(64, 64 + spectra.NB)


def weights():
    """c1.. count twice: then the distance is the log-spectral one."""
    w = np.full(V.MGC, np.sqrt(2), np.float32)
    w[0] = 1
    return w


def nearest(x, c, block=8192):
    """Index of the nearest row of c for every row of x."""
    half = 0.5 * (c * c).sum(1)
    return np.concatenate([np.argmax(x[i:i + block] @ c.T - half, 1) for i in range(0, len(x), block)] or [np.zeros(0, np.int64)])


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
    """Codebook 2: index of the pitch * 28 + phi where voiced, else a noise code at random."""
    a, phi = np.asarray(a, np.int64), np.asarray(phi, np.int64)
    return np.where(a > 0, V.INDEX[a] * V.PHASES + phi, rng.choice(V.NOISE, len(a)))


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
    b[~v, 47:64] = rng.standard_normal((len(V.NOISE), 17)) * 0.7
    return b


def noise_book(shapes, rng):
    b = np.zeros((CODES, DIM), np.float32)
    b[:, SHARE] = np.repeat(shapes + 1.0, SEEDS, 0)
    b[:, SHARE.stop:] = np.tile(rng.standard_normal((SEEDS, DIM - SHARE.stop)) * 0.7, (SHAPES, 1))
    return b


def load_books(work):
    with np.load(os.path.join(work, "books.npz")) as z:
        return {k: z[k] for k in z.files}


def envelope_code(mgc, books, who="heart"):
    """Codebook 1 of mel-cepstra."""
    w, part = weights(), SPEAKERS[who]
    return part.start + nearest(np.asarray(mgc, np.float32) * w, books["centroids"][part] * w)


def residual_code(mgc, first, books):
    """Codebook 3 of mel-cepstra whose codes in codebook 1 are `first`, or other ones."""
    w = weights()
    return nearest((np.asarray(mgc, np.float32) - books["centroids"][first]) * w, books["residuals"] * w)


def noise_code(share, books, rng):
    """Codebook 4 of the noise's shares: the nearest shape, any seed."""
    return nearest(np.asarray(share, np.float32), books["shapes"]) * SEEDS + rng.integers(0, SEEDS, len(share))


def codes_of(z, books, who, rng):
    """(4, frames) codes of a shard W/codec/NNN.npz."""
    mgc = z["mgc"].astype(np.float32)
    first = envelope_code(mgc, books, who)
    return np.stack([first, pitch_code(z["a"], z["phi"], rng), residual_code(mgc, first, books), noise_code(z["share"], books, rng)])


def sharpen(book, by):
    """Stretches the cepstra of (>= CODES, DIM) whitened vectors of codebook 1 about each speaker's mean, in place; the level stays. A code is the mean
    of the frames that are nearest to it, and flatter than they are."""
    for part in SPEAKERS.values():
        v = book[part, 1:V.MGC]
        m = v.mean(0)
        book[part, 1:V.MGC] = m + by * (v - m)


def shards(work, who):
    """A speaker's W/codec/[kumo_]NNN.npz."""
    return [p for p in sorted(glob.glob(os.path.join(work, "codec", "*[0-9].npz"))) if speaker(p) == who]


def speaker(path):
    """Whose shard W/codec/[kumo_]NNN.npz is."""
    return "kumo" if os.path.basename(path).startswith("kumo") else "heart"


def frames_of(work, who, count, rng, keys=("mgc",)):
    """Frames of a speaker's first shards: for each key (count, D)."""
    x = [[] for _ in keys]
    for path in shards(work, who):
        if sum(map(len, x[0])) < count:
            with np.load(path) as z:
                for k, rows in zip(keys, x):
                    rows.append(z[k].astype(np.float32))
    x = [np.concatenate(rows) for rows in x]
    order = rng.permutation(len(x[0]))[:count]
    return [rows[order] for rows in x]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--frames", type=int, default=600000, help="of each speaker")
    p.add_argument("--iterations", type=int, default=25)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    rng = np.random.default_rng(a.seed)
    w, path = weights(), os.path.join(a.work, "books.npz")
    if os.path.exists(path):
        b = load_books(a.work)
    else:
        mgc, share = frames_of(a.work, "heart", a.frames, rng, ("mgc", "share"))
        b = dict(centroids=np.zeros((CODES, V.MGC), np.float32), mean=mgc.mean(0), std=mgc.std(0), known=np.array([], "U8"))
        code = learn(a, b, "heart", mgc, rng)
        b["residuals"] = kmeans((mgc - b["centroids"][code]) * w, RESIDUALS, a.iterations, rng) / w
        b["shapes"] = kmeans(share, SHAPES, a.iterations, rng)
        b["books"] = np.zeros((BOOKS, CODES, DIM), np.float32)
        b["books"][1] = pitch_book(rng)
        b["books"][2, :RESIDUALS, :V.MGC] = b["residuals"] / b["std"]
        b["books"][3] = noise_book(b["shapes"], rng)
    for who in SPEAKERS:
        if who not in b["known"] and shards(a.work, who):
            learn(a, b, who, frames_of(a.work, who, a.frames, rng)[0], rng)
    b["books"][0, :, :V.MGC] = (b["centroids"] - b["mean"]) / b["std"]
    np.savez(path + ".tmp.npz", **b)
    os.replace(path + ".tmp.npz", path)


def learn(a, b, who, mgc, rng):
    """Sets a speaker's centroids; returns the codes of the frames."""
    part = SPEAKERS[who]
    b["centroids"][part] = kmeans(mgc * weights(), part.stop - part.start, a.iterations, rng) / weights()
    b["known"] = np.append(b["known"], who)
    return envelope_code(mgc, b, who)


if __name__ == "__main__":
    main()

"""Other speakers for the coarse network and the decoder: the Clustergen voices rms and awb of flite, in the codec's own terms.

usage: voices.py --work DIR [--shards N]     reads W/corpus/NNN.txt; writes W/codec/rms_NNN.npz, awb_NNN.npz and their *.wave.npy

A speaker says the texts with phones, durations and pitch of its own. The semantic tokens follow from them as slt's do, with the pitch
moved to slt's mean and spread: they stay independent of who speaks. Pieces and slots are left out (every phone as a piece of its
own), since the coarse network does not read them. NNN.npz: at (utterance starts), mgc, a, phi as in vocoder.py, sem_at, sem."""
import argparse
import io
import os
import subprocess
import time

import numpy as np

import tokens
import vocoder as V

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ("rms", "awb")
ORDER, RATE16 = 25, 16000
HIGHER = {"rms": 1.06, "awb": 1.0}      # so that few frames are below the lowest pitch that has codes
# How often slt whispers a phone. flite's mixed excitation has pitch everywhere (rms even in "s"): without this no frame of theirs would teach
# the coarse network what to make of slt's unvoiced tokens, and it would go on as slt.
WHISPERED = dict(s=1, f=1, sh=1, th=1, t=1, k=1, p=1, ch=1, z=0.7, dh=0.5, hh=0.5, zh=0.6, jh=0.5, b=0.3, d=0.2, g=0.2, v=0.15)
SLT_MEAN, SLT_STD = 5.162, 0.088     # of slt's log F0 in voiced frames


def build_helper(work):
    exe = os.path.join(work, "flite_params")
    if not os.path.exists(exe):
        libs = ["-lflite_cmu_us_rms", "-lflite_cmu_us_awb", "-lflite_usenglish", "-lflite_cmulex", "-lflite", "-lm"]
        subprocess.run(["cc", "-O2", "-o", exe, os.path.join(HERE, "flite", "flite_params.c")] + libs, check=True)
    return exe


def read_params(stream):
    """First (alpha, beta, rate), then for each text (phone names, dur (n, 3), f0, mcep (frames, 25)) or None."""
    yield np.frombuffer(stream.read(12), "<f4")
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return
        n, frames = (int(x) for x in np.frombuffer(head, "<i4"))
        if n == 0:
            yield None
            continue
        raw = stream.read(4 * n)
        names = [raw[4 * i:4 * i + 4].rstrip(b"\0").decode("ascii") for i in range(n)]
        dur = np.frombuffer(stream.read(6 * n), "<u2").reshape(n, 3)
        f0 = np.frombuffer(stream.read(4 * frames), "<f4")
        yield names, dur, f0, np.frombuffer(stream.read(4 * ORDER * frames), "<f4").reshape(frames, ORDER)


def conversion(alpha, beta):
    """(ORDER, MGC) and (MGC,): mcep of 16 kHz -> MGC as vocoder.py has it. flite's postfilter beta is applied; above 8 kHz the
    spectrum goes on from its last 500 Hz and falls by 9 dB to 12 kHz."""
    f = np.arange(V.FFT // 2 + 1) * (V.RATE / V.FFT)
    warp = lambda w, a: w + 2 * np.arctan2(a * np.sin(w), 1 - a * np.cos(w))
    basis = np.cos(np.outer(np.arange(ORDER), warp(2 * np.pi * np.minimum(f, 8000) / RATE16, alpha)))
    sharper = np.ones(ORDER)
    sharper[2:] += beta
    basis *= sharper[:, None]
    last = (f >= 7500) & (f <= 8000)
    basis[:, f > 8000] = basis[:, last].mean(1)[:, None]
    fall = np.where(f > 8000, -(f - 8000) / 4000 * 9 / 20 * np.log(10), 0)
    own = warp(2 * np.pi * f / V.HTS_RATE, V.ALPHA)
    x = np.cos(np.outer(np.arange(V.MGC), own)).T
    w = np.gradient(own)[:, None]                            # errors count alike on the warped axis
    fit = np.linalg.solve(x.T @ (w * x) + 1e-3 * np.eye(V.MGC), (w * x).T)
    return (fit @ basis.T).T.astype(np.float32), (fit @ fall).astype(np.float32)


def level(mgc):
    """log of each frame's mean power."""
    return np.log(np.mean(np.exp(2 * (mgc @ V.LOGH).real), 1) + 1e-9)


def whisper(names, dur, f0, rng):
    """F0 with some phones unvoiced: those that always are, as a whole, and of the others the first two states."""
    f0, at = f0.copy(), 0
    for name, d in zip(names, dur):
        share = WHISPERED.get(name, 0)
        if rng.random() < share:
            f0[at:at + (d.sum() if share == 1 else d[:2].sum())] = 0
        at += d.sum()
    return f0


def convert(raw, matrix, offset, mean, std, rng):
    """(semantic tokens, mgc of 5 ms frames, lf0) of one text, or None."""
    names, dur, f0, mcep = raw
    f0 = whisper(names, dur, f0, rng)
    if any(n not in tokens.PHONE_ID for n in names) or not names:
        return None
    phone = np.array([tokens.PHONE_ID[n] for n in names])
    five = np.zeros((len(phone), 5), np.int64)
    five[:, [0, 2, 4]] = dur
    lead, kept = tokens.trim(phone, five)
    part = slice(lead, lead + kept)
    lf0 = np.where(f0 > 0, np.log(np.maximum(f0, 1)), 0)[part].astype(np.float32)
    mgc = mcep[part] @ matrix + offset
    plain = mcep[part] @ (matrix / np.where(np.arange(ORDER) < 2, 1, 1.4)[:, None]) + offset
    mgc[:, 0] += 0.5 * (level(plain) - level(mgc))           # the postfilter must not change the power
    moved = np.where(lf0 > 1, (lf0 - mean) / std * SLT_STD + SLT_MEAN, 0)
    start = np.zeros(len(phone), int)
    start[0] = -1
    sem = tokens.encode(phone, start, np.zeros(len(phone), int), five, moved)
    return None if sem is None else (sem, mgc, lf0)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--shards", type=int, default=4)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    tokens.RATE = 50.0
    exe = build_helper(a.work)
    with np.load(os.path.join(a.work, "codec", "000.npz")) as z:
        voiced = z["a"][:20000] > 0
        want = level(z["mgc"][:20000][voiced].astype(np.float32)).mean()
    for k in range(a.shards):
        with open(os.path.join(a.work, "corpus", "%03d.txt" % k), "rb") as f:
            texts = f.read()
        for who, name in enumerate(NAMES):
            make(os.path.join(a.work, "codec", "%s_%03d" % (name, k)), exe, name, texts, want, np.random.default_rng(a.seed + 100 * who + k))


def make(out, exe, name, texts, want, rng):
    if os.path.exists(out + ".npz"):
        return
    began = time.time()
    raw = subprocess.run([exe, name], input=texts, stdout=subprocess.PIPE, check=True).stdout
    items = read_params(io.BytesIO(raw))
    alpha, beta, _ = next(items)
    items = list(items)
    matrix, offset = conversion(alpha, beta)
    lf = np.concatenate([np.log(i[2][i[2] > 0]) for i in items if i])
    mean, std = lf.mean(), lf.std()
    done = [convert(i, matrix, offset, mean, std, rng) for i in items if i]
    done = [d for d in done if d is not None]
    loud = np.concatenate([level(m[l > 1]) for _, m, l in done[:100]]).mean()
    at, sem_at, parts, waves, sems = [0], [0], [], [], []
    for sem, mgc, lf0 in done:
        mgc = (mgc + np.eye(1, V.MGC)[0] * 0.5 * (want - loud)).astype(np.float32)
        code, phi = V.frame_codes(np.where(lf0 > 1, lf0 + np.log(HIGHER[name]), 0), V.A_DEEP)
        waves.append((V.synthesise(mgc, code, phi, rng).clip(-1, 1) * 32767).astype(np.int16))
        parts.append((V.codec_features(mgc, len(code)).astype(np.float16), code.astype(np.uint8), phi.astype(np.uint8)))
        sems.append(sem)
        at.append(at[-1] + len(code))
        sem_at.append(sem_at[-1] + len(sem))
    np.save(out + ".wave.npy", np.concatenate(waves))
    np.savez(out + ".tmp.npz", at=np.array(at), mgc=np.concatenate([x[0] for x in parts]), a=np.concatenate([x[1] for x in parts]),
             phi=np.concatenate([x[2] for x in parts]), sem_at=np.array(sem_at), sem=np.concatenate(sems))
    os.rename(out + ".tmp.npz", out + ".npz")
    print("%s: %d texts of %d, %.2f h, pitch %.1f Hz, %.0f s" % (os.path.basename(out), len(done), len(items), at[-1] / V.FPS / 3600, np.exp(mean),
                                                                time.time() - began), flush=True)


if __name__ == "__main__":
    main()

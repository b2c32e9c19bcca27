"""Other speakers for the coarse network and the decoder: the Clustergen voices rms and awb of flite, in the codec's own terms.

usage: voices.py --work DIR [--shards N]     reads W/corpus/NNN.npz and .txt; writes W/codec/rms_NNN.npz, awb_NNN.npz and their *.wave.npy

A speaker says a text as slt does: with slt's semantic tokens, durations, voicing and melody, the melody moved to the speaker's mean and spread.
Only the spectra are the speaker's, stretched phone by phone. So a semantic token tells nothing of who speaks, and what the semantic network
says later is what these were learnt with. A text whose phones flite has otherwise is left out (one in seven). NNN.npz: at (utterance
starts), mgc, a, phi as in vocoder.py, sem_at, sem, held."""
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
MELODY = {"rms": (4.654, 0.14), "awb": (4.833, 0.119)}    # mean and spread of log F0 in flite; rms 6 % higher: few frames are below the lowest pitch with codes
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


def stretch(names, dur, phone, five):
    """For each 5 ms frame of slt's (phone, five) the time in flite's frames of the same phone, or None where the phones differ.
    A pause that flite has not made is taken from its first one."""
    own = [i for i, n in enumerate(names) if n != "pau"]
    if [names[i] for i in own] != [tokens.PHONES[p] for p in phone if p != tokens.PAU]:
        return None
    end = np.cumsum(dur.sum(1))
    begin = end - dur.sum(1)
    out, k = [], 0
    for p, n in zip(phone, five.sum(1)):
        i = own[k] if p != tokens.PAU else (own[k] if k < len(own) else len(names)) - 1
        k += p != tokens.PAU
        if p == tokens.PAU and names[i] != "pau":
            i = 0
        if end[i] == begin[i]:
            return None
        out.append(begin[i] + (np.arange(n) + 0.5) / n * (end[i] - begin[i]) - 0.5 if n else np.zeros(0))
    return np.concatenate(out)


def convert(raw, said, matrix, offset):
    """MGC of 5 ms frames of one text as flite's voice would say it with slt's durations, or None."""
    names, dur, _, mcep = raw
    at = stretch(names, dur, *said) if names and names[0] == "pau" else None
    if at is None:
        return None
    at = at.clip(0, len(mcep) - 1)
    i = np.minimum(at.astype(int), len(mcep) - 2)
    f = (at - i)[:, None].astype(np.float32)
    mcep = mcep[i] * (1 - f) + mcep[i + 1] * f
    mgc = mcep @ matrix + offset
    plain = mcep @ (matrix / np.where(np.arange(ORDER) < 2, 1, 1.4)[:, None]) + offset
    mgc[:, 0] += 0.5 * (level(plain) - level(mgc))           # the postfilter must not change the power
    return mgc


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
        shard = tokens.load_shard(os.path.join(a.work, "corpus", "%03d.npz" % k))
        for who, name in enumerate(NAMES):
            make(os.path.join(a.work, "codec", "%s_%03d" % (name, k)), exe, name, shard, want, np.random.default_rng(a.seed + 100 * who + k))


def make(out, exe, name, shard, want, rng):
    if os.path.exists(out + ".npz"):
        return
    began = time.time()
    texts = "".join(t + "\n" for t in shard["texts"]).encode("ascii")
    items = read_params(io.BytesIO(subprocess.run([exe, name], input=texts, stdout=subprocess.PIPE, check=True).stdout))
    alpha, beta, _ = next(items)
    items = list(items)
    matrix, offset = conversion(alpha, beta)
    mean, std = MELODY[name]
    done = []
    for u, raw in enumerate(items):
        p, f = slice(*shard["phone_at"][u:u + 2]), slice(*shard["frame_at"][u:u + 2])
        phone, five, lf0 = shard["phone"][p].astype(int), shard["dur"][p], shard["lf0"][f].astype(np.float32)
        sem = tokens.encode(phone, shard["piece"][p], shard["slot"][p], five, lf0)
        mgc = convert(raw, (phone, five), matrix, offset) if raw and sem is not None else None
        if mgc is not None:
            done.append((sem, mgc, np.where(lf0 > 1, (lf0 - SLT_MEAN) / SLT_STD * std + mean, 0), shard["held"][u]))
    loud = np.concatenate([level(m[l > 1]) for _, m, l, _ in done[:100]]).mean()
    at, sem_at, parts, waves = [0], [0], [], []
    for sem, mgc, lf0, _ in done:
        mgc = (mgc + np.eye(1, V.MGC)[0] * 0.5 * (want - loud)).astype(np.float32)
        code, phi = V.frame_codes(lf0, V.A_DEEP)
        waves.append((V.synthesise(mgc, code, phi, rng).clip(-1, 1) * 32767).astype(np.int16))
        parts.append((V.codec_features(mgc, len(code)).astype(np.float16), code.astype(np.uint8), phi.astype(np.uint8)))
        at.append(at[-1] + len(code))
        sem_at.append(sem_at[-1] + len(sem))
    np.save(out + ".wave.npy", np.concatenate(waves))
    np.savez(out + ".tmp.npz", at=np.array(at), mgc=np.concatenate([x[0] for x in parts]), a=np.concatenate([x[1] for x in parts]),
             phi=np.concatenate([x[2] for x in parts]), sem_at=np.array(sem_at), sem=np.concatenate([d[0] for d in done]), held=np.array([d[3] for d in done]))
    os.rename(out + ".tmp.npz", out + ".npz")
    print("%s: %d texts of %d, %.2f h, %.0f s" % (os.path.basename(out), len(done), len(items), at[-1] / V.FPS / 3600, time.time() - began), flush=True)


if __name__ == "__main__":
    main()

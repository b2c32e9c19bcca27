"""The teacher's wave, made again so that its pulses follow codec tokens exactly.

Codebook 2 of the embedded voice holds (a, phi): in the voiced frame n (1/75 s) the pitch is 75 * a / 28 Hz and the pulse phase
at the frame's start is phi / 28 periods; the next voiced frame starts at (phi + a) mod 28 by construction, the first one of a
voiced run at 0. This module turns MGC and log F0 of hts_engine (5 ms frames) into that grid, and synthesises 24 kHz waves from
it: minimum-phase pulses in voiced frames, filtered white noise in the others, as hts_engine does at 32 kHz.

usage: vocoder.py --work DIR [--shards N] [--waves N]     writes W/codec/NNN.npz (see convert) from W/corpus/NNN.lab.gz"""
import argparse
import glob
import gzip
import os
import subprocess
import time

import numpy as np

RATE, FPS, HOP = 24000, 75, 320
PHASES, A_LOW, A_HIGH = 28, 52, 83
A_DEEP, CODES = 29, 1680
# codebook 2: pitches 52..83 (codes 0..895), 128 codes of noise, pitches 29..51 of deeper speakers (1024..1667), 12 of noise; a = 0: noise
CODE_A, CODE_PHI = np.zeros(CODES, np.int64), np.zeros(CODES, np.int64)
for _first, _low, _high in ((0, A_LOW, A_HIGH), (1024, A_DEEP, A_LOW - 1)):
    _part = slice(_first, _first + (_high - _low + 1) * PHASES)
    CODE_A[_part] = np.repeat(np.arange(_low, _high + 1), PHASES)
    CODE_PHI[_part] = np.tile(np.arange(PHASES), _high - _low + 1)
NOISE = np.nonzero(CODE_A == 0)[0]
MGC, ALPHA, HTS_RATE, FRAME5 = 45, 0.45, 32000, 0.005
FFT = 1024
LEVEL = 1.0 / 32768


def log_spectrum_matrix():
    """(MGC, FFT/2+1) complex: MGC @ it = log of the minimum-phase frequency response at 24 kHz."""
    w = 2 * np.pi * np.arange(FFT // 2 + 1) * (RATE / FFT) / HTS_RATE
    beta = w + 2 * np.arctan2(ALPHA * np.sin(w), 1 - ALPHA * np.cos(w))
    logmag = np.cos(np.outer(np.arange(MGC), beta))
    cep = np.fft.irfft(logmag, axis=1)           # the band above 12 kHz is cut, so the phase is made anew from the magnitude
    cep[:, 1:FFT // 2] *= 2
    cep[:, FFT // 2 + 1:] = 0
    return np.fft.rfft(cep, axis=1).astype(np.complex64)


LOGH = log_spectrum_matrix()


def frame_codes(lf0, low=A_LOW):
    """log F0 of 5 ms frames (0 = unvoiced) -> a (low..83), phi of each 1/75 s frame; a = 0 where unvoiced."""
    n = int(len(lf0) * FRAME5 * FPS + 1e-6)
    mid = np.minimum(((np.arange(n) + 0.5) / FPS / FRAME5).astype(int), len(lf0) - 1)
    x = lf0[mid]
    a = np.where(x > 1, np.clip(np.rint(PHASES * np.exp(np.where(x > 1, x, 5)) / FPS), low, A_HIGH), 0).astype(np.int64)
    phi = np.zeros(n, np.int64)
    for i in range(1, n):
        if a[i] and a[i - 1]:
            phi[i] = (phi[i - 1] + a[i - 1]) % PHASES
    return a, phi


def mgc_at(mgc, t):
    """MGC at the times t (seconds), linear between parameters; hts_engine reaches parameter i at the end of its frame i."""
    x = np.clip(np.asarray(t) / FRAME5 - 1, 0, len(mgc) - 1)
    i = np.minimum(x.astype(int), len(mgc) - 2) if len(mgc) > 1 else np.zeros(len(x), int)
    f = (x - i)[:, None].astype(np.float32)
    return mgc[i] * (1 - f) + mgc[np.minimum(i + 1, len(mgc) - 1)] * f


def synthesise(mgc, a, phi, rng):
    """Wave (float32, HOP samples a frame) of MGC (5 ms frames) and the codes a, phi."""
    n = len(a)
    length = n * HOP
    out = np.zeros(length + 2 * FFT, np.float32)
    # pulses: in frame i the phase is (phi + a u) / PHASES, u = 0..1; a pulse wherever it is whole
    at, pitch = [], []
    for i in np.nonzero(a)[0]:
        k = np.arange(-(-phi[i] // PHASES), 5)
        u = (k * PHASES - phi[i]) / a[i]
        u = u[(u >= 0) & (u < 1)]
        at.append((i + u) * HOP)
        pitch.append(np.full(len(u), FPS * a[i] / PHASES))
    if at:
        at, pitch = np.concatenate(at), np.concatenate(pitch)
        whole = at.astype(int)
        h = np.exp(mgc_at(mgc, at / RATE) @ LOGH)
        h *= np.exp(-2j * np.pi * np.outer(at - whole, np.arange(FFT // 2 + 1)) / FFT)
        h *= (0.75 * np.sqrt(HTS_RATE / pitch))[:, None]      # unit power excitation at 32 kHz, seen at 24 kHz
        h[:, -1] = h[:, -1].real
        for w, x in zip(whole, np.fft.irfft(h, axis=1).astype(np.float32)):
            out[w:w + FFT] += x
    # noise: hann windows of 10 ms, each filtered as a whole
    step = 120
    noise = rng.standard_normal(length + 2 * step).astype(np.float32) * np.float32(np.sqrt(0.75))
    noise[step:step + length] *= np.repeat(a == 0, HOP)
    noise[:step] = noise[step + length:] = 0
    count = length // step + 1
    rows = np.arange(count)[:, None] * step + np.arange(2 * step)
    rows = np.minimum(rows, len(noise) - 1)
    win = np.sin(np.pi * (np.arange(2 * step) + 0.5) / (2 * step)).astype(np.float32) ** 2
    seg = noise[rows] * win
    live = np.nonzero(np.abs(seg).sum(1))[0]
    if len(live):
        spec = np.fft.rfft(seg[live], FFT, axis=1) * np.exp(mgc_at(mgc, live * step / RATE) @ LOGH)
        pad = np.zeros(step + length + 2 * FFT, np.float32)
        for w, x in zip(live * step, np.fft.irfft(spec, axis=1).astype(np.float32)):
            pad[w:w + FFT] += x
        out[:length] += pad[step:step + length]
    return out[:length] * np.float32(LEVEL)


def codec_features(mgc, n):
    """MGC of n codec frames, taken at each frame's END, so that the causal decoder knows both ends of a frame."""
    return mgc_at(mgc, (np.arange(n) + 1) / FPS).astype(np.float32)


def read_params(stream):
    """Yields (dur, lf0, mgc) of hts_params -m; None for a failed utterance."""
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return
        phones, frames = np.frombuffer(head, np.int32)
        if phones == 0:
            yield None
            continue
        dur = np.frombuffer(stream.read(10 * int(phones)), np.uint16).reshape(-1, 5)
        lf0 = np.frombuffer(stream.read(4 * int(frames)), np.float32)
        mgc = np.frombuffer(stream.read(4 * MGC * int(frames)), np.float32).reshape(-1, MGC)
        yield dur, lf0, mgc


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--shards", type=int, default=1 << 30, help="convert at most so many shards")
    p.add_argument("--waves", type=int, default=2, help="make the waves of the first N shards as well: the decoder's training set")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    import corpus
    os.makedirs(os.path.join(a.work, "codec"), exist_ok=True)
    for i, path in enumerate(sorted(glob.glob(os.path.join(a.work, "corpus", "*.lab.gz")))[:a.shards]):
        rng = np.random.default_rng(a.seed + i) if i < a.waves else None
        convert(a.work, path, corpus.VOICE, corpus.build_helper(a.work), rng)


def convert(work, path, voice, exe, rng):
    """W/codec/NNN.npz: at (utterance starts), mgc float16 (frames, 45), a, phi uint8: one entry a codec frame, trimmed as the corpus is.
    With rng also W/codec/NNN.wave.npy, int16, HOP samples a frame."""
    name = os.path.basename(path)[:3]
    out = os.path.join(work, "codec", name + ".npz")
    if os.path.exists(out):
        return
    began = time.time()
    z = np.load(os.path.join(work, "corpus", name + ".npz"))
    lead, frame_at, lf0 = z["lead"], z["frame_at"], z["lf0"].astype(np.float32)
    proc = subprocess.Popen(["sh", "-c", 'zcat "$0" | "$1" "$2" -m', path, exe, voice], stdout=subprocess.PIPE)
    at, parts, waves = [0], [], []
    for u, item in enumerate(read_params(proc.stdout)):
        f0 = lf0[frame_at[u]:frame_at[u + 1]]
        if item is None or len(f0) == 0:
            at.append(at[-1])
            continue
        mgc = item[2][lead[u]:lead[u] + len(f0)]
        code, phi = frame_codes(f0)
        if rng is not None:
            waves.append((synthesise(mgc, code, phi, rng).clip(-1, 1) * 32767).astype(np.int16))
        parts.append((codec_features(mgc, len(code)).astype(np.float16), code.astype(np.uint8), phi.astype(np.uint8)))
        at.append(at[-1] + len(code))
    proc.wait()
    if len(at) != len(frame_at):
        raise SystemExit("%s: %d utterances of %d" % (path, len(at) - 1, len(frame_at) - 1))
    if waves:
        np.save(out[:-4] + ".wave.npy", np.concatenate(waves))
    np.savez(out + ".tmp.npz", at=np.array(at), mgc=np.concatenate([x[0] for x in parts]),
             a=np.concatenate([x[1] for x in parts]), phi=np.concatenate([x[2] for x in parts]))
    os.rename(out + ".tmp.npz", out)
    print("%s: %d utterances, %.2f h, %.0f s" % (name, len(at) - 1, at[-1] / FPS / 3600, time.time() - began), flush=True)


if __name__ == "__main__":
    main()

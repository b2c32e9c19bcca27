"""How alike two speakers sound: cosine similarity of MFCC statistics, in the manner of GMM-free speaker verification.

usage: similarity.py FOLDER FOLDER [...]      each with waves of one voice saying the same texts
A wave's statistics are the means and standard deviations of MFCC 1..19 over its speech, whitened over all waves given. Printed: the
mean cosine of two waves of the same folder, and of two waves of different folders."""
import glob
import os
import sys

import numpy as np
import scipy.fft
import scipy.io.wavfile
import scipy.signal

RATE, WINDOW, STEP, MELS, KEPT = 16000, 400, 160, 40, 20


def mel_bank():
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    hz = 700 * (10 ** (np.linspace(0, top, MELS + 2) / 2595) - 1)
    f = np.arange(257) * (RATE / 512)
    return np.minimum((f[:, None] - hz[:-2]) / np.diff(hz)[:-1], (hz[2:] - f[:, None]) / np.diff(hz)[1:]).clip(0)


def statistics(path):
    """Means and standard deviations of the MFCC of a wave's frames within 35 dB of its loudest."""
    rate, x = scipy.io.wavfile.read(path)
    x = scipy.signal.resample_poly(x.astype(np.float64) / 32768, RATE // 100, rate // 100)
    n = (len(x) - WINDOW) // STEP
    frames = np.lib.stride_tricks.sliding_window_view(x, WINDOW)[:n * STEP:STEP] * np.hamming(WINDOW)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2
    level = 10 * np.log10(power.sum(1) + 1e-9)
    mfcc = scipy.fft.dct(np.log(power @ mel_bank() + 1e-7), norm="ortho")[:, 1:KEPT]
    part = mfcc[level > level.max() - 35]
    return np.concatenate([part.mean(0), part.std(0)])


def main():
    folders = sys.argv[1:]
    rows = [[statistics(p) for p in sorted(glob.glob(os.path.join(d, "*.wav")))] for d in folders]
    every = np.concatenate(rows)
    mean, std = every.mean(0), every.std(0)
    rows = [(np.array(r) - mean) / std for r in rows]
    rows = [r / np.linalg.norm(r, axis=1, keepdims=True) for r in rows]
    for i, a in enumerate(rows):
        own = (a @ a.T)[~np.eye(len(a), dtype=bool)].mean()
        print("%s: with itself %.2f%s" % (folders[i], own, "".join(", with %s %.2f" % (folders[j], (a @ b.T).mean()) for j, b in enumerate(rows) if j != i)))


if __name__ == "__main__":
    main()

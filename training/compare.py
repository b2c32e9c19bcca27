"""Log-mel distance of the waves of two folders that are aligned, as evaluate.py's `vocoder` and `codec` are; or spectrograms to look at.

usage: compare.py FOLDER FOLDER [FOLDER ...] [--plot PNG --index N]
Printed for each folder but the first: mean over frames of the root mean square over 80 mel bands, in dB, of its waves against the first's, both at their
own mean level; frames 50 dB below the loudest are left out. With --plot, wave number N of every folder is drawn, one above the other."""
import argparse
import glob
import os

import numpy as np
import scipy.io.wavfile
import torch

import codec

FLOOR = 50.0        # dB below the loudest frame


def mel(path):
    """Log-mel spectrogram in dB (frames, 80) of a wave of 24 kHz; others are resampled."""
    rate, x = scipy.io.wavfile.read(path)
    x = x.astype(np.float64) / 32768
    if rate != codec.V.RATE:
        from scipy.signal import resample_poly
        x = resample_poly(x, codec.V.RATE, rate)
    m = codec.magnitude(torch.from_numpy(x.astype(np.float32))[None], 1024)[0] @ codec.MEL
    return 20 * np.log10(m.numpy() + 1e-5)


def distance(a, b):
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    loud = a.max(1) > a.max() - FLOOR
    d = (b - a)[loud]
    return np.sqrt(((d - d.mean()) ** 2).mean(1)).mean()


def plot(paths, out):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(len(paths), 1, figsize=(14, 3 * len(paths)), squeeze=False)
    for ax, path in zip(axes[:, 0], paths):
        rate, x = scipy.io.wavfile.read(path)
        ax.specgram(x / 32768.0, NFFT=512, Fs=rate, noverlap=448, vmin=-140, cmap="magma")
        ax.set_ylim(0, 8000)
        ax.set_title(path)
    figure.tight_layout()
    figure.savefig(out)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("folders", nargs="+")
    p.add_argument("--plot")
    p.add_argument("--index", type=int, default=0)
    a = p.parse_args()
    if a.plot:
        plot([os.path.join(f, "%03d.wav" % a.index) for f in a.folders], a.plot)
        return
    names = [os.path.basename(f) for f in sorted(glob.glob(os.path.join(a.folders[0], "*.wav")))]
    for folder in a.folders[1:]:
        print("%s: %.2f dB over %d waves" % (folder, np.mean([distance(mel(os.path.join(a.folders[0], n)), mel(os.path.join(folder, n))) for n in names]), len(names)))


if __name__ == "__main__":
    main()

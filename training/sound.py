"""Loudness and ends of waves: sound.py FOLDER [...] reads every *.wav of each folder.

Printed for each folder: loudness (LUFS by ITU-R BS.1770-4, ungated below 0.4 s) as mean and largest distance from it; the largest step at the start and
end relative to the wave's peak (a click would be one); silence (40 dB below the peak) before and after."""
import glob
import os
import sys

import numpy as np
import scipy.io.wavfile
import scipy.signal


def weighted(x, rate):
    """BS.1770's K weighting, its two biquads made for any rate (after the analogue prototypes that give the table at 48 kHz)."""
    f, g, q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    k, v = np.tan(np.pi * f / rate), 10 ** (g / 20)
    b = v ** 0.4996667741545416
    n = 1 + k / q + k * k
    x = scipy.signal.lfilter([(v + b * k / q + k * k) / n, 2 * (k * k - v) / n, (v - b * k / q + k * k) / n], [1, 2 * (k * k - 1) / n, (1 - k / q + k * k) / n], x)
    f, q = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * f / rate)
    n = 1 + k / q + k * k
    return scipy.signal.lfilter([1, -2, 1], [1, 2 * (k * k - 1) / n, (1 - k / q + k * k) / n], x)


def loudness(x, rate):
    y = weighted(x, rate)
    size, step = int(0.4 * rate), int(0.1 * rate)
    if len(y) < size:
        y = np.pad(y, (0, size - len(y)))
    power = np.array([np.mean(y[i:i + size] ** 2) for i in range(0, len(y) - size + 1, step)])
    lufs = -0.691 + 10 * np.log10(power + 1e-12)
    power = power[lufs > -70]
    gate = -0.691 + 10 * np.log10(power.mean() + 1e-12) - 10
    return -0.691 + 10 * np.log10(power[-0.691 + 10 * np.log10(power + 1e-12) > gate].mean())


def main():
    for folder in sys.argv[1:]:
        loud, step, before, after = [], [], [], []
        for path in sorted(glob.glob(os.path.join(folder, "*.wav"))):
            rate, x = scipy.io.wavfile.read(path)
            x = x / 32768.0 if x.dtype == np.int16 else x.astype(np.float64)
            peak = np.abs(x).max()
            loud.append(loudness(x, rate))
            step.append(max(abs(x[0]), abs(x[-1])) / peak)
            live = np.nonzero(np.abs(x) > peak / 100)[0]
            before.append(live[0] / rate)
            after.append((len(x) - 1 - live[-1]) / rate)
        loud = np.array(loud)
        print("%s: %d waves, %.1f LUFS, at most %.1f LU from it (%d over 1 LU); largest step at an end %.4f of the peak; silence before %.0f..%.0f ms, after %.0f..%.0f ms" % (
            folder, len(loud), loud.mean(), np.abs(loud - loud.mean()).max(), (np.abs(loud - loud.mean()) > 1).sum(), max(step), 1e3 * min(before), 1e3 * max(before),
            1e3 * min(after), 1e3 * max(after)))


if __name__ == "__main__":
    main()

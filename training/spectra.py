"""The teacher's spectra in the codec's terms: mel-cepstra of the whole envelope, the noise's share of each band, and waves whose pulses stand where
codebook 2 says.

An envelope is the magnitude E(f) that white noise of unit power would have to be filtered with: a harmonic of amplitude A at a pitch F has as much power
as noise of E(f)^2 = A^2 / 2 * 12000 / F. Levels are those of vocoder.py."""
import numpy as np
from scipy import fft as sfft

import hibari_teacher as H
import vocoder as V

BANDS = np.array([0, 1000, 2000, 3000, 4500, 6500, 9000, 12001])     # Hz: of the noise's share
NB = len(BANDS) - 1
LOWEST = 75.0                    # Hz: what hibari has below is the edge of a voiced run, not a pitch
WINDOW = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(H.N_FFT) / H.N_FFT)).astype(np.float32)
PULSE = H.N_FFT / 4                               # a bin of exp(lh) makes harmonics of this amplitude's inverse
NOISE_POWER = H.N_FFT * 1.5                       # of bins of random phase whose inverse STFT is unit white noise
ADVANCE = 51                     # samples by which the teacher's phases put a period's peak before its pulse
UNIT = np.log(np.sqrt(0.75) * V.LEVEL)


def fit_matrix():
    """(BINS, MGC): log magnitudes @ it = mel-cepstrum, by least squares on the warped axis."""
    f = np.arange(H.BINS) * (H.RATE / H.N_FFT)
    w = 2 * np.pi * f / V.HTS_RATE
    own = w + 2 * np.arctan2(V.ALPHA * np.sin(w), 1 - V.ALPHA * np.cos(w))
    x = np.cos(np.outer(own, np.arange(V.MGC)))
    weight = np.gradient(own)[:, None]
    weight[:4] = 0                                # below 80 Hz there is nothing to hear, and the network says anything
    return np.linalg.solve(x.T @ (weight * x) + 1e-4 * np.eye(V.MGC), (weight * x).T).T.astype(np.float32)


FIT = fit_matrix()


def heard(f0, share):
    """Which frames have a pitch: hibari's f0 goes on through consonants whose harmonics are drowned by noise."""
    return (f0 > LOWEST) & (share[:, 0] < -0.25)


def at_harmonics(lh, f0):
    """Log magnitudes (frames, BINS) that go straight from harmonic to harmonic: what the network says between them is not heard."""
    x, bin_hz = lh.T, H.RATE / H.N_FFT
    h = np.arange(H.BINS) * bin_hz / f0[:, None]
    top = np.floor((H.BINS - 1) * bin_hz / f0)[:, None]
    low = np.clip(np.floor(h), 1, top - 1)

    def sample(k):
        at = k * f0[:, None] / bin_hz
        i = np.minimum(at.astype(int), H.BINS - 2)
        return np.take_along_axis(x, i, 1) * (1 - (at - i)) + np.take_along_axis(x, i + 1, 1) * (at - i)
    return sample(low) + (sample(low + 1) - sample(low)) * np.clip(h - low, 0, 1)


def powers(d):
    """(harmonic, noise) envelope powers (frames, BINS) of the teacher's outputs."""
    f0 = d["f0"]
    live = f0 > H.VOICED
    harm = np.where(live, np.exp(2 * at_harmonics(np.minimum(d["lh"], 7), np.maximum(f0, H.VOICED)).T) * (6000 / PULSE ** 2 / np.maximum(f0, H.VOICED)), 0)
    noise = (np.exp(2 * np.minimum(d["lr"], 7)) + 2 * np.exp(2 * np.minimum(d["ln"], 7))) / NOISE_POWER
    return harm.T, noise.T


def features(d):
    """mgc (frames, 45), share (frames, NB) log10 of the noise's share of the power in each band, -3..0."""
    harm, noise = powers(d)
    total = harm + noise
    mgc = (0.5 * np.log(total + 1e-14) - UNIT) @ FIT
    edge = np.searchsorted(np.arange(H.BINS) * (H.RATE / H.N_FFT), BANDS)
    band = lambda x: np.add.reduceat(x, edge[:-1], axis=1)
    share = np.log10(np.clip(band(noise) / (band(total) + 1e-14), 1e-3, 1)).astype(np.float32)
    frames, hop = len(mgc), H.RATE // 80
    free = istft((np.exp(np.minimum(d["lr"], 7)) * np.exp(1j * d["phi"])).T, frames * hop)
    return with_level(mgc.astype(np.float32), ~heard(d["f0"], share), free, np.arange(frames) * hop), share


def with_level(mgc, where, wave, at):
    """mgc whose level is the wave's own `where` (frames, bool): the network's frames of 50 ms blur bursts, whose phases make them short. Measured over
    20 ms around each frame's sample `at`."""
    half = V.RATE // 100
    square = np.pad(wave.astype(np.float64) ** 2, (half, half))
    window = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half)) ** 2
    have = np.array([square[t:t + 2 * half] @ window for t in np.minimum(at[where], len(wave) - 1)]) / window.sum()
    model = np.exp(2 * (mgc[where] @ V.LOGH).real).mean(1) * 0.75 * V.LEVEL ** 2
    out = mgc.copy()
    out[where, 0] += np.clip(0.5 * np.log((have + 1e-10) / (model + 1e-10)), -4, 4)
    return out


def pulse_train(a, phi):
    """Band-limited pulses of unit harmonics at the codes' pitch and phase, HOP samples a frame; 0 where a is 0."""
    u = (np.arange(V.HOP) + 0.5) / V.HOP
    cycle = (phi[:, None] + a[:, None] * u) / V.PHASES
    f = np.maximum(a, 1) * V.FPS / V.PHASES
    t = 2 * np.pi * (cycle % 1)
    h = np.floor(11000 / f)[:, None] + 0.5
    s = 2 * np.sin(t / 2)
    bad = np.abs(s) <= 2e-3
    e = np.where(bad, h, np.sin(h * t) / np.where(bad, 1, s)) - 0.5
    return (e * (a > 0)[:, None]).reshape(-1).astype(np.float32)


def stft(x, frames):
    x = np.pad(x, H.N_FFT // 2)
    hop = H.RATE // 80
    x = np.pad(x, (0, max(0, (frames - 1) * hop + H.N_FFT - len(x))))
    rows = np.lib.stride_tricks.sliding_window_view(x, H.N_FFT)[::hop][:frames]
    return sfft.rfft(rows * (WINDOW / (H.N_FFT / 4)), axis=1)


def istft(spec, n):
    """n samples of (frames, BINS)."""
    hop, k = H.RATE // 80, H.N_FFT * 80 // H.RATE
    rows = (sfft.irfft(spec, H.N_FFT, axis=1) * WINDOW).reshape(-1, k, hop)
    square = (WINDOW ** 2).reshape(k, hop)
    out, norm = np.zeros((len(rows) + k - 1, hop), np.float32), np.zeros((len(rows) + k - 1, hop), np.float32)
    for i in range(k):
        out[i:i + len(rows)] += rows[:, i]
        norm[i:i + len(rows)] += square[i]
    out = (out / np.maximum(norm, 1e-3)).reshape(-1)[H.N_FFT // 2:]
    return np.pad(out, (0, max(0, n - len(out))))[:n]


def waves(d, a, phi, lead):
    """(whole wave, its harmonic part) of the teacher's utterance with the codes' pitch: float32, HOP samples a frame of a. The codes begin `lead` samples
    after the teacher's first frame."""
    frames, n = d["lh"].shape[1], len(a) * V.HOP
    source = np.concatenate([np.zeros(lead + ADVANCE, np.float32), pulse_train(a, phi)])
    rotation = np.exp(1j * np.pi * np.tanh(d["theta"])).T
    harmonic = istft(stft(source, frames) * np.exp(np.minimum(d["lh"], 7)).T * rotation, lead + n)[lead:]
    free = istft((np.exp(np.minimum(d["lr"], 7)) * np.exp(1j * d["phi"])).T, lead + n)[lead:]
    return harmonic + free, harmonic

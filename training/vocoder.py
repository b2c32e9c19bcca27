"""The codec's terms: frames, the grid of pitch and pulse phase, and mel-cepstra.

Codebook 2 holds (a, phi): in the voiced frame n (1/75 s) the pitch is 75 * a / 28 Hz and the pulse phase at the frame's start is phi / 28 periods;
the next voiced frame starts at (phi + a) mod 28 by construction, the first one of a voiced run at 0. Above 214 Hz only every second a has codes:
a step is then 1.8 to 2.4 %. The other codes are noise: the decoder's source of randomness in unvoiced frames."""
import numpy as np

RATE, FPS, HOP = 24000, 75, 320
PHASES = 28
PITCHES = np.concatenate([np.arange(29, 81), np.arange(82, 116, 2)])     # the values of a: 78 to 305 Hz
NA = len(PITCHES)
CODES = 2048
CODE_A, CODE_PHI = np.zeros(CODES, np.int64), np.zeros(CODES, np.int64)
CODE_A[:NA * PHASES] = np.repeat(PITCHES, PHASES)
CODE_PHI[:NA * PHASES] = np.tile(np.arange(PHASES), NA)
NOISE = np.nonzero(CODE_A == 0)[0]
INDEX = np.zeros(PITCHES[-1] + 1, np.int64)      # of a pitch among PITCHES; of one that has no codes the lower neighbour's
INDEX[PITCHES] = np.arange(NA)
INDEX[81:][INDEX[81:] == 0] = INDEX[80:-1][INDEX[81:] == 0]
MGC, ALPHA, HTS_RATE = 45, 0.45, 32000           # the axis of the first teacher, an HTS voice of 32 kHz: the weights know it
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


def pitch(f0):
    """The a of pitches in Hz; 0 stays 0."""
    f0 = np.asarray(f0, np.float64)
    wish = np.clip(f0 * (PHASES / FPS), PITCHES[0], PITCHES[-1])
    i = np.searchsorted((PITCHES[1:] + PITCHES[:-1]) / 2, wish)
    return np.where(f0 > 0, PITCHES[i], 0)


def frame_codes(f0, step, n):
    """f0 (Hz, 0 = unvoiced; one each `step` seconds, the first at time 0) -> a, phi of n frames of 1/75 s."""
    t = (np.arange(n) + 0.5) / FPS / step
    i = np.minimum(np.maximum(t, 0).astype(int), len(f0) - 1)
    k = np.minimum(i + 1, len(f0) - 1)
    w = np.clip(t - i, 0, 1)
    both = (f0[i] > 0) & (f0[k] > 0)
    near = np.where(w < 0.5, f0[i], f0[k])
    a = pitch(np.where(both, f0[i] * (1 - w) + f0[k] * w, near))
    phi = np.zeros(n, np.int64)
    for j in range(1, n):
        if a[j] and a[j - 1]:
            phi[j] = (phi[j - 1] + a[j - 1]) % PHASES
    return a.astype(np.int64), phi


def at_times(x, t, step):
    """Rows of x (one each `step` seconds, the first at time 0) at the times t, linear between them."""
    at = np.clip(np.asarray(t) / step, 0, len(x) - 1)
    i = np.minimum(at.astype(int), max(0, len(x) - 2))
    f = (at - i)[:, None].astype(np.float32)
    return x[i] * (1 - f) + x[np.minimum(i + 1, len(x) - 1)] * f


def frame_ends(x, n, step):
    """Features of n codec frames, taken at each frame's END, so that the causal decoder knows both ends of a frame."""
    return at_times(x, (np.arange(n) + 1) / FPS, step).astype(np.float32)

"""The second speaker for the coarse and fine networks and the decoder: kumo (kumo.py), in the codec's own terms.

usage: voices.py --work DIR      reads W/kumo; writes W/codec/kumo_NNN.npz and their *.wave.npy

kumo says a text as heart does: with heart's semantic tokens, durations, voicing and melody, the melody moved to kumo's mean and spread. Only the
spectra are kumo's (WORLD's CheapTrick and D4C), stretched state by state. So a semantic token tells nothing of who speaks. NNN.npz: at (utterance
starts), mgc, share, a, phi as hmm.py has them, sem_at, sem, held."""
import argparse
import glob
import os
import time

import numpy as np

import corpus
import hmm
import spectra
import tokens
import vocoder as V

RAISED = 1.06                    # kumo's mean pitch, so that few frames are below the lowest pitch with codes
FFT = 1024
GROUP = 5                        # parts of W/kumo in a shard


def fit_matrix():
    """As spectra.fit_matrix(), for FFT / 2 + 1 bins."""
    f = np.arange(FFT // 2 + 1) * (V.RATE / FFT)
    w = 2 * np.pi * f / V.HTS_RATE
    own = w + 2 * np.arctan2(V.ALPHA * np.sin(w), 1 - V.ALPHA * np.cos(w))
    x = np.cos(np.outer(own, np.arange(V.MGC)))
    weight = np.gradient(own)[:, None]
    weight[:3] = 0
    return np.linalg.solve(x.T @ (weight * x) + 1e-4 * np.eye(V.MGC), (weight * x).T).T.astype(np.float32)


FIT = fit_matrix()


def analyse(wave, f0):
    """mgc (frames, 45), share (frames, NB) of a wave whose pitch is known, 80 frames a second."""
    import pyworld
    x = wave.astype(np.float64) / 32768
    f0 = np.where(f0 > 60, f0, 0).astype(np.float64)
    t = np.arange(len(f0)) * tokens.FRAME
    power = pyworld.cheaptrick(x, f0, t, V.RATE, fft_size=FFT, f0_floor=71)
    noise = power * pyworld.d4c(x, f0, t, V.RATE, fft_size=FFT) ** 2
    edge = np.searchsorted(np.arange(FFT // 2 + 1) * (V.RATE / FFT), spectra.BANDS)
    band = lambda y: np.add.reduceat(y, edge[:-1], axis=1)
    share = np.log10(np.clip(band(noise) / (band(power) + 1e-16), 1e-3, 1))
    share[f0 == 0] = 0
    return ((0.5 * np.log(power + 1e-14) - spectra.UNIT) @ FIT).astype(np.float32), share.astype(np.float32)


def parts(work):
    """Lists of utterances, one a file of W/kumo."""
    for path in sorted(glob.glob(os.path.join(work, "kumo", "[0-9][0-9][0-9].npz"))):
        with np.load(path) as z:
            d = {k: z[k] for k in z.files}
        cut = lambda k, u: d[k][d[k + "_at"][u]:d[k + "_at"][u + 1]]
        yield [dict(text=str(t), dur=cut("dur", u), f0=cut("f0", u), wave=cut("wave", u)) for u, t in enumerate(d["texts"])]


def utterance(maker, said, f0, mgc, share, dur):
    """An utterance as hmm.py takes it, from corpus.own()'s answer and a voice's features."""
    _, ids, phone, piece, gap, mark, position = said
    starts = 2 * np.cumsum(dur) - corpus.LATE
    return dict(ids=np.array(ids), phone=np.array(phone), piece=np.array(piece), gap=np.array(gap), mark=np.array(mark), guess=starts[np.array(position)],
                f0=f0, mgc=mgc, share=share, held=False, kind=0)


def phones_in(u, models):
    """[(phone number or -1 - n for the pause before phone n, begin, end of each of its states)] in frames."""
    rows = hmm.chain(u["phone"], u["gap"])
    dur = hmm.viterbi(models.score(hmm.observe(u["mgc"], u["share"], u["f0"])), rows, u["guess"], len(u["f0"]))
    if dur is None:
        return None
    ends = np.cumsum(dur)
    return {r[1]: [(ends[s + i] - dur[s + i], ends[s + i]) for i in range(3)] for s, r in enumerate(rows) if s % 3 == 0 and dur[s:s + 3].sum()}


def stretch(heart, kumo, n):
    """For each of heart's n frames the time in kumo's frames."""
    out = np.zeros(n)
    for who, states in heart.items():
        other = kumo.get(who)
        if other is None:                        # a pause that kumo did not make
            other = kumo[-1]
        whole = (other[0][0], other[-1][1])
        begin, end = states[0][0], states[-1][1]
        for (a, b), (c, d) in zip(states, other):
            if a == b:
                continue
            if c == d:                           # a state that kumo left out: the same share of the phone
                f = lambda t: whole[0] + (t - begin) / (end - begin) * (whole[1] - whole[0])
                c, d = f(a), f(b)
            out[a:b] = c + (np.arange(b - a) + 0.5) / (b - a) * (d - c) - 0.5
    return out


def synthesise(mgc, share, a, phi, rng):
    """(whole wave, its harmonic part), HOP samples a frame of a: minimum-phase pulses and filtered noise. mgc, share: 80 frames a second."""
    n = len(a) * V.HOP
    band = np.minimum(np.searchsorted(spectra.BANDS, np.arange(V.FFT // 2 + 1) * (V.RATE / V.FFT), side="right") - 1, spectra.NB - 1)
    harmonic = np.zeros(n + 2 * V.FFT, np.float32)
    for i in np.nonzero(a)[0]:
        k = np.arange(-(-phi[i] // V.PHASES), 8)
        u = (k * V.PHASES - phi[i]) / a[i]
        u = u[(u >= 0) & (u < 1)]
        at = (i + u) * V.HOP
        h = np.exp(V.at_times(mgc, at / V.RATE, tokens.FRAME) @ V.LOGH) * np.sqrt(1 - 0.999 * V.at_times(10 ** share, at / V.RATE, tokens.FRAME)[:, band])
        h *= np.exp(-2j * np.pi * np.outer(at - at.astype(int), np.arange(V.FFT // 2 + 1)) / V.FFT) * (0.75 * np.sqrt(V.HTS_RATE / (V.FPS * a[i] / V.PHASES)))
        h[:, -1] = h[:, -1].real
        for w, x in zip(at.astype(int), np.fft.irfft(h, axis=1)):
            harmonic[w:w + V.FFT] += x
    # noise: windows of 10 ms, each filtered as a whole
    step = 120
    white = rng.standard_normal(n + 2 * step) * np.sqrt(0.75)
    win = np.sin(np.pi * (np.arange(2 * step) + 0.5) / (2 * step)) ** 2
    where = np.arange(0, n, step)
    seg = np.stack([white[w:w + 2 * step] for w in where]) * win
    t = np.maximum(where, 0) / V.RATE
    quiet = np.repeat(a == 0, V.HOP)[np.minimum(where, n - 1)]
    part = np.where(quiet[:, None], 1, V.at_times(10 ** share, t, tokens.FRAME))[:, band]
    spec = np.fft.rfft(seg, V.FFT, axis=1) * np.exp(V.at_times(mgc, t, tokens.FRAME) @ V.LOGH) * np.sqrt(part)
    noise = np.zeros(n + 2 * V.FFT + step, np.float32)
    for w, x in zip(where, np.fft.irfft(spec, axis=1)):
        noise[w:w + V.FFT] += x
    harmonic = harmonic[:n] * np.float32(V.LEVEL)
    return harmonic + noise[step:step + n] * np.float32(V.LEVEL), harmonic


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    maker = corpus.Maker(a.work)
    with np.load(os.path.join(a.work, "hmm.npz")) as z:
        models = hmm.Models(z["mean"], z["var"])
    data = []
    for k, part in enumerate(parts(a.work)):
        for u in part:
            said = maker.own(u["text"])
            if said is not None:
                mgc, share = analyse(u["wave"], u["f0"])
                data.append((k, u["text"], said, utterance(maker, said, u["f0"], mgc, share, u["dur"])))
        print("part %d analysed" % k, flush=True)
    path = os.path.join(a.work, "kumo_hmm.npz")
    if not os.path.exists(path):
        m = hmm.train_on([u for _, _, _, u in data], 5)
        np.savez(path, mean=m.mean, var=m.var)
    with np.load(path) as z:
        own = hmm.Models(z["mean"], z["var"])
    pitch = np.log(np.concatenate([u["f0"][(u["f0"] > 60) & (u["share"][:, 0] < -0.25)] for _, _, _, u in data]))
    with np.load(os.path.join(a.work, "corpus", "000.npz")) as z:
        model_pitch = np.log(z["f0"][z["f0"] > 0])
    with np.load(os.path.join(a.work, "codec", "000.npz")) as z:
        want = z["mgc"][z["a"] > 0][:, 0].astype(np.float32).mean()
    loud = np.concatenate([u["mgc"][(u["f0"] > 60), 0] for _, _, _, u in data[:100]]).mean()
    print("log pitch: kumo %.3f +- %.3f, heart %.3f +- %.3f; level %.2f against %.2f" % (pitch.mean(), pitch.std(), model_pitch.mean(), model_pitch.std(), loud, want), flush=True)
    move = lambda f0: np.where(f0 > 0, np.exp((np.log(np.maximum(f0, 1)) - model_pitch.mean()) / model_pitch.std() * pitch.std() + pitch.mean()) * RAISED, 0)
    for first in range(0, data[-1][0] + 1, GROUP):
        out = os.path.join(a.work, "codec", "kumo_%03d" % (first // GROUP))
        if not os.path.exists(out + ".npz"):
            make(out, [d for d in data if first <= d[0] < first + GROUP], maker, models, own, move, want - loud, np.random.default_rng(a.seed + first))


def make(out, data, maker, models, own, move, gain, rng):
    began = time.time()
    rows = {k: [] for k in ("mgc", "share", "a", "phi", "sem", "held", "wave")}
    for _, text, said, u in data:
        d = maker.teacher.speak(said[0])
        heart = utterance(maker, said, d["f0"], *spectra.features(d), d["dur"])
        x = hmm.align(heart, models)
        places = phones_in(heart, models), phones_in(u, own)
        if x is None or None in places:
            continue
        lead, n = x["lead"][0], len(x["f0"])
        at = stretch(*places, len(heart["f0"]))[lead:lead + n] * tokens.FRAME
        mgc, share = V.at_times(u["mgc"], at, tokens.FRAME), V.at_times(u["share"], at, tokens.FRAME)
        mgc[:, 0] += gain
        f0 = move(x["f0"])
        share[f0 == 0] = 0
        frames = len(x["a"])
        a, phi = V.frame_codes(f0, tokens.FRAME, frames)
        wave = np.stack(synthesise(mgc, share, a, phi, rng))
        for k, v in dict(mgc=V.frame_ends(mgc, frames, tokens.FRAME), share=V.frame_ends(share, frames, tokens.FRAME), a=a, phi=phi, sem=x["sem"],
                         held=[corpus.held_out(text)], wave=np.rint(np.clip(wave, -1, 1) * 32767).astype(np.int16).T).items():
            rows[k].append(np.asarray(v))
    np.save(out + ".wave.npy", np.ascontiguousarray(np.concatenate(rows["wave"]).T))
    join = lambda k, t: np.concatenate(rows[k]).astype(t)
    ends = lambda k: np.cumsum([0] + [len(x) for x in rows[k]])
    np.savez(out + ".tmp.npz", at=ends("a"), mgc=join("mgc", np.float16), share=join("share", np.float16), a=join("a", np.uint8), phi=join("phi", np.uint8),
             sem_at=ends("sem"), sem=join("sem", np.uint16), held=join("held", bool))
    os.replace(out + ".tmp.npz", out + ".npz")
    print("%s: %d texts of %d, %.2f h, %.0f s" % (os.path.basename(out), len(rows["sem"]), len(data), ends("a")[-1] / V.FPS / 3600, time.time() - began), flush=True)


if __name__ == "__main__":
    main()

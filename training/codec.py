"""Trains the EnCodec decoder of the embedded voice on codes whose pulse phase is known.

usage: codec.py --work DIR --minutes M [--resume]     reads W/books.npz, W/codec/*.npz with *.wave.npy and, where they are, *.samples.npy (samples.py); writes W/codec.pt

The codebook vectors are fixed (codec_tokens.py). Since the code tells the pulses' places, the harmonics below some 5 kHz have a loss of their own with
phase. Everything else is judged by spectra, as an energy distance (Gritsenko et al., 2020): every crop is decoded twice with other noise
codes, and the two should be as far from each other as each is from the teacher's. So noise is learnt as noise, without a discriminator."""
import argparse
import glob
import os
import signal
import time

import numpy as np
import torch
import torch.nn.functional as F
from transformers import EncodecConfig
from transformers.models.encodec.modeling_encodec import EncodecDecoder

import codec_tokens as CT
import vocoder as V

SKIP = 3                                        # frames at a crop's start that are not judged: their past is missing
OPENING = 0.3                                   # part of the batches that begin where utterances do; they are judged from the first sample, or it would click
COARSE_ONLY = 0.1                               # part of the crops that are decoded without codebook 3
SILENT = 1e-3                                   # magnitudes of this size (of a window's bin) and less are not told apart


def config():
    return dict(model_type="encodec", target_bandwidths=[3.3], sampling_rate=V.RATE, audio_channels=1, normalize=False,
                chunk_length_s=None, overlap=None, hidden_size=CT.DIM, codebook_dim=CT.DIM, codebook_size=CT.CODES, num_filters=16,
                num_residual_layers=1, upsampling_ratios=[8, 5, 4, 2], norm_type="weight_norm", kernel_size=7, last_kernel_size=7,
                residual_kernel_size=3, dilation_growth_rate=2, use_causal_conv=True, pad_mode="reflect", compress=2,
                num_lstm_layers=2, trim_right_ratio=1.0, use_conv_shortcut=True)


def make_decoder():
    return EncodecDecoder(EncodecConfig(**config()))


def louder(decoder, db):
    """Makes a decoder's state dict so much louder, in place."""
    last = max((k for k in decoder if k.endswith("conv.bias")), key=lambda k: int(k.split(".")[1]))
    for k in (last, last.replace("bias", "parametrizations.weight.original0")):
        decoder[k] = decoder[k] * 10 ** (db / 20)


class Data:
    """All frames of the utterances that have waves, as codes and samples; the first speaker is heard four times as often as another."""

    def __init__(self, work, books, seed):
        rng = np.random.default_rng(seed)
        self.shards = {who: [] for who in CT.SPEAKERS}
        for path in sorted(glob.glob(os.path.join(work, "codec", "*[0-9].wave.npy"))):
            who = CT.speaker(path)
            with np.load(path[:-9] + ".npz") as z:
                at = z["at"]
                codes = CT.codes_of(z, books, who, rng)
            starts = [(s, e) for s, e in zip(at[:-1], at[1:]) if e - s > 8]
            drawn = path[:-9] + ".samples.npy"
            takes = [codes] + (list(np.load(drawn)) if os.path.exists(drawn) else [])
            self.shards[who].append((starts, takes, np.load(path, mmap_mode="r")))
        self.who = [w for w in self.shards if self.shards[w]]
        self.share = np.ones(len(self.who))
        self.share[0] = 4
        self.share /= self.share.sum()
        self.hours = {w: sum(x[1][0].shape[1] for x in self.shards[w]) / V.FPS / 3600 for w in self.who}

    def batch(self, rng, size, frames, opening=False):
        """codes (size, 4, frames), waves (size, 2, frames * HOP): crops of utterances; a short one is followed by the next."""
        codes, waves = np.empty((size, CT.BOOKS, frames), np.int64), np.empty((size, 2, frames * V.HOP), np.float32)
        for i in range(size):
            shards = self.shards[self.who[rng.choice(len(self.who), p=self.share)]]
            starts, takes, wave = shards[rng.integers(len(shards))]
            total = takes[0].shape[1]
            s, e = starts[rng.integers(len(starts))]
            s = s if opening else int(rng.integers(s, max(s, e - frames) + 1))
            s = min(s, total - frames)
            codes[i] = takes[rng.integers(len(takes))][:, s:s + frames]
            waves[i] = wave[:, s * V.HOP:(s + frames) * V.HOP].astype(np.float32) / 32767
        return codes, torch.from_numpy(waves)


def other_noise(codes, rng):
    """A copy with other noise codes and seeds: nothing is to be learnt from which of them stands where."""
    out = codes.copy()
    noise = V.CODE_A[codes[:, 1]] == 0
    out[:, 1][noise] = rng.choice(V.NOISE, int(noise.sum()))
    out[:, 3] += rng.integers(0, CT.SEEDS, out[:, 3].shape) - out[:, 3] % CT.SEEDS
    return out


def mel_matrix(bins, mels=80):
    """(bins, mels) triangles on the mel scale."""
    top = 2595 * np.log10(1 + V.RATE / 2 / 700)
    hz = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)
    f = np.linspace(0, V.RATE / 2, bins)[:, None]
    m = np.minimum((f - hz[:-2]) / np.diff(hz)[:-1], (hz[2:] - f) / np.diff(hz)[1:]).clip(0)
    return torch.from_numpy((m / np.maximum(m.sum(0), 1e-6)).astype(np.float32))


MEL = mel_matrix(513)
WINDOW = {n: torch.hann_window(n) for n in (1024, 512, 256, 128)}


def stft(x, n):
    """(batch, frames, bins) complex."""
    return torch.stft(x, n, n // 4, window=WINDOW[n], center=False, return_complex=True).transpose(1, 2)


def magnitude(x, n):
    s = stft(x, n)
    return (s.real.square() + s.imag.square() + 1e-10).sqrt()


def spectra(x):
    """Compressed magnitudes of a wave (batch, samples) at three resolutions, and mel bands."""
    out = []
    for n in (1024, 512, 128):
        m = magnitude(x, n)
        out.append((0.15, torch.log(m + SILENT)))
        out.append((0.25, m.pow(0.5)))
        if n == 1024:
            out.append((1.0, torch.log(m @ MEL + SILENT)))
    return out


def apart(a, b):
    """Distance of two waves' spectra."""
    return sum(w * (x - y).abs().mean() for (w, x), (_, y) in zip(a, b))


def phase_loss(y, h, voiced):
    """Harmonics below 5 kHz with their phase, relative to their size; voiced (batch, frames of HOP) 0/1."""
    n = 512
    f = torch.arange(n // 2 + 1) * (V.RATE / n)
    weight = (1 + f / 1000) * ((5500 - f) / 2500).clamp(0, 1)
    a, b = stft(y, n), stft(h, n)
    at = ((torch.arange(a.shape[1]) * (n // 4) + n // 2) // V.HOP).clamp_max(voiced.shape[1] - 1)
    m = voiced[:, at][:, :, None] * weight
    return ((a - b).abs() * m).sum() / (b.abs() * m).sum().clamp_min(1e-2)


def until(clock):
    """The next HH:MM (UTC) as seconds since the epoch; None for None."""
    if clock is None:
        return None
    h, m = map(int, clock.split(":"))
    now = time.time()
    return now + ((h * 60 + m) * 60 - now % 86400) % 86400


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--minutes", type=float, default=60)
    p.add_argument("--until", help="HH:MM (UTC): from where it is now the rate falls until then, however much of the processor it gets")
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--batch", type=int, default=6)
    p.add_argument("--frames", type=int, default=40)
    p.add_argument("--apart", type=float, default=0.9, help="weight of the distance between two decodings")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--bf16", action="store_true", help="as semantic.py's; half as fast again")
    p.add_argument("--resume", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    books = CT.load_books(a.work)
    table = torch.from_numpy(books["books"])
    data = Data(a.work, books, a.seed)
    net = make_decoder()
    opt = torch.optim.AdamW(net.parameters(), lr=a.lr, betas=(0.8, 0.99), weight_decay=0.0)
    path, step, spent = os.path.join(a.work, "codec.pt"), 0, 0.0
    if a.resume and os.path.exists(path):
        s = torch.load(path)
        net.load_state_dict(s["net"])
        if "opt" in s:
            opt.load_state_dict(s["opt"])
        step, spent = s["step"], s["spent"]
    rng = np.random.default_rng(a.seed + step)
    print(", ".join("%s %.2f h" % x for x in data.hours.items()) + ", %.2f M parameters" % (sum(q.numel() for q in net.parameters()) / 1e6), flush=True)
    voiced_code = torch.from_numpy(V.CODE_A > 0)

    def save():
        torch.save(dict(net=net.state_dict(), opt=opt.state_dict(), step=step, spent=spent), path + ".tmp")
        os.replace(path + ".tmp", path)

    signal.signal(signal.SIGTERM, lambda *_: (save(), os._exit(0)))
    sums, began, saved, shown = np.zeros(3), time.process_time(), time.time(), 0
    start, opened, end = spent, time.time(), until(a.until)
    while True:
        # the time that counts is this process's own: shared cores and pauses must not shorten the schedule
        spent = start + time.process_time() - began
        done = spent / 60 / a.minutes if end is None else (time.time() - opened) / (end - opened)
        if done >= 1:
            break
        rate = a.lr * min(1, (step + 1) / 50) * min(1, max(0.04, 1.4 * (1 - done)))
        for g in opt.param_groups:
            g["lr"] = rate
        opening = rng.random() < OPENING
        codes, wave = data.batch(rng, a.batch, a.frames, opening)
        two = torch.from_numpy(np.concatenate([other_noise(codes, rng), other_noise(codes, rng)]))
        fine = torch.from_numpy((rng.random(a.batch) >= COARSE_ONLY).astype(np.float32)).repeat(2)[:, None, None]
        z = table[0][two[:, 0]] + table[1][two[:, 1]] + fine * table[2][two[:, 2]] + table[3][two[:, 3]]
        voiced = voiced_code[two[:, 1]].float()
        with torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
            y = net(z.transpose(1, 2))[:, 0]
        y = y.float()
        x, h = wave[:, 0], wave[:, 1]
        cut = 0 if opening else SKIP * V.HOP
        if opening:
            y, x, h = (F.pad(t, (1024, 0)) for t in (y, x, h))
            voiced = F.pad(voiced, (1024 // V.HOP, 0))
        else:
            voiced = voiced[:, SKIP:]
        y, x, h = y[:, cut:], x[:, cut:], h[:, cut:]
        one, other, true = spectra(y[:a.batch]), spectra(y[a.batch:]), spectra(x)
        far, near = 0.5 * (apart(one, true) + apart(other, true)), apart(one, other)
        wave_loss = phase_loss(y, torch.cat([h, h]), voiced)
        loss = 2 * far - a.apart * near + 0.5 * wave_loss
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        opt.step()
        step += 1
        sums += far.item(), near.item(), wave_loss.item()
        shown += 1
        if step % 25 == 0:
            print("step %d, %.1f min: from the teacher %.3f apart %.3f phase %.3f lr %.1e" % ((step, spent / 60) + tuple(sums / shown) + (rate,)), flush=True)
            sums, shown = np.zeros(3), 0
        if time.time() - saved > 120:
            save()
            saved = time.time()
    save()
    print("done: %d steps" % step, flush=True)


if __name__ == "__main__":
    main()

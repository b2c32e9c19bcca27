"""Trains the EnCodec decoder of the embedded voice on codes whose pulse phase is known.

usage: codec.py --work DIR --minutes M [--resume]     reads W/books.npz, W/codec/*.npz with *.wave.npy and, where they are, *.samples.npy (samples.py); writes W/codec.pt

The codebook vectors are fixed (codec_tokens.py). Since the code tells the pulses' places, voiced frames have a wave loss beside the
spectral ones and need no discriminator; unvoiced frames are judged by spectra alone."""
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
ROWS = 2048                                     # of a codebook: EnCodec takes powers of 2 alone; CT.CODES are used
OPENING = 0.3                                   # part of the batches that begin where utterances do; they are judged from the first sample, or it would click


def config():
    return dict(model_type="encodec", target_bandwidths=[2.5], sampling_rate=V.RATE, audio_channels=1, normalize=False,
                chunk_length_s=None, overlap=None, hidden_size=CT.DIM, codebook_dim=CT.DIM, codebook_size=ROWS, num_filters=16,
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
    """All frames of the utterances that have waves, as codes and samples; slt is heard as often as the others together."""

    def __init__(self, work, books, seed):
        rng = np.random.default_rng(seed)
        self.shards = {who: [] for who in CT.SPEAKERS}
        for path in sorted(glob.glob(os.path.join(work, "codec", "*.wave.npy"))):
            with np.load(path[:-9] + ".npz") as z:
                at = z["at"]
                c1 = CT.envelope_code(z["mgc"][:at[-1]], books, CT.speaker(path))
                c2 = CT.pitch_code(z["a"], z["phi"], rng)
            starts = [(s, e) for s, e in zip(at[:-1], at[1:]) if e - s > 8]
            drawn = path[:-9] + ".samples.npy"
            takes = np.concatenate([c1[None], np.load(drawn)]) if os.path.exists(drawn) else c1[None]
            self.shards[CT.speaker(path)].append((starts, takes, c2, np.load(path, mmap_mode="r")))
        self.who = [w for w in self.shards if self.shards[w]]
        self.share = np.where(np.array(self.who) == "slt", 2.0, 1.0) if len(self.who) == 3 else np.ones(len(self.who))
        self.share /= self.share.sum()
        self.hours = {w: sum(len(x[2]) for x in self.shards[w]) / V.FPS / 3600 for w in self.who}

    def batch(self, rng, size, frames, opening=False):
        """codes (size, 2, frames), waves (size, frames * HOP): crops of utterances; a short one is followed by the next."""
        codes, waves = np.empty((size, 2, frames), np.int64), np.empty((size, frames * V.HOP), np.float32)
        for i in range(size):
            shards = self.shards[self.who[rng.choice(len(self.who), p=self.share)]]
            starts, takes, c2, wave = shards[rng.integers(len(shards))]
            s, e = starts[rng.integers(len(starts))]
            s = s if opening else int(rng.integers(s, max(s, e - frames) + 1))
            s = min(s, len(c2) - frames)
            codes[i] = takes[rng.integers(len(takes)), s:s + frames], c2[s:s + frames]
            waves[i] = wave[s * V.HOP:(s + frames) * V.HOP].astype(np.float32) / 32767
        # noise codes are drawn anew each time: nothing is to be learnt from which of them stands where
        noise = V.CODE_A[codes[:, 1]] == 0
        codes[:, 1][noise] = rng.choice(V.NOISE, int(noise.sum()))
        return torch.from_numpy(codes), torch.from_numpy(waves)


def mel_matrix(bins, mels=80):
    """(bins, mels) triangles on the mel scale."""
    top = 2595 * np.log10(1 + V.RATE / 2 / 700)
    hz = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)
    f = np.linspace(0, V.RATE / 2, bins)[:, None]
    m = np.minimum((f - hz[:-2]) / np.diff(hz)[:-1], (hz[2:] - f) / np.diff(hz)[1:]).clip(0)
    return torch.from_numpy((m / np.maximum(m.sum(0), 1e-6)).astype(np.float32))


MEL = mel_matrix(513)
WINDOW = {n: torch.hann_window(n) for n in (1024, 512, 128)}


def magnitude(x, n):
    s = torch.stft(x, n, n // 4, window=WINDOW[n], center=False, return_complex=True)
    return (s.real.square() + s.imag.square() + 1e-10).sqrt().transpose(1, 2)


def losses(y, x, voiced):
    """Spectral loss and the wave loss relative to the signal, of waves (batch, samples); voiced (batch, samples) 0/1."""
    spec = 0.0
    for n in (1024, 512, 128):
        a, b = magnitude(y, n), magnitude(x, n)
        la, lb = torch.log(a + 2e-3), torch.log(b + 2e-3)
        spec = spec + (0.3 * (la - lb).abs().mean() + 0.5 * (a - b).norm() / b.norm()) / 3
        if n == 1024:
            spec = spec + (torch.log(a @ MEL + 1e-3) - torch.log(b @ MEL + 1e-3)).abs().mean()
    wave = 0.0
    for c in (0.0, 0.85):                          # once as it is, once with the high frequencies lifted
        d, t = (y - x), x
        if c:
            d, t = d[:, 1:] - c * d[:, :-1], t[:, 1:] - c * t[:, :-1]
        m = voiced[:, :d.shape[1]]
        wave = wave + 0.5 * (d.abs() * m).sum() / (t.abs() * m).sum().clamp_min(1e-3)
    return spec, wave


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
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--batch", type=int, default=12)
    p.add_argument("--frames", type=int, default=40)
    p.add_argument("--seed", type=int, default=1)
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
    sums, began, saved, shown = np.zeros(2), time.process_time(), time.time(), 0
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
        codes, x = data.batch(rng, a.batch, a.frames, opening)
        z = (table[0][codes[:, 0]] + table[1][codes[:, 1]]).transpose(1, 2)
        voiced = (voiced_code[codes[:, 1]]).float().repeat_interleave(V.HOP, 1)
        y = net(z)[:, 0]
        if opening:
            y, x, voiced = (F.pad(t, (1024, 0)) for t in (y, x, voiced))
        cut = 0 if opening else SKIP * V.HOP
        spec, wave = losses(y[:, cut:], x[:, cut:], voiced[:, cut:])
        loss = spec + 0.5 * wave
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        opt.step()
        step += 1
        sums += float(spec), float(wave)
        shown += 1
        if step % 25 == 0:
            print("step %d, %.1f min: spectral %.3f wave %.3f lr %.1e" % (step, spent / 60, sums[0] / shown, sums[1] / shown, rate), flush=True)
            sums, shown = np.zeros(2), 0
        if time.time() - saved > 180:
            save()
            saved = time.time()
    save()
    print("done: %d steps" % step, flush=True)


if __name__ == "__main__":
    main()

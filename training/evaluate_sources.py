"""Where evaluate.py's waves come from: the teacher, its parameters, or an exported model."""
import os
import subprocess

import numpy as np
import scipy.io.wavfile

import evaluate as E

BATCH = 10


def make(a, texts, tmp):
    """A function (index, text) -> (wave, rate) for evaluate.py's --what."""
    if a.what == "teacher":
        return lambda i, text: E.teacher_wave(text, a.voice, tmp)
    if a.what == "model" and a.barkctl:
        return lambda i, text: barkctl_wave(a, text, tmp)
    if a.what == "model":
        return batched(texts, lambda part: Model(a).semantic(part))
    import vocoder as V
    _, params = E.teacher_params(a.work, texts)
    rng = np.random.default_rng(a.seed)

    def cut(i):
        labels, dur, lf0, mgc = params[i]
        phone, dur, lead, kept = E.trimmed(labels, dur)
        return phone, dur, lf0[lead:lead + kept], mgc[lead:lead + kept]

    def vocoder_wave(i, text):
        _, _, lf0, mgc = cut(i)
        return V.synthesise(mgc, *V.frame_codes(lf0), rng), V.RATE

    def codec_wave(i, text):
        import codec_tokens as CT
        _, _, lf0, mgc = cut(i)
        code, phi = V.frame_codes(lf0)
        c1 = CT.envelope_code(V.codec_features(mgc, len(code)), books)
        return model.decode(np.stack([c1, CT.pitch_code(code, phi, rng)])), V.RATE

    def truth(part):
        """The teacher's semantic tokens, every phone as if it were a piece of its own: the coarse network reads no pointers."""
        import tokens as S
        S.RATE = 50.0
        out = []
        for i in part:
            phone, dur, lf0, _ = cut(i)
            n = len(phone)
            start = np.zeros(n, int)
            start[0] = -1
            out.append(S.encode(np.array(phone), start, np.zeros(n, int), dur, lf0))
        return out
    if a.what == "vocoder":
        return vocoder_wave
    model = Model(a)
    if a.what == "codec":
        books = CT_books(a.work)
        return codec_wave
    return batched(range(len(texts)), lambda part: model.coarse(truth(part)))


def CT_books(work):
    import codec_tokens as CT
    return CT.load_books(work)


def batched(items, run):
    """Makes waves BATCH at a time, hands them out one by one."""
    done = {}

    def source(i, text):
        if i not in done:
            first = i - i % BATCH
            for k, w in enumerate(run(list(items)[first:first + BATCH])):
                done[first + k] = w
        return done.pop(i), 24000
    return source


def barkctl_wave(a, text, tmp):
    subprocess.run([a.barkctl, "render", "-m", a.model, "-v", a.voice, "--seed", str(a.seed), "-o", tmp, text], check=True, stdout=subprocess.DEVNULL)
    rate, x = scipy.io.wavfile.read(tmp)
    return x / (32768.0 if x.dtype == np.int16 else 1.0), rate


class Model:
    """An exported directory, run by transformers. The fine network is left out: its codebooks are zero vectors."""

    loaded = {}

    def __init__(self, a):
        import torch
        import transformers
        torch.set_num_threads(1)
        self.torch = torch
        if a.model not in self.loaded:
            transformers.logging.set_verbosity_error()
            m = transformers.BarkModel.from_pretrained(a.model, torch_dtype=torch.float32).eval()
            t = transformers.BertTokenizer.from_pretrained(a.model, do_lower_case=False, strip_accents=False)
            torch.manual_seed(a.seed)
            self.loaded[a.model] = m, t
        self.m, self.t = self.loaded[a.model]
        g = self.m.generation_config
        from transformers.models.bark.generation_configuration_bark import (BarkCoarseGenerationConfig, BarkSemanticGenerationConfig)
        self.sg, self.cg = BarkSemanticGenerationConfig(**g.semantic_config), BarkCoarseGenerationConfig(**g.coarse_acoustics_config)
        self.size = g.codebook_size
        if a.semantic_temperature is not None:
            self.sg.temperature = a.semantic_temperature
        if a.coarse_temperature is not None:
            self.cg.temperature = a.coarse_temperature

    def semantic(self, texts):
        torch = self.torch
        e = self.t(texts, add_special_tokens=False, padding="max_length", truncation=True, max_length=self.sg.max_input_semantic_length, return_tensors="pt")
        with torch.no_grad():
            out = self.m.semantic.generate(e["input_ids"], attention_mask=e["attention_mask"], semantic_generation_config=self.sg)
        end = self.sg.eos_token_id
        rows = [r[:int((r == end).nonzero()[0])] if (r == end).any() else r for r in out]
        return self.coarse([r.numpy() for r in rows])

    def coarse(self, rows):
        torch = self.torch
        n = max(map(len, rows))
        sem = torch.full((len(rows), n), self.sg.semantic_pad_token, dtype=torch.long)
        for i, r in enumerate(rows):
            sem[i, :len(r)] = torch.from_numpy(np.asarray(r, np.int64))
        with torch.no_grad():
            out, lengths = self.m.coarse_acoustics.generate(sem, semantic_generation_config=self.sg, coarse_generation_config=self.cg,
                                                            codebook_size=self.size, return_output_lengths=True)
        waves = []
        for i, r in enumerate(rows):
            frames = max(1, int(len(r) * self.cg.coarse_rate_hz / self.sg.semantic_rate_hz))
            c = out[i].numpy().reshape(-1, 2)[:frames].T - self.sg.semantic_vocab_size
            waves.append(self.decode(np.stack([c[0], c[1] - self.size])))
        return waves

    def decode(self, codes):
        """Wave of codes (2, n)."""
        torch = self.torch
        q = self.m.codec_model.quantizer.layers
        with torch.no_grad():
            z = sum(q[i].codebook.embed[torch.from_numpy(np.asarray(codes[i], np.int64))] for i in range(2))
            return self.m.codec_model.decoder(z.T[None])[0, 0].numpy()

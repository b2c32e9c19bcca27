"""Where evaluate.py's waves come from: the teacher, its parameters, or an exported model."""
import os
import subprocess
import tempfile

import numpy as np
import scipy.io.wavfile

BATCH = 10


def make(a, texts):
    """A function (index, text) -> (wave of 24 kHz, the teacher's pitch 80 times a second or None) for evaluate.py's --what."""
    if a.what == "model" and a.barkctl:
        return lambda i, text: (barkctl_wave(a, text), None)
    if a.what == "model":
        return batched(texts, Model(a).speak)
    import corpus
    maker = corpus.Maker(a.work)
    if a.what == "teacher":
        return teacher(a, maker)
    import hmm
    import spectra
    with np.load(os.path.join(a.work, "hmm.npz")) as z:
        models = hmm.Models(z["mean"], z["var"])

    def aligned(text):
        """hmm.align()'s answer for a text."""
        import voices
        said = maker.own(text)
        d = maker.teacher.speak(said[0])
        return hmm.align(voices.utterance(maker, said, d["f0"], *spectra.features(d), d["dur"]), models)
    model = Model(a)
    if a.what == "truth":
        cache = [aligned(t) for t in texts]
        waves = batched([x["sem"].astype(np.int64) for x in cache], model.acoustics)
        return lambda i, text: (waves(i, text)[0], cache[i]["f0"])
    import codec_tokens as CT
    books, rng = CT.load_books(a.work), np.random.default_rng(a.seed)

    def copy(i, text):
        x = aligned(text)
        return model.decode(CT.codes_of(x, books, "heart", rng), a.books), x["f0"]
    return copy


def teacher(a, maker):
    import hibari_teacher
    from hibari import dsp
    voice = None
    if a.voice == "kumo":
        import kumo
        voice = kumo.Kokoro(a.work)

    def wave(i, text):
        said = maker.teacher.phonemize(text)[0]
        if voice:
            _, f0, x = voice.speak(said)
            return x, f0
        d = maker.teacher.speak(said)
        f0 = np.where(d["f0"] > hibari_teacher.VOICED, d["f0"], 0)
        return dsp.synth(*(d[k] for k in ("lh", "theta", "ln", "lr", "phi", "f0")), np.random.default_rng(a.seed)), f0
    return wave


def batched(items, run):
    """Makes waves BATCH at a time, hands them out one by one."""
    done = {}

    def source(i, text):
        if i not in done:
            first = i - i % BATCH
            for k, w in enumerate(run(list(items)[first:first + BATCH])):
                done[first + k] = w
        return done.pop(i), None
    return source


def barkctl_wave(a, text):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "x.wav")
        subprocess.run([a.barkctl, "render", "-m", a.model, "-v", a.voice, "--seed", str(a.seed), "-o", out, text], check=True, stdout=subprocess.DEVNULL)
        rate, x = scipy.io.wavfile.read(out)
    return x / (32768.0 if x.dtype == np.int16 else 1.0)


class Model:
    """An exported directory, run by transformers."""

    def __init__(self, a):
        import torch
        import transformers
        from transformers.models.bark.generation_configuration_bark import BarkCoarseGenerationConfig, BarkFineGenerationConfig, BarkSemanticGenerationConfig
        torch.set_num_threads(1)
        torch.manual_seed(a.seed)
        transformers.logging.set_verbosity_error()
        self.torch = torch
        self.m = transformers.BarkModel.from_pretrained(a.model, torch_dtype=torch.float32).eval()
        self.t = transformers.BertTokenizer.from_pretrained(a.model, do_lower_case=False, strip_accents=False)
        g = self.m.generation_config
        self.sg, self.cg = BarkSemanticGenerationConfig(**g.semantic_config), BarkCoarseGenerationConfig(**g.coarse_acoustics_config)
        self.fg, self.size = BarkFineGenerationConfig(**g.fine_acoustics_config), g.codebook_size

    def speak(self, texts):
        e = self.t(texts, add_special_tokens=False, padding="max_length", truncation=True, max_length=self.sg.max_input_semantic_length, return_tensors="pt")
        with self.torch.no_grad():
            out = self.m.semantic.generate(e["input_ids"], attention_mask=e["attention_mask"], semantic_generation_config=self.sg)
        end = self.sg.eos_token_id
        rows = [r[:int((r == end).nonzero()[0])] if (r == end).any() else r for r in out]
        return self.acoustics([r.numpy() for r in rows])

    def acoustics(self, rows):
        """Waves of semantic tokens."""
        torch = self.torch
        n = max(map(len, rows))
        sem = torch.full((len(rows), n), self.sg.semantic_pad_token, dtype=torch.long)
        for i, r in enumerate(rows):
            sem[i, :len(r)] = torch.from_numpy(np.asarray(r, np.int64))
        waves = []
        with torch.no_grad():
            out = self.m.coarse_acoustics.generate(sem, semantic_generation_config=self.sg, coarse_generation_config=self.cg, codebook_size=self.size)
            for i, r in enumerate(rows):
                frames = max(1, int(len(r) * self.cg.coarse_rate_hz / self.sg.semantic_rate_hz))
                fine = self.m.fine_acoustics.generate(out[i:i + 1, :2 * frames], semantic_generation_config=self.sg, coarse_generation_config=self.cg,
                                                      fine_generation_config=self.fg, codebook_size=self.size)
                waves.append(self.decode(fine[0].numpy()))
        return waves

    def decode(self, codes, books=4):
        """Wave of codes (4, n); of books left out the first code counts, which is no correction where the export says so."""
        torch = self.torch
        q = self.m.codec_model.quantizer.layers
        with torch.no_grad():
            z = sum(q[i].codebook.embed[torch.from_numpy(np.asarray(codes[i], np.int64))] for i in range(len(codes)) if i < books or i == 3)
            return self.m.codec_model.decoder(z.T[None])[0, 0].numpy()

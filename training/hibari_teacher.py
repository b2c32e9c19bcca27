"""The teacher: hibari-tts, whose network gives phoneme durations, pitch and spectra, 80 frames a second."""
import os

import numpy as np

FRAME = 1 / 80                   # seconds a frame of the network's outputs; a unit of duration is two
BINS, N_FFT, RATE = 601, 1200, 24000
VOICED = 40.0                    # Hz; below it hibari makes no pulses
DURATION = "/Clip_output_0"


def session(path):
    import onnxruntime as ort
    o = ort.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = 1
    o.log_severity_level = 3
    return ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])


class Teacher:
    def __init__(self, work):
        import onnx
        from hibari import Hibari
        self.tts = Hibari()
        path = os.path.join(work, "hibari_taps.onnx")
        if not os.path.exists(path):
            model = onnx.load(self.tts.model_path)
            model.graph.output.append(onnx.helper.make_tensor_value_info(DURATION, onnx.TensorProto.FLOAT, None))
            onnx.save(model, path + ".tmp")
            os.replace(path + ".tmp", path)
        self.session = session(path)

    def phonemize(self, text):
        """(phonemes, [(word as it is written, is there a space behind it?, its phonemes)]) of one sentence."""
        from hibari.g2p.normalize import normalize
        tokens = self.tts.g2p.phonemize_tokens(self.tts.g2p.tokenize(normalize(text)))
        words = [(t.text, bool(t.whitespace), "".join(c for c in t.phonemes or "" if c in self.tts.vocab)) for t in tokens]
        return "".join(p + (" " if space else "") for _, space, p in words).strip(), words

    def speak(self, phonemes, speed=1.0):
        """dict of lh, theta, ln, lr, phi (601, frames), f0 (frames), and dur: units of two frames for each phoneme and both ends."""
        out = self.session.run(None, {"ids": np.array([self.tts.ids(phonemes)], np.int64), "speed": np.array([speed], np.float32)})
        d = dict(zip(("lh", "theta", "ln", "lr", "phi", "f0"), (o[0] for o in out)))
        d["dur"] = out[-1].astype(np.int64).ravel()
        return d

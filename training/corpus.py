"""Makes the data set: texts -> festival's labels -> durations and F0 of the HTS voice -> WordPiece alignment -> semantic tokens.

The format is described in tokens.py. Shards are made one after the other until --shards exist; a shard that exists is kept,
so the script can be stopped and started again. Needs festival, festvox-us-slt-hts, libhtsengine-dev, wordnet-base."""
import argparse
import gzip
import os
import re
import subprocess
import sys
import time
import zlib

import numpy as np

import align
import texts as T
import tokens
import vocab

HERE = os.path.dirname(os.path.abspath(__file__))
VOICE = "/usr/share/festival/voices/us/cmu_us_slt_arctic_hts/hts/cmu_us_slt_arctic_hts.htsvoice"
LONE_A = re.compile(r"^a(?=\W*$)", re.I)        # festival takes it for the article; "ay" is said as the letter is
PAUSING = ".,;:?!"                               # these own a pause before any other mark does


def build_helper(work):
    exe = os.path.join(work, "hts_params")
    if not os.path.exists(exe):
        subprocess.run(["cc", "-O2", "-o", exe, os.path.join(HERE, "hts", "hts_params.c"), "-lHTSEngine", "-lm"], check=True)
    return exe


def run_festival(items, tmp):
    """items [(id, text)] -> {id: (tokens [(name, [(word, [phones])])], labels [str])}."""
    with open(tmp, "w", encoding="ascii") as f:
        for i, t in items:
            f.write('(%d "%s")\n' % (i, LONE_A.sub("ay", t)))
    out = subprocess.run(["festival", "-b", '(set! texts_file "%s")' % os.path.abspath(tmp), os.path.join(HERE, "hts", "labels.scm")],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode("ascii", "replace")
    os.remove(tmp)
    res, cur = {}, None
    for line in out.split("\n"):
        if line.startswith("#U"):
            cur = ([], [])
            res[int(line[3:])] = cur
        elif line.startswith("#T"):
            cur[0].append((line[3:], []))
        elif line.startswith("#W") and cur[0]:
            p = line[3:].split()
            cur[0][-1][1].append((p[0], p[1:]))
        elif line.startswith("#E"):
            res.pop(next(reversed(res), None), None)
        elif line.startswith(" ") and cur:
            cur[1].append(line.split()[-1])      # without festival's own times
    return res


def run_hts(exe, labels):
    """labels: list of label lists -> [(dur (n,5), lf0)] or None for a failed one."""
    data = "".join("\n".join(l) + "\n\n" for l in labels).encode("ascii")
    raw = subprocess.run([exe, VOICE], input=data, stdout=subprocess.PIPE, check=True).stdout
    out, at = [], 0
    for _ in labels:
        n, t = np.frombuffer(raw, "<i4", 2, at)
        at += 8
        dur = np.frombuffer(raw, "<u2", n * 5, at).reshape(n, 5).copy()
        at += n * 10
        lf0 = np.frombuffer(raw, "<f4", t, at)
        at += t * 4
        out.append((dur, lf0) if n else None)
    return out


def split_chunk(pieces, aligner, words):
    """Phones of every piece of one white-space chunk: list of phone lists, or None. pieces: WordPiece strings; words: [[phones]]."""
    groups, start = [], True
    for i, p in enumerate(pieces):
        if not p.lstrip("#")[:1].isalnum():
            start = True
        elif p.startswith("##") and not start:
            groups[-1].append(i)
        else:
            groups.append([i])
            start = False
    out = [[] for _ in pieces]
    if len(groups) == len(words):
        jobs = list(zip(groups, words))
    elif len(groups) == 1 and len(groups[0]) == len(words) and all(len(pieces[i].lstrip("#")) == 1 for i in groups[0]):
        jobs = [([i], w) for i, w in zip(groups[0], words)]          # spelt out
    elif len(groups) == 1 and len(groups[0]) == 1:
        jobs = [(groups[0], sum(words, []))]                         # a number
    elif len(words) == 1 and groups:
        jobs = [(sum(groups, []), words[0])]                         # don ' t
    else:
        return None
    for idx, phones in jobs:
        if len(idx) == 1:
            out[idx[0]] = list(phones)
            continue
        letters = "".join(pieces[i].lstrip("#") for i in idx).lower()
        if not letters.isalpha():
            return None
        counts, score = aligner.align(letters, phones)
        if counts is None or score < -6:
            return None
        at = c = 0
        for i in idx:
            n = len(pieces[i].lstrip("#"))
            k = sum(counts[c:c + n])
            c += n
            out[i] = list(phones[at:at + k])
            at += k
        if not out[idx[0]]:                      # "s ##h": a silent first piece after a pause would be taken for the mark
            out[idx[0]] = [next(out[i] for i in idx if out[i]).pop(0)]
    return out


def own(text, fest, tok, aligner):
    """(piece ids, phone, piece, slot) of an utterance from festival's words and labels, or None if they cannot be matched."""
    toks, labels = fest
    chunks = text.split()
    if len(chunks) != len(toks):
        return None
    pieces, spoken = [], []                      # spoken: (piece, [phones]) in order
    for chunk, (_, words) in zip(chunks, toks):
        p = tok.tokenize(chunk)
        if not p or "[UNK]" in p:
            return None
        got = split_chunk(p, aligner, [w[1] for w in words if w[1]])
        if got is None:
            return None
        for q, ph in zip(p, got):
            spoken.append(ph)
            pieces.append(q)
    if len(pieces) > tokens.MAX_TEXT:
        return None
    seg = [re.search(r"-(\w+)\+", l).group(1) for l in labels]
    flat = [(i, x) for i, ph in enumerate(spoken) for x in ph]
    phone, piece, slot, at, used = [], [], [], 0, {}
    for s in seg:
        if s == "pau":
            if at == 0:
                o = -1
            else:
                last = flat[at - 1][0]
                nxt = flat[at][0] if at < len(flat) else len(pieces)
                marks = [i for i in range(last + 1, nxt) if not pieces[i].lstrip("#")[:1].isalnum()]
                best = [i for i in marks if pieces[i] in PAUSING] or [i for i in marks if pieces[i] != "'"]
                o = best[0] if best else last
        else:
            if at >= len(flat) or flat[at][1] != s:
                return None
            o = flat[at][0]
            at += 1
        if s not in tokens.PHONE_ID or (piece and o < piece[-1]):
            return None
        phone.append(tokens.PHONE_ID[s])
        piece.append(o)
        slot.append(0 if o < 0 else used.get(o, 0))
        used[o] = used.get(o, 0) + 1
    if at != len(flat) or max(slot, default=0) > tokens.NSLOT:
        return None
    return tok.convert_tokens_to_ids(pieces), np.array(phone), np.array(piece), np.array(slot)


def held_out(text):
    """One text in 60, chosen by its letters alone, so that repeated texts fall on the same side."""
    return zlib.crc32(re.sub("[^a-z]", "", text.lower()).encode()) % 60 == 0


def make_shard(path, items, tok, aligner, exe):
    fest = run_festival([(i, t) for i, (_, t) in enumerate(items)], path + ".in")
    ok = []
    for i, (kind, text) in enumerate(items):
        if i in fest:
            got = own(text, fest[i], tok, aligner)
            if got is not None:
                ok.append((kind, text, fest[i][1], got))
    rows = {k: [] for k in "piece_ids phone piece slot dur lf0 sem lead held kind".split()}
    at = {k: [0] for k in ("piece_at", "phone_at", "frame_at", "sem_at")}
    kept, labels = [], []
    for (kind, text, lab, (ids, phone, piece, slot)), hts in zip(ok, run_hts(exe, [o[2] for o in ok])):
        if hts is None or len(hts[0]) != len(phone):
            continue
        dur, lf0 = hts
        lead, n5 = tokens.trim(phone, dur)
        lf0 = lf0[lead:lead + n5]
        sem = tokens.encode(phone, piece, slot, dur, lf0)
        if sem is None:
            continue
        for k, v in dict(piece_ids=ids, phone=phone, piece=piece, slot=slot, dur=dur, lf0=lf0, sem=sem).items():
            rows[k].append(np.asarray(v))
        for k, v in dict(lead=lead, held=held_out(text), kind=kind).items():
            rows[k].append(np.array([v]))
        for k, n in (("piece_at", len(ids)), ("phone_at", len(phone)), ("frame_at", n5), ("sem_at", len(sem))):
            at[k].append(at[k][-1] + n)
        kept.append(text)
        labels.append("\n".join(lab) + "\n\n")
    types = dict(piece_ids=np.int16, phone=np.uint8, piece=np.int16, slot=np.uint8, dur=np.uint16, lf0=np.float16, sem=np.uint16,
                 lead=np.int32, held=bool, kind=np.uint8)
    with gzip.open(path[:-4] + ".lab.gz", "wt", compresslevel=3) as f:
        f.write("".join(labels))
    with open(path[:-4] + ".txt", "w", encoding="ascii") as f:
        f.write("".join(t + "\n" for t in kept))
    with open(path + ".tmp", "wb") as f:         # readers look for the .npz: it comes last, whole
        np.savez(f, **{k: np.concatenate(v).astype(types[k]) for k, v in rows.items()}, **{k: np.array(v, np.int64) for k, v in at.items()})
    os.replace(path + ".tmp", path)
    return len(kept), at["frame_at"][-1] * tokens.FRAME5


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--work", default="training/work")
    ap.add_argument("--shards", type=int, default=40)
    ap.add_argument("--first", type=int, default=0, help="number of the first shard")
    ap.add_argument("--step", type=int, default=1, help="make every n-th shard only (two processes: --first 0/1 --step 2)")
    ap.add_argument("--size", type=int, default=1000, help="texts in a shard")
    ap.add_argument("--texts", default="get", choices=["get", "spelt", "split", "dense", "alone"],
                    help="what texts.Texts gives: the mixture, letters by name, words in pieces, long texts of them, single words")
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    from transformers import BertTokenizer

    folder = os.path.join(args.work, "corpus")
    os.makedirs(folder, exist_ok=True)
    vdir = os.path.join(args.work, "vocab")
    tok = BertTokenizer(os.path.join(vdir, "vocab.txt"), do_lower_case=False, strip_accents=False)
    rows = open(os.path.join(vdir, "vocab.txt"), encoding="ascii").read().split("\n")[:-1]
    words = [w for w in rows if w.isalpha() and w.islower() and len(w) > 1]
    low = set(words)
    names = [w for w in rows if w.isalpha() and w.istitle() and len(w) > 1 and w.lower() not in low]
    aligner = align.load(args.work, vocab.read_lexicon(vocab.DICT), args.seed)
    source = T.Texts(words, names, args.seed)
    exe = build_helper(args.work)
    # shards 0 and 1 begin with every word of the vocabulary, in lists of six
    r = np.random.default_rng(args.seed)
    every = [(words + names)[i] for i in r.permutation(len(words) + len(names))]
    lists = [(T.KINDS.index("list"), ", ".join(every[i:i + 6]) + ".") for i in range(0, len(every), 6)]
    for k in range(args.first, args.shards, args.step):
        path = os.path.join(folder, "%03d.npz" % k)
        if os.path.exists(path):
            continue
        start = time.time()
        items = lists[k * 400:(k + 1) * 400] if k < 3 else []
        items += [getattr(source, args.texts)(k * args.size + i) for i in range(args.size - len(items))]
        items = [x for x in items if x[1]]
        n, sec = make_shard(path, items, tok, aligner, exe)
        print("shard %03d: %d of %d texts, %.2f h of speech, %.0f s" % (k, n, args.size, sec / 3600, time.time() - start), flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Semantic tokens of the embedded voice: a deterministic function of the teacher's alignment. Shared by every script here.

Dataset format (W = the --work folder)
--------------------------------------
W/raw/NNN.npz (corpus.py): what the teacher says, flat arrays over the utterances of a shard; frames are 1/80 s.
  text_at, ids          WordPiece ids (rows of vocab.txt, without text_encoding_offset)
  phone_at, phone, piece  phones without pauses, and the piece of each; gap: may a pause stand before it?
  mark                  the piece that owns such a pause
  guess                 frame at which the teacher's durations say that the phone begins
  frame_at, f0, mgc, share   pitch (Hz), mel-cepstrum, noise's share (spectra.py)
W/corpus/NNN.npz (hmm.py): the same aligned.
  piece_at, piece_ids   as ids above
  phone_at              then, one entry a phone, pauses included:
    phone (uint8)       index into PHONES
    piece (int16)       index of the piece that owns the phone, 0..63; -1 = the leading pause
    slot  (uint8)       0 = first phone of its piece, 1, 2 ... the later ones (0 for the leading pause)
    dur   (n, 3) uint16 frames of 1/80 s in each of the three states, AFTER trimming the pauses at both ends
  frame_at, f0          Hz of each frame after trimming; 0 = unvoiced
  lead                  number of the teacher's frames cut off in front
  sem_at, sem           semantic tokens (uint16), 50 a second, without the end token
  held                  bool: belongs to the validation set
  kind                  uint8: source of the text, see texts.KINDS
W/corpus/NNN.txt        the texts, one a line, in the same order
W/ids.json              sizes and ids of the vocabularies (written by vocab.py from ids() below)
W/vocab/                vocab.txt and tokenizer_config.json, as the exported model has them

The token classes
-----------------
  A  first frame of a piece's first phone   (piece mod 32, phone)                    A0 + w * NP + phone
  B  first frame of its later phones        (slot 1..12, clipped; phone)             B0 + (slot-1) * NP + phone
  C  every other frame                      (phone, third of the phone, F0 class)    C0 + (phone * 3 + third) * 13 + f0
third: the state of the alignment. F0 class: 0 unvoiced, 1..12 equal log steps of 115..300 Hz. The leading pause is kind C only.
A token's text position (piece) makes the alignment explicit; its slot makes the next phone a table look-up.
"""
import json
import os

import numpy as np

PHONES = ("aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh pau dx").split()
PHONE_ID = {p: i for i, p in enumerate(PHONES)}
PAU = PHONE_ID["pau"]
NP = len(PHONES)                 # 42
NW, NSLOT, NF0, NTHIRD = 32, 12, 13, 3
A0, B0, C0 = 0, NW * NP, NW * NP + NSLOT * NP
SEM = C0 + NP * NTHIRD * NF0     # 3486 semantic tokens; the id of "end" and of the history padding as well
END = SEM
SEM_ROWS = 3488                  # rows of lm_head; also text_encoding_offset
RATE = 50.0                      # semantic tokens a second
FRAME = 1 / 80                   # of the teacher, seconds
MAX_TEXT = 64                    # max_input_semantic_length
MAX_SEM = 512                    # longest utterance (tokens)
F0_LOW, F0_HIGH = 115.0, 300.0
LEAD, TRAIL = 2, 10              # frames of pause that are kept at the ends
# the teacher's alphabet (misaki's) in ours; of two signs the longer comes first
SIGNS = {"\u025c\u0279": "er", "\u0259\u0279": "er", "\u025a": "er", "A": "ey", "I": "ay", "O": "ow", "W": "aw", "Y": "oy", "i": "iy", "u": "uw", "\u00e6": "ae", "\u0251": "aa",
         "\u0254": "ao", "\u0259": "ax", "\u0250": "ax", "\u1d4a": "ax", "\u025b": "eh", "\u025c": "er", "\u026a": "ih", "\u1d7b": "ih", "\u028a": "uh", "\u028c": "ah",
         "h": "hh", "j": "y", "\u014b": "ng", "\u0279": "r", "\u0283": "sh", "\u03b8": "th", "\u0292": "zh", "\u00f0": "dh", "\u02a4": "jh", "\u02a7": "ch", "\u0261": "g", "T": "dx"}
SIGNS.update({c: c for c in "bdfklmnpstvwz"})
UNSAID = "\u02c8\u02cc ;:,.!?\u2014\u2026\"()\u201c\u201d"       # stress, spaces and marks


def signs(said):
    """[(phone name, position of its first sign, number of signs)] of a string of the teacher's alphabet; None if it has others."""
    out, i = [], 0
    while i < len(said):
        n = 2 if said[i:i + 2] in SIGNS else 1
        if said[i:i + n] in SIGNS:
            out.append((SIGNS[said[i:i + n]], i, n))
        elif said[i] not in UNSAID:
            return None
        i += n
    return out


def phones_of(said):
    """Phone names of a string of the teacher's alphabet; None if it has others."""
    s = signs(said)
    return None if s is None else [p for p, _, _ in s]


def ids(n_text):
    """Ids of the semantic network for a text vocabulary of n_text rows, as config.json / generation_config.json name them."""
    rows = SEM_ROWS + n_text + 2
    return dict(semantic_vocab_size=SEM, eos_token_id=END, semantic_pad_token=END, output_vocab_size=SEM_ROWS,
                text_encoding_offset=SEM_ROWS, text_vocab_size=n_text, text_pad_token=SEM_ROWS + n_text,
                semantic_infer_token=SEM_ROWS + n_text + 1, input_vocab_size=-(-rows // 16) * 16,
                max_input_semantic_length=MAX_TEXT, semantic_rate_hz=RATE, block_size=640,
                hidden_size=256, num_layers=4, num_heads=4)


def load_ids(work):
    with open(os.path.join(work, "ids.json"), encoding="ascii") as f:
        return json.load(f)


def factors():
    """Meaning of every semantic token, arrays of length SEM: kind (0 A, 1 B, 2 C), phone, w, slot, third, f0 (-1 = does not apply)."""
    t = np.arange(SEM)
    kind = np.where(t < B0, 0, np.where(t < C0, 1, 2))
    c = t - C0
    phone = np.where(kind == 2, c // (NTHIRD * NF0), np.where(kind == 1, t - B0, t) % NP)
    return dict(kind=kind, phone=phone,
                w=np.where(kind == 0, t // NP, -1),
                slot=np.where(kind == 1, (t - B0) // NP + 1, np.where(kind == 0, 0, -1)),
                third=np.where(kind == 2, c // NF0 % NTHIRD, -1),
                f0=np.where(kind == 2, c % NF0, -1))


def f0_class(f0):
    """F0 class of pitches in Hz (0 = unvoiced)."""
    f0 = np.asarray(f0, np.float32)
    step = np.floor((NF0 - 1) * np.log(np.maximum(f0, 1) / F0_LOW) / np.log(F0_HIGH / F0_LOW))
    return np.where(f0 > 0, 1 + np.clip(step, 0, NF0 - 2), 0).astype(np.int64)


def trim(phone, dur):
    """Cut the pauses at both ends to LEAD / TRAIL frames. Changes dur (n, 3) in place; returns (lead, kept frames)."""
    lead = 0
    if phone[0] == PAU:
        cut = lead = max(0, int(dur[0].sum()) - LEAD)
        for s in range(NTHIRD):                  # the first states go first
            d = min(cut, int(dur[0, s]))
            dur[0, s] -= d
            cut -= d
    if phone[-1] == PAU and len(phone) > 1:
        cut = max(0, int(dur[-1].sum()) - TRAIL)
        for s in range(NTHIRD - 1, -1, -1):
            d = min(cut, int(dur[-1, s]))
            dur[-1, s] -= d
            cut -= d
    return lead, int(dur.sum())


def encode(phone, piece, slot, dur, f0):
    """Semantic tokens of one utterance, or None if it has more phones than tokens. f0 (Hz): one a frame, trimmed like dur."""
    ends = np.cumsum(dur.reshape(-1)) * FRAME                    # end time of every state
    n = int(ends[-1] * RATE + 1e-6)
    m = len(phone)
    if n < m or n > MAX_SEM:
        return None
    mid = (np.arange(n) + 0.5) / RATE
    state = np.minimum(np.searchsorted(ends, mid, side="right"), m * NTHIRD - 1)
    # first frame of every phone, moved so that each has one at least
    first = np.searchsorted(state // NTHIRD, np.arange(m), side="left")
    for j in range(1, m):
        first[j] = max(first[j], first[j - 1] + 1)
    limit = n
    for j in range(m - 1, -1, -1):
        limit -= 1
        first[j] = min(first[j], limit)
        limit = first[j]
    first[0] = 0
    owner = np.searchsorted(first, np.arange(n), side="right") - 1
    third = np.clip(state - owner * NTHIRD, 0, NTHIRD - 1)
    pitch = f0_class(f0[np.minimum((mid / FRAME).astype(int), len(f0) - 1)])
    out = C0 + (phone[owner].astype(np.int64) * NTHIRD + third) * NF0 + pitch
    for j in range(m):
        if piece[j] < 0:
            continue
        s = int(slot[j])
        out[first[j]] = A0 + (int(piece[j]) % NW) * NP + phone[j] if s == 0 else B0 + (min(s, NSLOT) - 1) * NP + phone[j]
    return out.astype(np.uint16)


def decode_phones(sem):
    """[(phone name, piece mod 32 or None)] of a token sequence: its A and B tokens. Used for error rates."""
    f = factors()
    out = []
    for t in np.asarray(sem, np.int64):
        if t < C0:
            out.append((PHONES[f["phone"][t]], int(f["w"][t]) if f["kind"][t] == 0 else None))
    return out


def load_shard(path):
    """One shard as a dict of arrays plus 'texts'."""
    with np.load(path) as z:
        d = {k: z[k] for k in z.files}
    with open(path[:-4] + ".txt", encoding="utf-8") as f:
        d["texts"] = f.read().split("\n")[:-1]
    return d

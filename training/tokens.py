"""Semantic tokens of the embedded voice: a deterministic function of the teacher's alignment. Shared by every script here.

Dataset format (written by corpus.py, read by everybody; W = the --work folder)
-------------------------------------------------------------------------------
W/corpus/NNN.npz: one shard, flat arrays over its utterances. Utterance u owns piece_ids[piece_at[u]:piece_at[u+1]] and so on.
  piece_at, piece_ids   WordPiece ids (rows of vocab.txt, without text_encoding_offset; no special tokens, no padding)
  phone_at              then, one entry a phone:
    phone (uint8)       index into PHONES
    piece (int16)       index of the piece that owns the phone, 0..63; -1 = the leading pause
    slot  (uint8)       0 = first phone of its piece, 1, 2 ... the later ones (0 for the leading pause)
    dur   (n, 5) uint16 frames of 5 ms in each of the 5 HTS states, AFTER trimming the pauses at both ends
  frame_at, lf0         log F0 (natural, Hz) of each 5 ms frame after trimming, float16 in [4, 6]; 0 = unvoiced
  lead                  number of 5 ms frames cut off in front: hts_engine's frame = lead + ours (the end is cut as well)
  sem_at, sem           semantic tokens (uint16), one a 1/49.9 s, without the end token
  held                  bool: belongs to the validation set
  kind                  uint8: source of the text, see corpus.KINDS
W/corpus/NNN.txt        the texts, one a line, in the same order
W/corpus/NNN.lab.gz     the full-context labels, one a line, a blank line after each utterance: input of hts/hts_params
W/ids.json              sizes and ids of the vocabularies (written by vocab.py from ids() below)
W/vocab/                vocab.txt and tokenizer_config.json, as the exported model has them

hts/hts_params VOICE [-m] < labels: for each utterance, little endian: int32 phones, int32 frames, uint16 dur[phones][5],
float32 lf0[frames] (0 = unvoiced) and, with -m, float32 mgc[frames][45] (alpha 0.45). Nothing is trimmed there.

The token classes
-----------------
  A  first frame of a piece's first phone   (piece mod 32, phone)                    A0 + w * 41 + phone
  B  first frame of its later phones        (slot 1..12, clipped; phone)             B0 + (slot-1) * 41 + phone
  C  every other frame                      (phone, third of the phone, F0 class)    C0 + (phone * 3 + third) * 7 + f0
third: HTS states 1-2 / 3 / 4-5. F0 class: 0 unvoiced, 1..6 equal log steps of 140..216 Hz. The leading pause is kind C only.
A token's text position (piece) makes the alignment explicit; its slot makes the next phone a table look-up.
"""
import json
import os

import numpy as np

PHONES = ("aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh pau").split()
PHONE_ID = {p: i for i, p in enumerate(PHONES)}
PAU = PHONE_ID["pau"]
NP = len(PHONES)                 # 41
NW, NSLOT, NF0, NTHIRD = 32, 12, 7, 3
A0, B0, C0 = 0, NW * NP, NW * NP + NSLOT * NP
SEM = C0 + NP * NTHIRD * NF0     # 2665 semantic tokens; the id of "end" and of the history padding as well
END = SEM
SEM_ROWS = 2672                  # rows of lm_head; also text_encoding_offset
RATE = 49.9                      # semantic tokens a second
FRAME5 = 0.005                   # HTS frame, seconds
MAX_TEXT = 64                    # max_input_semantic_length
MAX_SEM = 512                    # longest utterance (tokens)
F0_LOW, F0_HIGH = 140.0, 216.0
LEAD5, TRAIL5 = 12, 30           # 60 ms and 150 ms of pause are kept at the ends


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


def f0_class(lf0):
    """F0 class of log F0 values (0 = unvoiced)."""
    lf0 = np.asarray(lf0, np.float32)
    step = np.floor(6 * (lf0 - np.log(F0_LOW)) / np.log(F0_HIGH / F0_LOW))
    return np.where(lf0 > 1, 1 + np.clip(step, 0, 5), 0).astype(np.int64)


def trim(phone, dur):
    """Cut the pauses at both ends to LEAD5 / TRAIL5 frames. Changes dur (n, 5) in place; returns (lead, kept frames)."""
    lead = 0
    if phone[0] == PAU:
        cut = lead = max(0, int(dur[0].sum()) - LEAD5)
        for s in range(5):                       # the first states go first
            d = min(cut, int(dur[0, s]))
            dur[0, s] -= d
            cut -= d
    if phone[-1] == PAU and len(phone) > 1:
        cut = max(0, int(dur[-1].sum()) - TRAIL5)
        for s in range(4, -1, -1):
            d = min(cut, int(dur[-1, s]))
            dur[-1, s] -= d
            cut -= d
    return lead, int(dur.sum())


def encode(phone, piece, slot, dur, lf0):
    """Semantic tokens of one utterance, or None if it has more phones than frames. lf0: one a 5 ms frame, trimmed like dur."""
    ends = np.cumsum(dur.reshape(-1)) * FRAME5                   # end time of every state
    n = int(ends[-1] * RATE)
    m = len(phone)
    if n < m or n > MAX_SEM:
        return None
    mid = (np.arange(n) + 0.5) / RATE
    state = np.minimum(np.searchsorted(ends, mid, side="right"), m * 5 - 1)
    # first frame of every phone, moved so that each has one at least
    first = np.searchsorted(state // 5, np.arange(m), side="left")
    for j in range(1, m):
        first[j] = max(first[j], first[j - 1] + 1)
    limit = n
    for j in range(m - 1, -1, -1):
        limit -= 1
        first[j] = min(first[j], limit)
        limit = first[j]
    first[0] = 0
    owner = np.searchsorted(first, np.arange(n), side="right") - 1
    st = np.clip(state - owner * 5, 0, 4)
    third = np.array([0, 0, 1, 2, 2])[st]
    f0 = f0_class(lf0[np.minimum((mid / FRAME5).astype(int), len(lf0) - 1)])
    out = C0 + (phone[owner].astype(np.int64) * NTHIRD + third) * NF0 + f0
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

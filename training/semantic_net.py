"""The semantic GPT in its training form: Bark's plain network whose tables are sums of meaningful parts.

Exported, it is exactly transformers' BarkSemanticModel (export() below). In training, every row of the token table, of the text
table, of the positions and of lm_head is a sum of shared vectors (phone, slot, pointer ...) and a small free residual, and
layers 1 and 2 start as a hand-made program (init_program):

  layer 1, head 0: the latest kind-A token -> its pointer W (which piece is spoken)
           head 1: the latest kind-A/B token -> its slot SL and its position (how long the phone lasts already)
           head 2: the previous position;  head 3: all kind-A tokens (which half of a long text)
  layer 2, heads 0, 1: the text position with pointer W -> its SLOTS 1..12 (the pronunciation)
           head 2: the next speaking text position -> its pointer NW and first phone NP0;  head 3: the position after W
           MLP: NPH = SLOTS[SL + 1], the next phone or "end of piece"
  lm_head: A = NW + NP0 + end of piece; B = SL + NPH; C = the phone that is being spoken.

Layers 3 and 4 start at random: durations, F0 and the pronunciation of pieces in context are learnt."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import tokens as T

D, HEADS, LAYERS, HD = 256, 4, 4, 64
NONE, EOT, NCODE = T.NP, T.NP + 1, T.NP + 2      # "no phone" and "end of text" beside the phones
NPOS = 12                                        # sinusoid pairs of a position
# where things live in the 256 dimensions
CONST, KIND, THIRD, F0, PH, W, SL, POS, NW, NP0, NPH, SLOTS, FREE = 0, 1, 4, 7, 14, 30, 46, 53, 77, 93, 103, 113, 233
SILENT, PADF, HALF = 233, 234, 235               # text positions: silent piece, padding, second half of the positions
START, LAP = 236, 255                            # token positions: position of the phone's start (18 dims), pointer average


def sphere(n, d, seed):
    """n unit vectors in d dimensions, as far apart as gradient descent gets them."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    for i in range(600):
        x = F.normalize(x, dim=1).requires_grad_()
        c = x @ x.T - 2 * torch.eye(n)
        (grad,) = torch.autograd.grad(torch.exp(12 * c).sum(), x)
        x = (x - 0.1 * (1 - i / 600) * grad / grad.norm(dim=1, keepdim=True).clamp(min=1e-9)).detach()
    return F.normalize(x, dim=1)


def signed(n, half):
    """Codes 0..2*half-1: unit vectors and their opposites, so that only antipodes are not orthogonal."""
    e = torch.eye(half)
    return torch.cat([e, -e])[:n]


def sinusoids(n):
    per = 3.0 * (1024 / 3.0) ** (torch.arange(NPOS) / (NPOS - 1.0))
    a = torch.arange(n)[:, None] * (2 * math.pi / per)
    return torch.stack([a.cos(), a.sin()], 2).reshape(n, 2 * NPOS)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1 = nn.Parameter(torch.ones(D))
        self.ln2 = nn.Parameter(torch.ones(D))
        init = lambda o, i, s: nn.Parameter(torch.randn(o, i) * s)
        self.att, self.out = init(3 * D, D, 0.03), init(D, D, 0.005)
        self.up, self.down = init(4 * D, D, 0.04), init(D, 4 * D, 0.002)

    def forward(self, x, skip=0):
        """skip: leading positions whose output nobody reads (last layer)."""
        b, n, _ = x.shape
        h = F.layer_norm(x, (D,), self.ln1)
        if skip:
            k, v = F.linear(h, self.att[D:]).split(D, 2)
            q = F.linear(h[:, skip:], self.att[:D])
            mask = torch.ones(n - skip, n, dtype=torch.bool).tril(skip)
            x = x[:, skip:]
        else:
            q, k, v = F.linear(h, self.att).split(D, 2)
            mask = None
        heads = lambda t: t.view(b, -1, HEADS, HD).transpose(1, 2)
        a = F.scaled_dot_product_attention(heads(q), heads(k), heads(v), attn_mask=mask, is_causal=mask is None)
        x = x + F.linear(a.transpose(1, 2).reshape(b, -1, D), self.out)
        return x + F.linear(F.gelu(F.linear(F.layer_norm(x, (D,), self.ln2), self.up)), self.down)


class Semantic(nn.Module):
    def __init__(self, ids, pron, silent, seed=1):
        """pron (V, 13) phone codes of every text id (NONE = no more phones); silent (V,) how often a piece speaks nothing."""
        super().__init__()
        torch.manual_seed(seed)
        self.ids, self.bf16 = ids, False
        f = {k: torch.as_tensor(v) for k, v in T.factors().items()}
        one = lambda v, n: F.one_hot(v.clamp(min=0), n).float() * (v >= 0)[:, None]
        kind = one(f["kind"], 3)
        # input rows: phone, third, f0, kind, w, slot
        self.register_buffer("fin", torch.cat([one(f["phone"], T.NP), one(f["third"], 3), one(f["f0"], T.NF0), kind, one(f["w"], T.NW),
                                               one(f["slot"], T.NSLOT + 1)], 1), persistent=False)
        # output rows: each kind has its own phone vectors
        self.register_buffer("fout", torch.cat([one(f["phone"], T.NP) * kind[:, i:i + 1] for i in range(3)] +
                                               [one(f["third"], 3), one(f["f0"], T.NF0), kind, one(f["w"], T.NW), one(f["slot"], T.NSLOT + 1)],
                                               1), persistent=False)
        n_text = ids["text_vocab_size"] + 1      # the last one is the padding
        pad = torch.full((1, T.NSLOT + 1), NONE)
        pad[0, 0] = EOT
        self.register_buffer("pron", torch.cat([torch.as_tensor(pron).long(), pad]) + torch.arange(T.NSLOT + 1) * NCODE, persistent=False)
        flags = torch.zeros(n_text, 2)
        flags[:-1, 0] = torch.as_tensor(silent)
        flags[-1, 1] = 1
        self.register_buffer("flags", flags, persistent=False)
        self.register_buffer("sin", sinusoids(ids["block_size"]), persistent=False)
        P = lambda *s: nn.Parameter(torch.zeros(*s))
        self.vin, self.vout = P(self.fin.shape[1], D), P(self.fout.shape[1], D)
        self.rin, self.rout = P(T.SEM, D), P(T.SEM, D)
        self.end_in, self.infer, self.end_out = P(D), P(D), P(D)
        self.spell, self.rtext, self.vflag = P((T.NSLOT + 1) * NCODE, D), P(n_text, D), P(2, D)
        self.vsin, self.vptr, self.rpos = P(2 * NPOS, D), P(T.MAX_TEXT, D), P(ids["block_size"], D)
        self.layers = nn.ModuleList(Block() for _ in range(LAYERS))
        self.lnf = nn.Parameter(torch.ones(D))
        init_tables(self)

    # --- tables
    def text_rows(self, t):
        return self.spell[self.pron[t]].sum(-2) + self.flags[t] @ self.vflag + self.rtext[t]

    def positions(self, n):
        p = self.sin[:n] @ self.vsin + self.rpos[:n]
        return torch.cat([p[:T.MAX_TEXT] + self.vptr, p[T.MAX_TEXT:]])

    def head(self):
        return torch.cat([self.fout @ self.vout + self.rout, self.end_out[None]])

    def embed(self, text, sem):
        """text (b, 64) text ids (row V = padding); sem (b, n) tokens. Positions: 64 of text (+ history padding), infer, tokens.
        A narrower text leaves out positions of padding: cheaper, used in the first part of the training only."""
        u, inv = torch.unique(text, return_inverse=True)
        table = torch.cat([self.fin @ self.vin + self.rin, self.end_in[None]])
        x = torch.cat([self.text_rows(u)[inv] + self.end_in, self.infer.expand(len(text), 1, D), table[sem]], 1)
        b = text.shape[1]
        p = self.positions(T.MAX_TEXT + 1 + sem.shape[1])
        return x + torch.cat([p[:b], p[T.MAX_TEXT:]])

    def forward(self, text, sem):
        """Logits (b, n + 1, SEM + 1) of the token after the infer token and after each of sem."""
        x, head = self.embed(text, sem), self.head()
        # the tables and what runs through the layers stay f32
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            for i, layer in enumerate(self.layers):
                x = layer(x, text.shape[1] if i == LAYERS - 1 else 0)
            x = F.linear(F.layer_norm(x, (D,), self.lnf), head)
        return x.float()

    @torch.no_grad()
    def export(self):
        """State dict of transformers' BarkSemanticModel, plain tables."""
        ids = self.ids
        table = torch.zeros(ids["input_vocab_size"], D)
        table[:T.SEM] = self.fin @ self.vin + self.rin
        table[T.END] = self.end_in
        n = ids["text_vocab_size"] + 1
        table[T.SEM_ROWS:T.SEM_ROWS + n] = self.text_rows(torch.arange(n))
        table[ids["semantic_infer_token"]] = self.infer
        out = torch.zeros(T.SEM_ROWS, D)
        out[:T.SEM + 1] = self.head()
        sd = {"input_embeds_layer.weight": table, "position_embeds_layer.weight": self.positions(ids["block_size"]),
              "layernorm_final.weight": self.lnf, "lm_head.weight": out}
        for i, l in enumerate(self.layers):
            p = "layers.%d." % i
            sd.update({p + "layernorm_1.weight": l.ln1, p + "layernorm_2.weight": l.ln2, p + "attn.att_proj.weight": l.att,
                       p + "attn.out_proj.weight": l.out, p + "mlp.in_proj.weight": l.up, p + "mlp.out_proj.weight": l.down})
        return {k: v.detach().clone().float().contiguous() for k, v in sd.items()}


def pitch_codes():
    """(NF0, 7): unvoiced, and six bumps over the classes."""
    x = torch.linspace(-0.3, 5.3, T.NF0 - 1)[:, None]
    bumps = torch.exp(-(x - torch.arange(6)).square())
    return torch.block_diag(torch.ones(1, 1), F.normalize(bumps, dim=1))


PITCH = pitch_codes()
CODE10, CODE16 = sphere(NCODE, 10, 1), sphere(T.NP, 16, 2)
PTR, SLOT = signed(T.NW, 16), signed(T.NSLOT + 1, 7)


@torch.no_grad()
def init_tables(m):
    """The meaning of every row: see the module's head."""
    own = 0.3                                    # own pointer and slot of a token; layer 1 adds the full size
    o = 0
    for n, at, code in ((T.NP, PH, CODE16), (3, THIRD, torch.eye(3)), (T.NF0, F0, PITCH), (3, KIND, torch.eye(3)), (T.NW, W, own * PTR), (T.NSLOT + 1, SL, own * SLOT)):
        m.vin[o:o + n, at:at + code.shape[1]] = code
        o += n
    m.vin[T.NP + 3 + T.NF0:T.NP + 3 + T.NF0 + 3, CONST] = 1
    m.infer[CONST] = m.infer[KIND] = 1           # the infer token plays the last slot of piece -1
    m.infer[W:W + 16] = own * PTR[T.NW - 1]
    m.infer[SL:SL + 7] = own * SLOT[T.NSLOT]
    m.infer[PH:PH + 16] = CODE16[T.PAU]          # what follows is the leading pause
    for s in range(T.NSLOT + 1):
        at = NP0 if s == 0 else SLOTS + 10 * (s - 1)
        m.spell[s * NCODE:(s + 1) * NCODE, at:at + 10] = CODE10
    m.end_in[CONST] = 1                          # the history padding is added at every text position
    m.vflag[0, SILENT] = m.vflag[1, PADF] = 1
    for i in range(2 * NPOS):
        m.vsin[i, POS + i] = 0.5
    m.vptr[:, NW:NW + 16] = PTR.repeat(2, 1)
    m.vptr[T.NW:, HALF] = 1
    a = 3.0                                      # final layer norm has a gain of about 3: 9 nats a match
    o = 0
    m.vout[o:o + T.NP, NP0:NP0 + 10] = a * CODE10[:T.NP]
    o += T.NP
    m.vout[o:o + T.NP, NPH:NPH + 10] = a * CODE10[:T.NP]
    o += T.NP
    m.vout[o:o + T.NP, PH:PH + 16] = a * CODE16
    o += T.NP
    m.vout[o:o + 3, THIRD:THIRD + 3] = 0.5 * torch.eye(3)
    o += 3
    m.vout[o:o + T.NF0, F0:F0 + 7] = 0.5 * PITCH
    o += T.NF0
    m.vout[o, NPH:NPH + 10] = a * CODE10[NONE]
    m.vout[o, CONST], m.vout[o + 1, CONST], m.vout[o + 2, CONST] = -a, 0, a
    o += 3
    m.vout[o:o + T.NW, NW:NW + 16] = a * PTR
    o += T.NW
    m.vout[o + 1:o + T.NSLOT + 1, SL:SL + 7] = a * SLOT[:T.NSLOT]      # slot s follows slot s - 1
    # at the end of the text: a last pause without a mark, then the end token
    pau = T.NP + T.PAU
    m.vout[pau, NP0:NP0 + 10] += a / 2 * CODE10[EOT]
    m.vout[pau, NPH:NPH + 10] += a / 2 * CODE10[NONE]
    m.vout[pau, PH:PH + 16] -= a * CODE16[T.PAU]
    m.end_out[PH:PH + 16] = a * CODE16[T.PAU]
    m.end_out[CONST] = -a
    m.end_out[NP0:NP0 + 10], m.end_out[NPH:NPH + 10] = a * CODE10[EOT], a * CODE10[NONE]


def recency(target, n=300):
    """Weights of the cosines that make attention fall with distance like target(d); least squares."""
    d = np.arange(n)
    per = 3.0 * (1024 / 3.0) ** (np.arange(NPOS) / (NPOS - 1.0))
    w = np.exp(-d / 80.0) + 0.05
    a, *_ = np.linalg.lstsq(np.cos(2 * np.pi * d[:, None] / per) * w[:, None], (target(d) - target(d).mean()) * w, rcond=None)
    return torch.tensor(a, dtype=torch.float32)


def _gain(x, sl):
    return float((1 / x.float().std(-1, unbiased=False))[:, sl].mean())


@torch.no_grad()
def init_program(m, text, sem):
    """Writes the program into layers 1 and 2. text, sem: a sample batch, for the gains of the layer norms."""
    tok, txt = slice(T.MAX_TEXT, None), slice(0, T.MAX_TEXT)
    x = m.embed(text, sem)
    l, g = m.layers[0], _gain(x, tok)

    def place(layer, head, q=(), k=(), v=(), o=()):
        """(row in head, dimension, weight) entries of query, key and value; (dimension, row in head, weight) of the output."""
        base = head * HD
        for part, entries in ((0, q), (D, k), (2 * D, v)):
            for r, dim, w in entries:
                layer.att[part + base + r, dim] = w
        for dim, r, w in o:
            layer.out[dim, base + r] = w

    def clear(layer, head, q=True, v=HD):
        b = head * HD
        if q:
            layer.att[b:b + HD] = 0
            layer.att[D + b:D + b + HD] = 0
        layer.att[2 * D + b:2 * D + b + v] = 0
        layer.out[:, b:b + v] = 0

    def local(a, shift=0.0):
        """Query and key entries for a kernel of position differences, sum_f a_f cos(w_f (d - shift))."""
        q, k = [], []
        per = 3.0 * (1024 / 3.0) ** (np.arange(NPOS) / (NPOS - 1.0))
        for f in range(NPOS):
            s = math.sqrt(abs(float(a[f])) * 8) / (g * 0.5)
            c, d = math.cos(2 * math.pi * shift / per[f]), math.sin(2 * math.pi * shift / per[f])
            sg = math.copysign(s, float(a[f]))
            i, j = POS + 2 * f, POS + 2 * f + 1
            q += [(2 * f, i, sg * c), (2 * f, j, sg * d), (2 * f + 1, i, -sg * d), (2 * f + 1, j, sg * c)]
            k += [(2 * f, i, s), (2 * f + 1, j, s)]
        return q, k

    # pieces last longer than phones: the phone's kernel is the sharper one
    falls = recency(lambda d: 32 * np.exp(-d / 40.0)), recency(lambda d: 45 * np.exp(-d / 15.0))
    flag = math.sqrt(8 * 45) / g
    for h, kinds in ((0, (0,)), (1, (0, 1))):
        clear(l, h)
        q, k = local(falls[h])
        place(l, h, q + [(40, CONST, flag)], k + [(40, KIND + i, flag) for i in kinds])
    place(l, 0, v=[(i, W + i, 1 / g / 0.3) for i in range(16)], o=[(W + i, i, 1) for i in range(16)])
    place(l, 1, v=[(i, SL + i, 1 / g / 0.3) for i in range(7)] + [(8 + i, POS + i, 1 / g) for i in range(18)],
          o=[(SL + i, i, 1) for i in range(7)] + [(START + i, 8 + i, 1) for i in range(18)])
    q, k = local([10, 6, 4, 2, 1, 0.5] + [0.2] * 6, shift=1.0)
    l.att[2 * HD:3 * HD] = 0
    l.att[D + 2 * HD:D + 3 * HD] = 0
    place(l, 2, q, k)
    l.att[3 * HD:4 * HD] = 0
    l.att[D + 3 * HD:D + 4 * HD] = 0
    l.att[2 * D + 3 * HD] = 0
    l.out[:, 3 * HD] = 0
    place(l, 3, [(40, CONST, flag / 2)], [(40, KIND, flag / 2)], [(0, W + i, -1 / g / 0.3) for i in range(16)], [(LAP, 0, 1)])
    x = l(x)

    l, gk, gt = m.layers[1], _gain(x, tok), _gain(x, txt)
    eye, scale = math.sqrt(8 * 22) / math.sqrt(gk * gt), 8 / (gk * gt)
    for h in (0, 1):
        clear(l, h, v=60)
        place(l, h, [(i, W + i, eye / 1.3) for i in range(16)] + [(41, CONST, -20 * scale)],
              [(i, NW + i, eye) for i in range(16)] + [(41, PADF, 1)],
              [(i, SLOTS + 60 * h + i, 1 / gt) for i in range(60)], [(SLOTS + 60 * h + i, i, 1) for i in range(60)])
    kern = torch.zeros(16, 16)                   # code of w -> sum of K(d) code of w + d
    for w in range(16):
        for d, s in ((1, 30.0), (2, 25.0), (3, 20.0), (4, 15.0)):
            kern[:, w] += s * PTR[(w + d) % T.NW]
    clear(l, 2, v=26)
    place(l, 2, [(i, W + j, float(kern[i, j]) * scale) for i in range(16) for j in range(16) if kern[i, j] != 0]
          + [(40, CONST, -18 * scale), (41, CONST, -6 * scale)],
          [(i, NW + i, 1) for i in range(16)] + [(40, SILENT, 1), (41, PADF, 1)],
          [(i, NW + i, 1 / gt) for i in range(16)] + [(16 + i, NP0 + i, 1 / gt) for i in range(10)],
          [(NW + i, i, 1) for i in range(16)] + [(NP0 + i, 16 + i, 1) for i in range(10)])
    l.att[3 * HD:4 * HD] = 0
    l.att[D + 3 * HD:D + 4 * HD] = 0
    nxt = [(i, W + j, 20 * scale * float(PTR[(j + 1) % T.NW][i])) for i in range(16) for j in range(16) if PTR[(j + 1) % T.NW][i] != 0]
    place(l, 3, nxt, [(i, NW + i, 1) for i in range(16)])

    # the multiplexer: a pair of units for each slot and dimension, open only in the slot before
    y = x + F.linear(_attend(l, x), l.out)
    g, u = _gain(y, tok), 0
    open_, z = 8.0 / g, 2.0 / g
    for s in range(T.NSLOT + 1):
        for i in range(10):
            for sign in (1, -1):
                if s == T.NSLOT and sign < 0:
                    continue
                l.up[u] = 0
                l.down[:, u] = 0
                l.up[u, SL:SL + 7] = 2 * open_ * SLOT[s]
                l.up[u, CONST] = -1.2 * open_
                if s < T.NSLOT:
                    l.up[u, SLOTS + 10 * s + i] = sign * z
                    l.down[NPH + i, u] = sign / (2 * 2.0)
                else:                            # after the last slot nothing can follow in the piece
                    l.down[NPH + i, u] = CODE10[NONE][i] / 11.2
                u += 1


def _attend(l, x):
    h = F.layer_norm(x, (D,), l.ln1)
    q, k, v = (t.view(len(x), -1, HEADS, HD).transpose(1, 2) for t in F.linear(h, l.att).split(D, 2))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(x.shape)

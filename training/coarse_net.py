"""The coarse network of the embedded voice: Bark's layout (no bias), with tables made from few meaningful parts and heads that start aligned.

At 50 semantic tokens and 75 x 2 codes a second a window is exact: 48 semantic tokens, the infer token, then coarse position j, which
belongs to semantic time j / 3 in every window, with or without history. So positions alone can align both, and they start so:
T (24 columns) holds sinusoids of that time, J (16) of j itself, K the kind of position. The hard-initialised heads of layer 1 look
one code back and at three semantic tokens around the frame; those of layer 2 further away. All of it is trained on."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import tokens as S
import vocoder as V

HIDDEN, LAYERS, HEADS, HEAD = 192, 3, 4, 48
N_SEM, NEW, HISTORY = 48, 60, 60
POSITIONS = N_SEM + 1 + HISTORY + NEW
CODES = V.CODES
SEM = S.SEM
PAD, INFER = SEM + 2 * CODES, SEM + 2 * CODES + 1
ROWS = -(-(INFER + 1) // 16) * 16
NA, PARTS = V.NA, 4 * S.NP
NOISE_T = 0.7       # sampling temperature at which the noise codes together weigh as much as training says
PROMPT = S.B0 + (S.NSLOT - 1) * S.NP + S.PAU      # the semantic token of presets: it never occurs in speech (voices.py)

T0, NT, J0, NJ = 0, 12, 24, 8
KIND, PARITY, ONE = 40, 41, 42
PHASE, PITCH, VOICED, ENV, MEAN = slice(44, 60), slice(60, 68), 68, slice(70, 115), slice(115, 192)
OMEGA_T = math.pi * ((np.arange(NT) + 0.5) / NT) ** 1.15
OMEGA_J = math.pi * (0.3 + 0.7 * (np.arange(NJ) + 0.5) / NJ)


def circle(omega, x, gain=1.0):
    """(len(x), 2 * len(omega)): cos, sin pairs."""
    p = np.outer(x, omega)
    return gain * np.stack([np.cos(p), np.sin(p)], 2).reshape(len(x), -1)


def position_table():
    p = np.random.default_rng(3).normal(0, 0.02, (POSITIONS, HIDDEN))
    p[:, :43] = 0
    p[:N_SEM, T0:T0 + 2 * NT] = circle(OMEGA_T, np.arange(N_SEM))
    j = np.arange(-1, HISTORY + NEW)                       # the infer token stands before code 0
    p[N_SEM:, T0:T0 + 2 * NT] = circle(OMEGA_T, ((j + 1) // 2 + 1) * 2 / 3 - 0.5)   # of the frame that is to be predicted
    p[N_SEM:, J0:J0 + 2 * NJ] = circle(OMEGA_J, j)
    p[:N_SEM, KIND], p[N_SEM:, KIND] = 1, -1
    p[N_SEM:, PARITY] = np.where(j % 2 == 0, 1, -1)
    p[:, ONE] = 1
    return torch.tensor(p, dtype=torch.float32)


def rotation(omega, d):
    """Maps the sinusoids of x to those of x + d."""
    m = np.zeros((2 * len(omega), 2 * len(omega)))
    for i, w in enumerate(omega):
        c, s = math.cos(w * d), math.sin(w * d)
        m[2 * i:2 * i + 2, 2 * i:2 * i + 2] = [[c, -s], [s, c]]
    return m


def semantic_parts():
    """For each semantic token: row of (phone, third or first) and of its F0 class (the last = unknown)."""
    f = S.factors()
    third = np.where(f["kind"] == 2, f["third"], 3)
    return torch.from_numpy(f["phone"] * 4 + third), torch.from_numpy(np.where(f["kind"] == 2, f["f0"], S.NF0))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.Parameter(torch.ones(HIDDEN)), nn.Parameter(torch.ones(HIDDEN))
        self.qkv = nn.Parameter(torch.randn(3 * HIDDEN, HIDDEN) * HIDDEN ** -0.5)
        self.out = nn.Parameter(torch.randn(HIDDEN, HIDDEN) * HIDDEN ** -0.5 * 0.4)
        self.up = nn.Parameter(torch.randn(4 * HIDDEN, HIDDEN) * HIDDEN ** -0.5)
        self.down = nn.Parameter(torch.randn(HIDDEN, 4 * HIDDEN) * (4 * HIDDEN) ** -0.5 * 0.4)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = F.linear(F.layer_norm(x, (HIDDEN,), self.ln1), self.qkv).view(b, t, 3, HEADS, HEAD).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, HIDDEN)
        x = x + F.linear(y, self.out)
        return x + F.linear(F.gelu(F.linear(F.layer_norm(x, (HIDDEN,), self.ln2), self.up)), self.down)

    def look(self, head, d, semantic, gain):
        """Start a head that looks at the semantic token d tokens ahead, or at the code d positions back."""
        with torch.no_grad():
            q, k = self.qkv[head * HEAD:(head + 1) * HEAD], self.qkv[HIDDEN + head * HEAD:HIDDEN + (head + 1) * HEAD]
            q.mul_(0.1), k.mul_(0.1)
            t = 2 * NT
            q[:t, T0:T0 + t] += gain * torch.tensor(rotation(OMEGA_T, d if semantic else -d / 3), dtype=torch.float32)
            k[:t, T0:T0 + t] += gain * torch.eye(t)
            if not semantic:
                q[t:t + 2 * NJ, J0:J0 + 2 * NJ] += 1.4 * gain * torch.tensor(rotation(OMEGA_J, -d), dtype=torch.float32)
                k[t:t + 2 * NJ, J0:J0 + 2 * NJ] += 1.4 * gain * torch.eye(2 * NJ)
            q[HEAD - 1, ONE] += 3 * gain
            k[HEAD - 1, KIND] += (3 if semantic else -3) * gain

    def copy(self, head, columns, gain):
        """Start a head that adds some columns of what it looks at."""
        n = len(columns)
        with torch.no_grad():
            v, o = self.qkv[2 * HIDDEN + head * HEAD:2 * HIDDEN + (head + 1) * HEAD], self.out[:, head * HEAD:(head + 1) * HEAD]
            v[:n] *= 0.05
            o[:, :n] *= 0.05
            v[torch.arange(n), columns] += 1.0
            o[columns, torch.arange(n)] += gain


class Coarse(nn.Module):
    def __init__(self, books=None, seed=1):
        super().__init__()
        torch.manual_seed(seed)
        self.bf16 = False
        self.position = nn.Parameter(position_table())
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.lnf = nn.Parameter(torch.ones(HIDDEN))
        n = lambda r, s=0.02: torch.randn(r, HIDDEN) * s
        part, f0 = semantic_parts()
        self.register_buffer("part", part, persistent=False)
        self.register_buffer("f0", f0, persistent=False)
        # a noise code stands before a voiced run, which starts at phase 0
        a, phi = torch.from_numpy(V.CODE_A), torch.from_numpy(V.CODE_PHI)
        voiced = a > 0
        self.register_buffer("voiced", voiced, persistent=False)
        self.register_buffer("a", torch.where(voiced, torch.from_numpy(V.INDEX)[a], NA), persistent=False)
        self.register_buffer("phi", torch.where(voiced, phi, V.PHASES), persistent=False)
        self.register_buffer("next", torch.where(voiced, (phi + a) % V.PHASES, 0), persistent=False)
        # inputs: semantic = (phone, third) + F0 class; envelope free; pitch = a + phase now + phase of the next frame
        self.e_part, self.e_f0, self.e_special = nn.Parameter(n(PARTS)), nn.Parameter(n(S.NF0 + 1)), nn.Parameter(n(2))
        self.e_env, self.e_a, self.e_phi, self.e_next = nn.Parameter(n(CODES)), nn.Parameter(n(NA + 1)), nn.Parameter(n(V.PHASES + 1)), nn.Parameter(n(V.PHASES))
        # outputs: pitch = a + phase, and one row for all noise codes
        self.o_env, self.o_a, self.o_phi, self.o_noise = nn.Parameter(n(CODES)), nn.Parameter(n(NA)), nn.Parameter(n(V.PHASES)), nn.Parameter(n(1))
        if books is not None:
            self.start(books)

    def start(self, books):
        with torch.no_grad():
            phone = torch.randn(S.NP, 1, 77).expand(S.NP, 4, 77) + 0.5 * torch.randn(1, 4, 77) + 0.3 * torch.randn(S.NP, 4, 77)
            self.e_part[:, MEAN] += 0.6 * phone.reshape(PARTS, 77)
            self.e_f0[:, MEAN] += 0.5 * torch.randn(S.NF0 + 1, 77)
            white = torch.from_numpy(books["books"][0, :, :45])
            self.e_env[:, ENV] += white * 0.8
            phase = torch.tensor(circle(np.arange(1, 9) * 2 * np.pi / V.PHASES, np.arange(V.PHASES)), dtype=torch.float32)
            grid = torch.linspace(-1, 1, NA)[:, None]
            pitch = torch.exp(-((grid - torch.linspace(-1.1, 1.1, 8)) / 0.3) ** 2) * 1.5     # smooth bumps over the pitches
            self.e_next[:, PHASE] += phase
            self.e_a[:NA, PITCH] += pitch
            self.e_a[:NA, VOICED], self.e_a[NA, VOICED] = 1, -1
            # logits = scaled log-spectral distance to what stands in ENV, as a Gaussian would have it
            w = torch.from_numpy(books["std"]) ** 2 * 2
            w[0] /= 2
            self.o_env[:, ENV] += white * w * 4
            self.o_env[:, ONE] -= 0.5 * (white * white * w).sum(1) * 4 * 0.6
            self.o_phi[:, PHASE] += phase * 1.0
            self.o_a[:, PITCH] += pitch * 1.5
            self.o_a[:, VOICED] += 1.0
            self.o_noise[:, VOICED] -= 1.0
            b = self.blocks
            g = 1.2
            b[0].look(0, 1, False, g), b[0].look(1, 0, True, g), b[0].look(2, 1, True, g), b[0].look(3, -1, True, g)
            b[1].look(0, 2, False, g), b[1].look(1, 2, True, g), b[1].look(2, 4, True, g), b[1].look(3, 4, False, g)
            b[0].copy(0, torch.tensor(list(range(44, 60)) + [60, 61, 62, 63, 64, 65, 66, 67, 68] + list(range(70, 92))), 1.0)

    def tables(self):
        """Input table (ROWS, HIDDEN)."""
        sem = self.e_part[self.part] + self.e_f0[self.f0]
        pitch = self.e_a[self.a] + self.e_phi[self.phi] + self.e_next[self.next]
        rest = torch.zeros(ROWS - INFER - 1, HIDDEN)
        return torch.cat([sem, self.e_env, pitch, self.e_special, rest])

    def head(self):
        """Output table (ROWS, HIDDEN) for the export; no row of a semantic token is ever used."""
        pitch = torch.where(self.voiced[:, None], self.o_a[self.a.clamp_max(NA - 1)] + self.o_phi[self.phi.clamp_max(V.PHASES - 1)], self.o_noise)
        return torch.cat([torch.zeros(SEM, HIDDEN), self.o_env, pitch, torch.zeros(ROWS - PAD, HIDDEN)])

    def forward(self, ids):
        x = F.embedding(ids, self.tables()) + self.position[:ids.shape[1]]
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            for b in self.blocks:
                x = b(x)
        return F.layer_norm(x.float(), (HIDDEN,), self.lnf)

    def losses(self, ids, weight, seen):
        """Mean negative log likelihood of the envelope and of the pitch codes, and how often the phase is right.
        ids (B, POSITIONS) are the targets, `seen` what the network reads, weight (B, 120)."""
        h = self(seen[:, :-1])[:, N_SEM:]
        target = ids[:, N_SEM + 1:]
        he, hp, te, tp = h[:, 0::2], h[:, 1::2], target[:, 0::2], target[:, 1::2]
        we, wp = weight[:, 0::2], weight[:, 1::2]
        live = we > 0
        env = F.cross_entropy(F.linear(he[live], self.o_env), te[live] - SEM, reduction="none")
        le = (env * we[live]).sum() / we.sum()
        live = wp > 0
        hp, code = hp[live], tp[live] - SEM - CODES
        la, lp, ln = F.linear(hp, self.o_a), F.linear(hp, self.o_phi), F.linear(hp, self.o_noise)[:, 0] + NOISE_T * math.log(len(V.NOISE))
        total = torch.logaddexp(la.logsumexp(1) + lp.logsumexp(1), ln)
        v = self.voiced[code]
        a, phi = self.a[code].clamp_max(NA - 1), self.phi[code].clamp_max(V.PHASES - 1)
        own = torch.where(v, la.gather(1, a[:, None])[:, 0] + lp.gather(1, phi[:, None])[:, 0], ln)
        lp_ = ((total - own) * wp[live]).sum() / wp.sum()
        with torch.no_grad():
            phase = (F.linear(hp[v], self.o_phi).argmax(1) == phi[v]).float().mean()
        return le, lp_, phase

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Model folders and voices as people have them: what other programs save, what a
download leaves, what lies beside.

Usage: folders.py BARKCTL FIXTURES. FIXTURES: those of the parity tests. Prints
lines as tests/tap.h does.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile

import taps

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import torch_files  # noqa: E402
from published import tokenizer_json  # noqa: E402

BARKCTL, FIXTURES = map(os.path.abspath, sys.argv[1:3])
MODEL = os.path.join(FIXTURES, "small", "model")
TESTS = []


def test(name):
    def add(run):
        TESTS.append((name, run))
        return run
    return add


class Place:
    """A home of its own, and barkctl in it."""

    def __init__(self, folder):
        self.folder = folder
        self.data = os.path.join(folder, "data", "barkd")
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("XDG_", "BARKD_"))}
        self.env |= {"HOME": folder, "XDG_DATA_HOME": os.path.join(folder, "data")}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def model(self, name):
        """A copy of the small model to change."""
        return shutil.copytree(MODEL, self.path(name))

    def write(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())
        return path

    def run(self, *args, cwd=None):
        return subprocess.run([BARKCTL, *args], env=self.env, cwd=cwd or self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=100)

    def works(self, *args, **more):
        r = self.run(*args, **more)
        assert r.returncode == 0, (args, r.stderr)
        return r.stdout

    def fails(self, why, *args, **more):
        """Fails, with one line on stderr that says why."""
        r = self.run(*args, **more)
        assert r.returncode == 1, (args, r.returncode, r.stdout, r.stderr)
        assert why in r.stderr and r.stderr.count("\n") == 1, (why, r.stderr)
        return r.stdout

    def sound(self, model, *args, **more):
        """The bytes of what a model says."""
        self.works("render", "-m", model, "--seed", "5", *args, "-o", self.path("s.wav"),
                   "Hello, the world.", **more)
        with open(self.path("s.wav"), "rb") as f:
            return f.read()


# --- tokenizers ---

@test("a model of transformers 5")
def transformers_5(p):
    """tokenizer.json alone, and a tokenizer_config.json without limit."""
    whole = p.sound(MODEL)
    new = p.model("new")
    p.write("new/tokenizer.json", tokenizer_json(os.path.join(MODEL, "vocab.txt")))
    p.write("new/tokenizer_config.json",
            '{"model_max_length": 1000000000000000019884624838656, "do_lower_case": false}')
    os.unlink(os.path.join(new, "vocab.txt"))
    assert "0 voices" in p.works("model", "import", new)
    p.works("model", "verify", "new")
    assert p.sound("new") == whole


@test("the vocabulary beside a model")
def vocab_beside(p):
    """--vocab takes either file, and its kind stays."""
    mute = p.model("mute")
    os.unlink(os.path.join(mute, "vocab.txt"))
    path = p.write("elsewhere/tokenizer.json", tokenizer_json(os.path.join(MODEL, "vocab.txt")))
    p.works("model", "import", "--vocab", path, "--name", "a", mute)
    p.works("model", "import", "--vocab", os.path.join(MODEL, "vocab.txt"), "--name", "b", mute)
    assert p.sound("a") == p.sound("b") == p.sound(MODEL)


@test("a model without a vocabulary")
def no_vocab(p):
    """It could not speak: it is neither imported nor passed."""
    mute = p.model("mute")
    os.unlink(os.path.join(mute, "vocab.txt"))
    p.fails("neither vocab.txt nor tokenizer.json", "model", "import", mute)
    p.fails("neither vocab.txt nor tokenizer.json", "model", "verify", mute)
    assert not os.path.exists(os.path.join(p.data, "models", "mute"))


@test("a vocabulary that is cut short")
def cut_vocab(p):
    """As long as the model's table is, so long is the vocabulary."""
    slt = p.path("slt")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../voices/slt")
    shutil.copytree(source, slt, ignore=shutil.ignore_patterns("voices"))
    with open(os.path.join(slt, "vocab.txt"), "rb") as f:
        text = f.read()
    p.write("slt/vocab.txt", text[:len(text) // 2])
    p.fails("cut short", "model", "verify", slt)
    p.fails("cut short", "render", "-m", slt, "-o", p.path("a.wav"), "Hello.")


# --- suno's files ---

def values(shape, value=0.01):
    """One number, seen as a whole tensor."""
    return torch_files.Tensor("FloatStorage", struct.pack("<f", value), shape, [0] * len(shape))


def suno_net(path, width, rows_in, rows_out, fine=False, prefix="_orig_mod."):
    """A net of one layer in a checkpoint of suno's."""
    names = {"transformer.wpe.weight": (1024, width), "transformer.ln_f.weight": (width,)}
    layer = "transformer.h.0."
    names |= {layer + "attn.c_attn.weight": (3 * width, width),
              layer + "attn.c_proj.weight": (width, width),
              layer + "mlp.c_fc.weight": (4 * width, width),
              layer + "mlp.c_proj.weight": (width, 4 * width),
              layer + "ln_1.weight": (width,), layer + "ln_2.weight": (width,)}
    args = dict(n_layer=1, n_head=1, n_embd=width, block_size=1024, bias=False,
                input_vocab_size=rows_in, output_vocab_size=rows_out)
    if fine:
        names |= {f"transformer.wtes.{i}.weight": (rows_in, width) for i in range(8)}
        names |= {f"{n}.bias": (width,) for n in (layer + "ln_1", layer + "ln_2",
                                                  "transformer.ln_f")}
        args |= dict(n_codes_total=8, n_codes_given=1)
    else:
        names |= {"transformer.wte.weight": (rows_in, width), "lm_head.weight": (rows_out, width)}
    torch_files.save(path, {"model": {prefix + n: values(s) for n, s in names.items()},
                            "model_args": args})


def suno_codec(path):
    def conv(module, out, into, kernel):
        return {f"{module}.conv.conv.weight": (out, into, kernel),
                f"{module}.conv.conv.bias": (out,)}
    names = {f"quantizer.vq.layers.{i}._codebook.embed": (1024, 128) for i in range(8)}
    names |= conv("decoder.model.0", 512, 128, 7) | conv("decoder.model.15", 1, 32, 7)
    for i in range(2):
        names |= {f"decoder.model.1.lstm.weight_{k}h_l{i}": (2048, 512) for k in "ih"}
        names |= {f"decoder.model.1.lstm.bias_{k}h_l{i}": (2048,) for k in "ih"}
    width, at = 512, 3
    for ratio in (8, 5, 4, 2):
        up, block = f"decoder.model.{at}.convtr.convtr", f"decoder.model.{at + 1}"
        names |= {up + ".weight": (width, width // 2, 2 * ratio), up + ".bias": (width // 2,)}
        width, at = width // 2, at + 3
        names |= conv(block + ".block.1", width // 2, width, 3)
        names |= conv(block + ".block.3", width, width // 2, 1)
        names |= conv(block + ".shortcut", width, width, 1)
    torch_files.save(path, {n: values(s) for n, s in names.items()})


def suno_folder(p, name, sizes=("", "", ""), **more):
    """A folder with nets of the small and the large size, as sizes says."""
    os.makedirs(p.path(name))
    for part, size, rows in zip(("text", "coarse", "fine"), sizes,
                                ((129600, 10048), (12096, 12096), (1056, 1056))):
        suno_net(p.path(name, f"{part}{size}.pt"), 8 if size else 4, *rows, part == "fine", **more)
    suno_codec(p.path(name, "encodec_24khz-d7cc33bc.th"))
    # as long as the published one
    tokens = ["[PAD]"] + [f"[unused{i}]" for i in range(99)]
    tokens += ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += [chr(c) for c in range(33, 127)] + ["##" + chr(c) for c in range(97, 123)]
    tokens += [f"[more{i}]" for i in range(119547 - len(tokens))]
    p.write(f"{name}/vocab.txt", "\n".join(tokens) + "\n")
    return p.path(name)


@test("suno's files of different sizes")
def suno_sizes(p):
    """Each net is large or small by itself."""
    for i, sizes in enumerate([("", "_2", ""), ("_2", "", "_2"), ("", "", "_2")]):
        folder = suno_folder(p, f"mixed{i}", sizes)
        assert "24000 Hz" in p.works("model", "verify", folder)
    p.works("model", "import", folder)
    os.unlink(p.path("mixed0", "fine.pt"))
    p.fails("fine.pt: No such file", "model", "verify", p.path("mixed0"))


@test("suno's files beside another's config.json")
def suno_beside(p):
    """It says nothing of them: a voice cloner's, transformers', or broken."""
    folder = suno_folder(p, "suno")
    plain = p.works("model", "verify", folder)
    bark = {"model_type": "bark", "semantic_config": {"hidden_size": 1024}}
    for config in ('{"model": "bark", "semantic_config": {"block_size": 1024}}',
                   '{"model_type": "xtts"}', json.dumps(bark), "[", "{}"):
        p.write("suno/config.json", config)
        assert p.works("model", "verify", folder) == plain, config
    # nor of what is made from them
    p.write("suno/config.json", json.dumps(bark))
    p.works("model", "import", folder)
    p.works("model", "quantize", "suno", "--to", "int8")
    p.works("model", "verify", "suno-int8")
    p.write(os.path.join(p.data, "models", "suno-int8", "config.json"), '{"model": "bark"}')
    p.works("model", "verify", "suno-int8")


@test("wrappers' names in suno's files")
def suno_wrapped(p):
    folder = suno_folder(p, "wrapped", prefix="module._orig_mod.module.")
    p.works("model", "verify", folder)


@test("a model in half precision by name")
def variant(p):
    """save_pretrained(variant="fp16") names the file so; the copy has it, too."""
    whole = p.sound(MODEL)
    half = p.model("half")
    os.rename(os.path.join(half, "model.safetensors"), os.path.join(half, "model.fp16.safetensors"))
    p.works("model", "import", half)
    assert p.sound("half") == whole


@test("links that lead nowhere")
def dangling(p):
    """What the model does not need cannot end its import."""
    folder = p.model("linked")
    for name in ("optimizer.pt", "notes.md", "runs", "voices"):
        os.symlink(p.path("nowhere"), os.path.join(folder, name))
    os.symlink("loop", os.path.join(folder, "loop"))
    os.mkdir(os.path.join(folder, "runs2"))
    os.mkfifo(os.path.join(folder, "pipe.json"))
    p.works("model", "import", folder)
    assert sorted(os.listdir(os.path.join(p.data, "models", "linked"))) == \
        sorted(os.listdir(MODEL))


# --- voices ---

def npy(kind, shape, values, fortran=False):
    """An array of numpy's; kind as it writes it, such as "<i8"."""
    code = {"i1": "b", "u2": "H", "i4": "i", "i8": "q", "f4": "f", "f8": "d"}[kind[1:]]
    header = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}"
    header = header.ljust(128 - 11) + "\n"
    order = "<" if kind[0] == "|" else kind[0]
    return (b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode()
            + struct.pack(f"{order}{len(values)}{code}", *values))


# The small model's: semantic tokens below 120, 2 and 8 rows of codes below 32.
NUMBERS = {"semantic_prompt": [i * 7 % 120 for i in range(40)],
           "fine_prompt": [i * 5 % 32 for i in range(480)]}
NUMBERS["coarse_prompt"] = NUMBERS["fine_prompt"][:120]
SHAPES = {"semantic_prompt": (40,), "coarse_prompt": (2, 60), "fine_prompt": (8, 60)}


def voice(path, kind="<i8", batch=False, ending=".npy", **instead):
    """An .npz with the same numbers whatever the kind."""
    with zipfile.ZipFile(path, "w") as z:
        for name, shape in SHAPES.items():
            data = instead.get(name) or npy(kind, (1,) * batch + shape, NUMBERS[name])
            z.writestr(name + ending, data)
    return path


@test("voices however they were saved")
def voice_kinds(p):
    """The same numbers are the same voice."""
    want = p.sound(MODEL, "-v", voice(p.path("plain.npz")))
    assert want != p.sound(MODEL)
    for i, more in enumerate([dict(batch=True), dict(kind="<f4"), dict(kind="<f8"),
                              dict(kind=">i4"), dict(kind=">f4"), dict(kind=">u2"),
                              dict(kind="|i1"), dict(ending=""),
                              dict(kind=">f8", batch=True, ending="")]):
        path = voice(p.path(f"v{i}.npz"), **more)
        assert p.sound(MODEL, "-v", path) == want, more
        p.works("voice", "import", "-m", MODEL, path)
        assert p.sound(MODEL, "-v", f"v{i}") == want, more
    none = voice(p.path("given.npz"), fine_prompt=b"\x93NUMPY\1\0" + struct.pack("<H", 118)
                 + b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\nN.")
    p.fails("fine_prompt: Python objects (or None)", "voice", "import", "-m", MODEL, none)


def torch_voice(path, kind="LongStorage", code="q", **more):
    tensors = {name: torch_files.Tensor(
        kind, struct.pack(f"<{len(NUMBERS[name])}{code}", *NUMBERS[name]), shape)
        for name, shape in SHAPES.items()}
    return torch_files.save(path, tensors | more)


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


@test("a voice that a cloning tool saved")
def voice_torch(p):
    """A dictionary of torch's: no more is read of it than the three arrays."""
    want = p.sound(MODEL, "-v", voice(p.path("plain.npz")))
    anna = torch_voice(p.path("anna.pth"), metadata={"name": "bark"})
    torch_voice(p.path("bert.pt"), "FloatStorage", "f")
    assert p.sound(MODEL, "-v", anna) == want
    p.works("voice", "import", "-m", MODEL, anna)
    p.works("voice", "import", "-m", MODEL, "bert.pt", "bertha")
    assert p.sound(MODEL, "-v", "anna") == p.sound(MODEL, "-v", "bertha") == want
    assert os.listdir(os.path.join(p.data, "voices")) in (
        ["anna.npz", "bertha.npz"], ["bertha.npz", "anna.npz"])
    torch_voice(p.path("evil.pth"), metadata=Evil())
    p.fails("posix.system, which is not allowed", "voice", "import", "-m", MODEL, "evil.pth")
    torch_files.save(p.path("half.pth"), {"semantic_prompt": values((40,), 1.0)})
    p.fails("coarse_prompt: no such array", "voice", "import", "-m", MODEL, "half.pth")
    with open(anna, "rb") as f:
        p.write("cut.pth", f.read()[:1500])
    p.fails("cut.pth", "voice", "import", "-m", MODEL, "cut.pth")


@test("a folder of voices, some bad")
def voice_folder(p):
    """Each that fails is told, each other comes in."""
    for name in "abcde":
        os.makedirs(p.path("many"), exist_ok=True)
        voice(p.path("many", name + ".npz"))
    torch_voice(p.path("many", "g.pth"))
    p.write("many/b.npz", b"PK\3\4 no more")
    voice(p.path("many", "a name.npz"))
    voice(p.path("many", "c.npz"), kind="<i8", semantic_prompt=npy("<i8", (2,), [1, 9999]))
    p.works("voice", "import", "-m", MODEL, p.path("many", "d.npz"))
    r = p.run("voice", "import", "-m", MODEL, "many")
    assert r.returncode == 1
    for why in ("'a name' cannot be a voice's name", "b.npz", "c.npz: semantic_prompt holds 9999",
                "d is there already"):
        assert why in r.stderr, (why, r.stderr)
    assert r.stderr.count("\n") == 4, r.stderr
    assert [r.stdout.count(f"say -v {n} ") for n in "aeg"] == [1, 1, 1], r.stdout
    names = sorted(os.listdir(os.path.join(p.data, "voices")))
    assert names == ["a.npz", "d.npz", "e.npz", "g.npz"], names


@test("files and folders of the working folder")
def working_folder(p):
    """A name that nothing is installed under is looked for there."""
    p.model("base")
    voice(p.path("speaker.npz"))
    want = p.sound(MODEL, "-v", p.path("speaker.npz"))
    assert p.sound("base", "-v", "speaker.npz") == want
    assert p.sound(".", "-v", "../speaker.npz", cwd=p.path("base")) == want
    p.fails("no model 'nobody'", "render", "-m", "nobody", "-o", "a.wav", "hi")
    p.fails("no voice 'nobody.npz'", "render", "-m", "base", "-v", "nobody.npz", "-o", "a.wav", "hi")
    for model, cwd in (("base", "."), ("./base/", "."), (".", "base"), ("../base/.", "base")):
        own = p.works("voice", "list", "-m", model, cwd=p.path(cwd)).split()[0]
        assert own == "base", (model, own)
    p.works("model", "import", "base")
    p.works("model", "verify", "someone/base")
    assert p.sound("someone/base", "-v", "base") == p.sound("base")


@test("suno's names of imported voices")
def suno_names(p):
    """Where only en_speaker_6 is there, v2/en_speaker_6 is that."""
    voice(p.path("en_speaker_6.npz"))
    p.works("voice", "import", "-m", MODEL, "en_speaker_6.npz")
    assert p.sound(MODEL, "-v", "v2/en_speaker_6") == p.sound(MODEL, "-v", "en_speaker_6")
    p.fails("no voice 'v3/en_speaker_6'", "render", "-m", MODEL, "-v", "v3/en_speaker_6",
            "-o", "a.wav", "hi")


@test("how many voices an import has")
def voices_counted(p):
    """Those in the folder that open; one that does not is told."""
    folder = p.model("voiced")
    os.makedirs(os.path.join(folder, "voices"))
    voice(os.path.join(folder, "voices", "a.npz"))
    voice(os.path.join(folder, "voices", "b.npz"))
    assert "2 voices" in p.works("model", "import", "--name", "two", folder)
    p.write("voiced/voices/c.npz", b"nothing")
    r = p.run("model", "import", "--name", "three", folder)
    assert r.returncode == 0 and "2 voices" in r.stdout and "voice c: " in r.stderr, r
    p.fails("voice c: ", "model", "verify", "three")
    # another model's imported voice is nobody's fault
    os.makedirs(os.path.join(p.data, "voices"))
    voice(os.path.join(p.data, "voices", "big.npz"), semantic_prompt=npy("<i8", (1,), [9999]))
    assert "2 voices" in p.works("model", "verify", "two")


@test("the model in use, by its path")
def default_by_path(p):
    """It is marked in the list, and not removed."""
    p.works("model", "import", "--name", "used", MODEL)
    path = os.path.join(p.data, "models", "used") + "/"
    p.write(".config/barkd/barkd.ini", f"[model]\nname = {path}\n")
    assert "/used (default)" in p.works("model", "list")
    p.fails("the model that barkd uses", "model", "remove", "--yes", "used")
    p.write(".config/barkd/barkd.ini", "[model]\nname = someone/used\n")
    p.fails("the model that barkd uses", "model", "remove", "--yes", "used")


if __name__ == "__main__":
    sys.exit(taps.run(TESTS, Place))

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
import tempfile
import traceback

import torch_files

BARKCTL, FIXTURES = map(os.path.abspath, sys.argv[1:3])
MODEL = os.path.join(FIXTURES, "small", "model")
VOICES = os.path.join(FIXTURES, "small", "voices")
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


def tokenizer_json(vocab, lower=False):
    """What transformers 5 saves in vocab.txt's place, in any order."""
    with open(vocab, encoding="utf-8") as f:
        tokens = f.read().split("\n")
    tokens = {t: i for i, t in enumerate(tokens) if t}
    added = [{"id": tokens[t], "content": t, "special": True, "normalized": False}
             for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "lowercase": lower,
                       "handle_chinese_chars": True, "strip_accents": None},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing"},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 100,
                  "continuing_subword_prefix": "##",
                  "vocab": dict(reversed(tokens.items()))}})


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


def main():
    failed = 0
    for name, run in TESTS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                why = run(Place(folder))
                print(f"skip {name}: {why}" if why else f"ok {name}")
            except Exception as e:  # a test that fails must not end the others
                traceback.print_exc()
                print(f"not ok {name}: {e!r}"[:400].replace("\n", " "))
                failed = 1
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())

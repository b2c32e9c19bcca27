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

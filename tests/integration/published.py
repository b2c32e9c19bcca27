# SPDX-License-Identifier: MIT
"""A model's weights in the other files in which models are published."""
import io
import json
import struct

import torch_files


def tensors(data):
    """{name: (dtype, shape, bytes)} of a safetensors file."""
    n = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + n])
    head.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[8 + n + t["data_offsets"][0]:
                                                8 + n + t["data_offsets"][1]])
            for name, t in head.items()}


def safetensors(some):
    head, body = {}, b""
    for name, (dtype, shape, data) in some.items():
        head[name] = {"dtype": dtype, "shape": shape,
                      "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def sharded(data, n=3):
    """{file: bytes} of the same weights in n files and an index."""
    items = list(tensors(data).items())
    files, index = {}, {}
    for i in range(n):
        file = f"model-{i + 1:05}-of-{n:05}.safetensors"
        part = dict(items[i::n])
        files[file] = safetensors(part)
        index.update(dict.fromkeys(part, file))
    files["model.safetensors.index.json"] = json.dumps({"weight_map": index}).encode()
    return files


def pytorch(data):
    """pytorch_model.bin of the same weights (all F32)."""
    out, state = io.BytesIO(), {}
    for name, (dtype, shape, raw) in tensors(data).items():
        assert dtype == "F32", dtype
        state[name] = torch_files.Tensor("FloatStorage", raw, shape)
    torch_files.save(out, state)
    return out.getvalue()


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

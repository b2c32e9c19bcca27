# SPDX-License-Identifier: MIT
"""A model's weights in the other files in which models are published."""
import io
import json
import pickle
import struct
import sys
import types
import zipfile


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
    class Storage:
        def __init__(self, key, n):
            self.key, self.n = key, n

    class Tensor:
        def __init__(self, storage, shape):
            strides, step = [], 1
            for d in reversed(shape):
                strides.insert(0, step)
                step *= d
            self.args = (storage, 0, tuple(shape), tuple(strides), False, {})

        def __reduce__(self):
            return sys.modules["torch._utils"]._rebuild_tensor_v2, self.args

    class Pickler(pickle.Pickler):
        def persistent_id(self, o):
            if isinstance(o, Storage):
                return ("storage", sys.modules["torch"].FloatStorage, o.key, "cpu", o.n)
            return None

    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch._utils = utils

    def rebuild():
        pass
    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    rebuild.__name__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        state, blobs = {}, {}
        for i, (name, (dtype, shape, raw)) in enumerate(tensors(data).items()):
            assert dtype == "F32", dtype
            blobs[str(i)] = raw
            state[name] = Tensor(Storage(str(i), len(raw) // 4), shape)
        text = io.BytesIO()
        Pickler(text, 2).dump(state)
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("archive/data.pkl", text.getvalue())
        for key, raw in blobs.items():
            z.writestr("archive/data/" + key, raw)
        z.writestr("archive/version", "3\n")
    return out.getvalue()

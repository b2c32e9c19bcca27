# SPDX-License-Identifier: MIT
"""Files as torch.save writes them, without torch: a zip of a pickle and storages."""
import contextlib
import pickle
import sys
import types
import zipfile

KINDS = {"FloatStorage": 4, "HalfStorage": 2, "LongStorage": 8, "IntStorage": 4}


class Tensor:
    """data: the storage's bytes; strides, in elements, may be 0."""

    def __init__(self, kind, data, shape, strides=None):
        self.kind, self.data, self.shape = kind, data, tuple(shape)
        if strides is None:
            strides, step = [], 1
            for n in reversed(self.shape):
                strides.insert(0, step)
                step *= n
        self.strides = tuple(strides)

    def __reduce__(self):
        import torch._utils
        return torch._utils._rebuild_tensor_v2, (
            Storage(self.kind, self.data), 0, self.shape, self.strides, False, {})


class Storage:
    def __init__(self, kind, data):
        self.kind, self.data = kind, data


@contextlib.contextmanager
def stand_ins():
    """Modules whose names the pickle has; nothing of them is called."""
    def _rebuild_tensor_v2():
        pass
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2, torch._utils = _rebuild_tensor_v2, utils
    for kind in KINDS:
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))
    sys.modules |= {"torch": torch, "torch._utils": utils}
    try:
        yield torch
    finally:
        del sys.modules["torch"], sys.modules["torch._utils"]


def save(path, value, name="archive"):
    """path: a file, too. value: a dictionary of Tensor and plain values."""
    storages = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            if not isinstance(obj, Storage):
                return None
            storages.append(obj.data)
            return ("storage", getattr(sys.modules["torch"], obj.kind),
                    str(len(storages) - 1), "cpu", len(obj.data) // KINDS[obj.kind])

    with zipfile.ZipFile(path, "w") as z:
        with stand_ins(), z.open(f"{name}/data.pkl", "w") as f:
            Pickler(f, 2).dump(value)
        z.writestr(f"{name}/byteorder", "little")
        for i, data in enumerate(storages):
            z.writestr(f"{name}/data/{i}", data)
    return path

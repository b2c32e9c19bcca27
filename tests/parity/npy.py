# SPDX-License-Identifier: MIT
"""Reads the .npy files of the fixtures with the standard library alone."""
import array
import ast
import sys

KINDS = {"<i4": "i", "<f4": "f"}


def read(path):
    """Shape and flat values, in C order, of an int32 or float32 array."""
    with open(path, "rb") as f:
        if f.read(6) != b"\x93NUMPY":
            raise ValueError(f"{path}: not a .npy file")
        major = f.read(2)[0]
        n = int.from_bytes(f.read(2 if major == 1 else 4), "little")
        header = ast.literal_eval(f.read(n).decode("latin-1"))
        data = f.read()
    if header["descr"] not in KINDS:
        raise ValueError(f"{path}: dtype {header['descr']}")
    values = array.array(KINDS[header["descr"]])
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    shape = header["shape"]
    if header["fortran_order"] and len(shape) == 2:
        rows, columns = shape
        values = array.array(values.typecode, (
            values[c * rows + r] for r in range(rows) for c in range(columns)))
    return shape, values

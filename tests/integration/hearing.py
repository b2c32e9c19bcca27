# SPDX-License-Identifier: MIT
"""What a speech recogniser makes of a recording."""
import array
import os
import re
import struct
import wave

from servers import need


def samples(path):
    """(rate, samples) of a mono WAV file of floats."""
    with open(path, "rb") as f:
        data = f.read()
    chunks, at = {}, 12
    while at + 8 <= len(data):
        name, size = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        chunks[name] = data[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    kind, channels, rate = struct.unpack_from("<HHI", chunks[b"fmt "])
    assert (kind, channels) == (3, 1), f"{path} is not a mono file of floats"
    return rate, array.array("f", chunks[b"data"])


def heard(place, path):
    """The words that pocketsphinx hears, its American English model."""
    need("pocketsphinx_continuous")
    rate, x = samples(path)
    peak = max(max(x), -min(x), 1e-3)
    pcm = array.array("h", (round(v / peak * 16000) for v in x))
    with wave.open(place.path("heard.wav"), "wb") as w:
        w.setparams((1, 2, rate, 0, "NONE", None))
        w.writeframes(pcm.tobytes())
    # A window of 26 ms must fit into the transform.
    out = place.run(["pocketsphinx_continuous", "-infile", place.path("heard.wav"),
                     "-samprate", str(rate), "-nfft", "2048", "-logfn", os.devnull],
                    timeout=300).stdout
    return words(out)


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def errors(said, got):
    """Words inserted, missing or wrong, at least."""
    row = list(range(len(got) + 1))
    for i, a in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(got, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]

# SPDX-License-Identifier: MIT
"""espeak.py LANGUAGE TEXT FILE.wav: what eSpeak NG itself makes of a text. A
program of its own, as the library has one state for a process."""
import ctypes
import sys
import wave


class Voice(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("languages", ctypes.c_char_p),
                ("identifier", ctypes.c_char_p), ("gender", ctypes.c_ubyte),
                ("age", ctypes.c_ubyte), ("variant", ctypes.c_ubyte), ("x1", ctypes.c_ubyte),
                ("score", ctypes.c_int), ("spare", ctypes.c_void_p)]


language, text, path = sys.argv[1:]
lib = ctypes.CDLL("libespeak-ng.so.1")
SYNCHRONOUS, UTF8, POS_CHARACTER = 2, 1, 1
rate = lib.espeak_Initialize(SYNCHRONOUS, 0, None, 0)
pcm = b""


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
def take(block, n, _):
    global pcm
    pcm += ctypes.string_at(block, 2 * n) if block and n > 0 else b""
    return 0


lib.espeak_SetSynthCallback(take)
if lib.espeak_SetVoiceByProperties(ctypes.byref(Voice(languages=language.encode()))):
    sys.exit(f"eSpeak NG has no {language}")
raw = text.encode()
lib.espeak_Synth(raw, ctypes.c_size_t(len(raw) + 1), 0, POS_CHARACTER, 0, UTF8, None, None)
with wave.open(path, "wb") as w:
    w.setparams((1, 2, rate, 0, "NONE", None))
    w.writeframes(pcm)

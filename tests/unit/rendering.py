#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""barkctl render writes a whole file, or says why and leaves what was there.

Usage: rendering.py BARKCTL FIXTURES. FIXTURES: those of the parity tests. Prints
lines as tests/tap.h does.
"""
import array
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import wave

import taps

BARKCTL, FIXTURES = map(os.path.abspath, sys.argv[1:3])
MODEL = os.path.join(FIXTURES, "small", "model")
FORMATS = ("wav", "flac", "ogg", "opus", "mp3")
TESTS = []


def test(run):
    TESTS.append(run)
    return run


# libsndfile keeps its encoder's memory where a file fails: a sanitizer's report of that is none.
ENV = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def render(out, *args, before=None, prefix=(), cwd=None):
    return subprocess.run([*prefix, BARKCTL, "render", "-m", MODEL, "--seed", "5", *args,
                           "-o", out, "Hello, the world. And again the world, hello."],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          preexec_fn=before, timeout=100, cwd=cwd, env=ENV)


def works(out, *args, **more):
    r = render(out, *args, **more)
    assert r.returncode == 0 and not r.stderr, (out, r)


def fails(why, out, *args, **more):
    r = render(out, *args, **more)
    assert r.returncode == 1, (out, r)
    assert r.stderr == f"barkctl: cannot write {out}: {why}\n", (out, r.stderr)


def small_files():
    """Files have less room than any format needs, and tell so."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


@test
def no_room_for_the_file(folder):
    for ending in FORMATS:
        path = os.path.join(folder, "a." + ending)
        fails("File too large", path, before=small_files)
        assert os.listdir(folder) == [], ending
        with open(path, "w") as f:
            f.write("what was there")
        fails("File too large", path, before=small_files)
        with open(path) as f:
            assert f.read() == "what was there", ending
        assert os.listdir(folder) == ["a." + ending]
        os.unlink(path)


@test
def a_full_disk(folder):
    for ending in FORMATS:
        path = os.path.join(folder, "a." + ending)
        os.symlink("/dev/full", path)
        fails("No space left on device", path)
        assert os.readlink(path) == "/dev/full"


@test
def a_full_file_system(folder):
    """A tmpfs of 8 KiB, and one that is read-only, in namespaces of their own."""
    def mounted(options):
        return ["unshare", "-rm", "sh", "-c",
                f'mount -t tmpfs -o {options} none "$0" && exec "$@"', folder]
    if shutil.which("unshare") is None or \
            subprocess.run([*mounted("size=8k"), "true"], capture_output=True).returncode:
        return "nothing can be mounted"
    for ending in FORMATS:
        path = os.path.join(folder, "a." + ending)
        fails("No space left on device", path, prefix=mounted("size=8k"))
        fails("Read-only file system", path, prefix=mounted("ro"))


@test
def what_was_there(folder):
    """A file is replaced in one go: its mode, and a link to it, stay."""
    old, link = os.path.join(folder, "old.wav"), os.path.join(folder, "link.wav")
    with open(old, "w") as f:
        f.write("what was there")
    os.chmod(old, 0o640)
    os.symlink("old.wav", link)
    reader = open(old)
    works(link)
    assert os.readlink(link) == "old.wav"
    assert os.stat(old).st_mode & 0o777 == 0o640
    assert reader.read() == "what was there", "written over while it was read"
    reader.close()
    with wave.open(link) as w:
        assert w.getnframes() > 24000
    works("new.wav", cwd=folder)
    umask = os.umask(0o77)
    os.umask(umask)
    assert os.stat(os.path.join(folder, "new.wav")).st_mode & 0o777 == 0o666 & ~umask
    assert sorted(os.listdir(folder)) == ["link.wav", "new.wav", "old.wav"]


def has_open_in(pid, folder):
    """Whether a process has a file of a folder open. It may close one that is looked at."""
    fd = f"/proc/{pid}/fd"
    for n in os.listdir(fd):
        with contextlib.suppress(FileNotFoundError):
            if folder in os.readlink(os.path.join(fd, n)):
                return True
    return False


@test
def interrupted(folder):
    """Nothing of it stays."""
    p = subprocess.Popen([BARKCTL, "render", "-m", MODEL, "-o", os.path.join(folder, "a.wav"),
                          "Hello, the world. " * 2000], stderr=subprocess.DEVNULL)
    try:
        while not has_open_in(p.pid, folder):
            assert p.poll() is None, "it ended"
    finally:
        p.send_signal(signal.SIGINT)
        p.wait(timeout=60)
    assert os.listdir(folder) == []


@test
def pipes(folder):
    """What is no file is written to as it is."""
    path = os.path.join(folder, "a.wav")
    os.mkfifo(path)
    with tempfile.TemporaryFile() as read:
        reader = subprocess.Popen(["cat", path], stdout=read)
        works(path)
        assert reader.wait(timeout=60) == 0
        read.seek(0)
        data = read.read()
    assert data[:4] == b"RIFF" and len(data) > 48000, data[:16]
    assert os.listdir(folder) == ["a.wav"]


@test
def no_such_folder(folder):
    fails("No such file or directory", os.path.join(folder, "none", "a.wav"))


def energy(path):
    with wave.open(path) as w:
        x = array.array("h", w.readframes(w.getnframes()))
    return sum(v * v for v in x), max(map(abs, x)) / 32768


@test
def loudness(folder):
    """--normalize: ten LU are ten times the energy, and no peak is above -1 dB."""
    paths = [os.path.join(folder, f"{lufs}.wav") for lufs in (-40, -30, -8)]
    for path in paths:
        works(path, "--normalize", os.path.basename(path)[:-4])
    low, high = energy(paths[0])[0], energy(paths[1])[0]
    assert 9.5 < high / low < 10.5, high / low
    assert .4 < energy(paths[2])[1] < .8913, energy(paths[2])
    for wrong in "loud", "nan", "-4", "-51":
        r = render(paths[0], "--normalize", wrong)
        assert r.returncode == 2 and "--normalize" in r.stderr, (wrong, r)


if __name__ == "__main__":
    sys.exit(taps.run([(t.__name__.replace("_", " "), t) for t in TESTS]))

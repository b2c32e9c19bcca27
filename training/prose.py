"""Sentences of the documentation of this machine, to try the voice on what a screen reader's user reads: technical, long, full of words that no
vocabulary has. prose.py COUNT prints so many, one a line; the same machine gives the same ones.

The voice is not trained on them: use them with pointers.py --texts."""
import glob
import gzip
import os
import random
import re
import sys

FOLDERS = ("/usr/share/doc/**/*", "/usr/share/perl/**/*.pod", "/usr/lib/python3*/**/*.py")


def read(path):
    if not os.path.isfile(path) or os.path.getsize(path) > 500000:
        return ""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as f:
        return f.read().decode("ascii", "ignore")


def main():
    found = set()
    for path in sum((sorted(glob.glob(f, recursive=True)) for f in FOLDERS), []):
        for part in re.split(r"\n\s*\n", read(path)):
            for s in re.split(r"(?<=[.!?]) ", re.sub(r"\s+", " ", part)):
                if re.fullmatch(r"[A-Z][A-Za-z' ,;-]{25,125}[.!?]", s) and not re.search(r"[A-Z]{2}|--| -|- ", s):
                    found.add(s)
    print("\n".join(random.Random(1).sample(sorted(found), int(sys.argv[1]))))


if __name__ == "__main__":
    main()

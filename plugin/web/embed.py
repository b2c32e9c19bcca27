#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes C of the pages, so that the daemon needs no files to serve them.

    embed.py OUTPUT.c FILE...
"""
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def paths(name):
    """Where a file is served: pages by their names, the rest below /web/."""
    base, ending = os.path.splitext(name)
    return ["/" + base] if ending == ".html" else ["/web/" + name]


def main(output, files):
    with open(output, "w") as out:
        out.write('/* Made by embed.py. */\n#include "pages.h"\n\n')
        table = []
        for i, file in enumerate(files):
            with open(file, "rb") as f:
                data = f.read()
            rows = (",".join(str(b) for b in data[at:at + 24]) for at in range(0, len(data), 24))
            out.write(f"static const unsigned char data{i}[] = {{\n" + ",\n".join(rows) + "};\n")
            name = os.path.basename(file)
            kind = TYPES[os.path.splitext(name)[1]]
            table += [f'\t{{"{path}", "{kind}", data{i}, sizeof(data{i})}},\n'
                      for path in paths(name)]
        out.write("\nconst struct page pages[] = {\n" + "".join(table) + "};\n"
                  "const size_t pages_n = sizeof(pages) / sizeof(*pages);\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

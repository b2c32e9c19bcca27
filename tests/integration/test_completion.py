# SPDX-License-Identifier: MIT
"""Completion in the real shells, typed at a terminal."""
import contextlib
import os
import pty
import re
import select
import subprocess
import time

from harness import test
from servers import Place, die_with_parent, need

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..", "completions")


class Shell:
    """A shell at a terminal, of which what is typed can be completed."""

    def __init__(self, bench, place, args, *setup):
        env = {**place.env, "TERM": "xterm", "PS1": "", "COLUMNS": "200",
               "PATH": os.path.dirname(bench.barkctl) + ":" + os.environ["PATH"]}
        self.master, slave = pty.openpty()
        self.p = subprocess.Popen(args, stdin=slave, stdout=slave, stderr=slave, env=env,
                                  preexec_fn=die_with_parent, start_new_session=True)
        os.close(slave)
        place.cleanups.append(self.end)
        self.seen = ""
        self.type("\n".join(setup) + "\necho rea''dy\n")
        self.expect("ready")

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, what, timeout=30):
        end = time.monotonic() + timeout
        while not re.search(what, self.seen):
            assert time.monotonic() < end, f"no '{what}' in {self.seen[-500:]!r}"
            if select.select([self.master], [], [], .1)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")

    def completes(self, typed, to):
        """typed and Tab and Return runs barkctl with the words `to`, which a
        function of its name tells: what a line editor draws is its own business."""
        self.seen = ""
        self.type(f"{typed}\t\n")
        self.expect(f"<{re.escape(to)}>")

    def end(self):
        self.p.kill()
        self.p.wait()
        os.close(self.master)


def furnish(bench, place):
    """A model of its own, and voices."""
    for args in (["model", "import", "--name", "tiny", bench.fast_model()],
                 ["voice", "import", "-m", "tiny",
                  os.path.join(os.path.dirname(bench.fast_model()), "voices", "short.npz"), "anna"]):
        place.run([bench.barkctl, *args])
    os.makedirs(place.path("config", "barkd"))
    with open(place.path("config", "barkd", "barkd.ini"), "w") as f:
        f.write("[model]\nname = tiny\n")


def try_all(shell):
    """Commands, verbs, options, values, models, voices."""
    for typed, to in (("barkctl stat", "status"), ("barkctl doc", "doctor"),
                      ("barkctl help mod", "help model"), ("barkctl model ver", "model verify"),
                      ("barkctl notify pau", "notify pause"),
                      ("barkctl model fetch --voi", "model fetch --voices"),
                      ("barkctl model verify ti", "model verify tiny"),
                      ("barkctl voice remove an", "voice remove anna"),
                      ("barkctl say --prio", "say --priority"),
                      ("barkctl say --priority noti", "say --priority notification"),
                      ("barkctl say -v an", "say -v anna"),
                      ("barkctl render -m ti", "render -m tiny"),
                      ("barkctl render -m tiny -v an", "render -m tiny -v anna"),
                      ("barkctl render --precision bf", "render --precision bf16")):
        shell.completes(typed, to)


@test("bash")
def bash(bench):
    need("bash")
    with Place() as place:
        furnish(bench, place)
        try_all(Shell(bench, place, ["bash", "--norc", "--noprofile", "-i"],
                      f". {SOURCE}/barkctl.bash", "PROMPT_COMMAND=",
                      # Functions that complete run in the same shell.
                      'barkctl() { if [ -n "$COMP_LINE" ]; then command barkctl "$@";'
                      ' else printf "<%s>\\n" "$*"; fi; }'))


@test("zsh")
def zsh(bench):
    need("zsh")
    with Place() as place:
        furnish(bench, place)
        shell = Shell(bench, place, ["zsh", "-f", "-i"], f"fpath=({SOURCE} $fpath)",
                      "autoload -Uz compinit", "compinit -D -u", "unsetopt zle_bracketed_paste",
                      'barkctl() { if [[ -n $compstate ]]; then command barkctl "$@";'
                      ' else print -r -- "<$*>"; fi; }')
        try_all(shell)


@test("fish")
def fish(bench):
    need("fish")
    with Place() as place:
        furnish(bench, place)

        def complete(line):
            r = place.run(["fish", "--no-config", "-c",
                           f"source {SOURCE}/barkctl.fish; complete -C '{line}'"],
                          env={"PATH": os.path.dirname(bench.barkctl) + ":" + os.environ["PATH"]})
            assert r.stderr == "", r.stderr
            return [entry.split("\t")[0] for entry in r.stdout.splitlines()]

        for line, want in (("barkctl stat", "status"), ("barkctl model ver", "verify"),
                           ("barkctl help mod", "model"), ("barkctl notify pau", "pause"),
                           ("barkctl model fetch --voi", "--voices"),
                           ("barkctl model verify ti", "tiny"),
                           ("barkctl voice remove an", "anna"),
                           ("barkctl say --prio", "--priority"),
                           ("barkctl say --priority noti", "notification"),
                           ("barkctl say -v an", "anna"), ("barkctl render -m ti", "tiny"),
                           ("barkctl render -m tiny -v an", "anna"),
                           ("barkctl render --precision bf", "bf16")):
            assert complete(line) == [want], (line, complete(line))
        assert set(complete("barkctl ")) >= {"say", "stop", "doctor", "model", "help"}
        assert "status" not in complete("barkctl say ")


@test("completions-whole")
def whole(bench):
    """Every option that help names is offered, in every shell's list."""
    with Place() as place:
        for name in "barkctl.bash", "_barkctl", "barkctl.fish":
            with open(os.path.join(SOURCE, name)) as f:
                text = f.read()
            for command in "model", "voice":
                told = place.run([bench.barkctl, "help", command]).stdout
                missing = set(re.findall(r"--[a-z][a-z-]+", told)) - \
                    set(re.findall(r"--[a-z][a-z-]+", text))
                assert not missing, (name, command, missing)
        with contextlib.suppress(FileNotFoundError):
            place.run(["zsh", "-n", os.path.join(SOURCE, "_barkctl")])
        place.run(["bash", "-n", os.path.join(SOURCE, "barkctl.bash")])

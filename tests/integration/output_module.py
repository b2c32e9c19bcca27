# SPDX-License-Identifier: MIT
"""Speech Dispatcher's output module, spoken to as the server does."""
from servers import need

ENDS = ("702 ", "703 ", "704 ")


class Module:
    """A running sd_barkd."""

    def __init__(self, bench, place):
        need(bench.sd_barkd)
        self.p = place.start([bench.sd_barkd, place.path("barkd.conf")], stdin=True)
        self.seen = 0

    def ask(self, *lines):
        for line in lines:
            self.p.say(line)

    def expect(self, prefix, timeout=60):
        self.seen, line = self.p.expect(prefix, self.seen, timeout)
        return line

    def speak(self, text, command="SPEAK"):
        self.ask(command, text, ".")

    def settle(self):
        """All that the module had to say was read."""
        self.ask("DEBUG OFF")
        self.expect("200 OK DEBUGGING OFF")

    def events(self):
        return [line for line in self.p.out if line[:2] == "70"]

    def check(self):
        """Begin, then one end a message; nothing else."""
        inside = False
        for line in self.p.out:
            if line == "200 OK SPEAKING":
                assert not inside, "a message before the end of the last"
                inside = "asked"
            elif line == "701 BEGIN":
                assert inside == "asked", "701 out of place"
                inside = "begun"
            elif line.startswith(ENDS):
                assert inside == "begun", "a stray " + line
                inside = False
            elif line.startswith("700"):
                assert inside == "begun", "a stray " + line
        return inside

    def quit(self):
        self.ask("QUIT")
        self.expect("210 OK QUIT")
        assert self.p.end(0) == 0

# SPDX-License-Identifier: MIT
"""barkd-notify on a private bus, with a real notification daemon (dunst) and
notify-send."""
import contextlib
import json
import os
import signal
import time

from daemon import Daemon
from harness import switches, test
from servers import Place, need, wait_for


class Desk:
    """A bus, a display, dunst, barkd and barkd-notify."""

    def __init__(self, bench, place, settings=""):
        need("dbus-daemon", "dunst", "notify-send", "Xvfb", "gdbus", bench.notify)
        self.bench, self.place = bench, place
        bus = "unix:path=" + place.path("bus")
        self.bus = place.start(["dbus-daemon", "--session", "--nofork", "--print-address=1",
                                "--address=" + bus])
        self.bus.expect("unix:")
        place.env["DBUS_SESSION_BUS_ADDRESS"] = bus
        xvfb = place.start(["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24",
                            "-nolisten", "tcp"])
        wait_for("display", lambda: xvfb.poll_lines(.1) or xvfb.out)
        place.env["DISPLAY"] = ":" + xvfb.out[0].strip()
        self.dunst = place.start(["dunst", "-conf", "/dev/null"])
        wait_for("dunst", lambda: self.owned("org.freedesktop.Notifications"))
        self.daemon = Daemon(bench, place, bench.fast_model(), {
            "output": {"sink": "file", "target": place.path("sound.wav")}}).start()
        # What was asked for is looked at, so it must stay.
        self.daemon.post("/v1/pause")
        self.ini = place.path("config", "barkd", "notify.ini")
        os.makedirs(os.path.dirname(self.ini))
        self.settings(settings)
        place.env["BARKD_SOCKET"] = self.daemon.socket
        self.notify = self.run_notify()

    def run_notify(self):
        p = self.place.start([self.bench.notify, "--verbose"])
        wait_for("barkd-notify", lambda: self.monitors())
        return p

    def settings(self, text):
        with open(self.ini, "w") as f:
            f.write(text)

    def call(self, *args):
        return self.place.run(["gdbus", "call", "--session", *args]).stdout

    def owned(self, name):
        return "true" in self.call(
            "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus",
            "--method", "org.freedesktop.DBus.NameHasOwner", name)

    def monitors(self):
        """Whether a notification reaches barkd-notify."""
        before = len(self.seen())
        self.send("-u", "low", "probe")
        time.sleep(.05)
        return len(self.seen()) > before

    def seen(self):
        """What barkd-notify decided, a line a notification."""
        return [line for line in self.place.log("barkd-notify", 1 << 20).splitlines()
                if ": a notification: " in line]

    def send(self, *args):
        self.place.run(["notify-send", "-a", "Mail", *args])

    def waiting(self):
        return [(u["text"], u["priority"]) for u in self.daemon.get("/v1/queue")["waiting"]]

    def after(self, *args, verdict="spoken"):
        """Sends a notification and returns what barkd has been asked for."""
        before = len(self.seen())
        self.send(*args)
        wait_for("notification", lambda: len(self.seen()) > before)
        assert self.seen()[before].endswith(": a notification: " + verdict), self.seen()[before:]
        if verdict == "spoken":
            wait_for("request", self.waiting)
        return self.waiting()

    def flush(self):
        self.daemon.stop()
        self.daemon.post("/v1/pause")


@contextlib.contextmanager
def desk(bench, settings=""):
    with Place() as place:
        d = Desk(bench, place, settings)
        yield d
        assert d.notify.end() == 0
        assert d.daemon.end() == 0


@test("notify")
def spoken(bench):
    """Notifications are asked for as one would say them, by their urgency;
    nothing of them is logged."""
    with desk(bench) as d:
        assert d.after("Secret news", "<b>Hello</b> &amp; good day\nhttps://www.example.org/x?y") \
            == [("Mail: Secret news. Hello & good day example.org", "notification")]
        d.flush()
        assert d.after("-u", "critical", "Battery", "Two percent.") \
            == [("Mail: Battery. Two percent.", "message")]
        d.flush()
        assert d.after("-u", "low", "Joined", verdict="its urgency") == []
        d.after("Secret news", "Hello again")
        d.flush()
        # It is shown as well: nothing was taken away.
        assert "uint32 0" not in d.call(
            "--dest", "org.freedesktop.Notifications", "--object-path",
            "/org/freedesktop/Notifications", "--method",
            "org.freedesktop.DBus.Properties.Get", "org.dunstproject.cmd0", "displayedLength")
        log = d.place.log("barkd-notify") + d.daemon.log()
        assert "Secret" not in log and "Battery" not in log, log
        # The voice is heard when nobody holds it.
        d.daemon.post("/v1/resume")
        before = d.daemon.status()["counters"]["spoken"]
        d.send("Heard")
        wait_for("speech", lambda: d.daemon.status()["counters"]["spoken"] > before, 60)


@test("notify-repeats")
def repeats(bench):
    """Repeats, progress that replaces itself, and GNOME's second delivery are
    said once."""
    with desk(bench) as d:
        d.after("News", "Hello")
        d.after("News", "Hello", verdict="said a moment ago")
        d.flush()
        for i, verdict in enumerate(["spoken"] + ["said a moment ago"] * 3):
            d.after("-r", "77", "Copying", f"{i * 30 + 7} %", verdict=verdict)
        d.flush()
        d.after("-h", "string:x-shell-sender::1.9", "Again", verdict="delivered a second time")
        d.after("-h", "boolean:suppress-sound:true", "Hush", verdict="it asks for no sound")
        # Nonsense in hints is no reason to fall over.
        d.after("-h", "string:urgency:high", "-h", "int:desktop-entry:3", "-h",
                "int:suppress-sound:1", "Odd")
        for _ in range(30):
            d.send("x" * 10000, "<b" * 5000)
        d.flush()
        d.after("Still there")


@test("notify-quiet")
def quiet(bench):
    """A pause, do not disturb, the lock screen and a screen reader are
    respected, and followed without a restart."""
    with desk(bench) as d:
        run = lambda *args: d.place.run([bench.barkctl, "notify", *args]).stdout
        assert "are spoken" in run("status")
        run("pause", "1h")
        d.after("One", verdict="paused")
        told = json.loads(run("status", "--json"))
        assert told["paused"] and 3500 < told["until"] - time.time() <= 3600, told
        # Over a restart.
        assert d.notify.end() == 0
        d.notify = d.run_notify()
        d.after("Two", verdict="paused")
        run("resume")
        d.after("Three")
        d.flush()
        for wrong in ["pause", "tomorrow"], ["pause", "1h", "2h"], ["maybe"]:
            r = d.place.run([bench.barkctl, "notify", *wrong], check=False)
            assert r.returncode == 2 and r.stderr.count("\n") == 1, r

        def dunst(paused):
            d.call("--dest", "org.freedesktop.Notifications", "--object-path",
                   "/org/freedesktop/Notifications", "--method",
                   "org.freedesktop.DBus.Properties.Set", "org.dunstproject.cmd0", "paused",
                   f"<{paused}>")
            time.sleep(.2)

        dunst("true")
        d.after("Four", verdict="do not disturb")
        d.after("-u", "critical", "Five")
        d.flush()
        dunst("false")
        d.after("Six")


@test("notify-settings")
def settings(bench):
    """Rules for applications; a reload; a mistake keeps the old ones."""
    with desk(bench, "[app Mai?]\ntemplate = {summary}\nnormal = message\n"
              "[app Game]\nspeak = no\n") as d:
        assert d.after("One", "Body") == [("One", "message")]
        d.flush()
        d.place.run(["notify-send", "-a", "Game", "Level up"])
        wait_for("verdict", lambda: d.seen()[-1].endswith("the application's rule"))
        d.settings("[notify]\nothers = no\nlow = nonsense\n")
        os.kill(d.notify.pid, signal.SIGHUP)
        wait_for("complaint", lambda: "notify.ini:3" in d.place.log("barkd-notify"))
        assert d.after("Two") == [("Two", "message")]
        d.flush()
        d.settings("[notify]\nothers = no\n")
        os.kill(d.notify.pid, signal.SIGHUP)
        time.sleep(.3)
        d.after("Three", verdict="the application's rule")


@test("notify-flood")
def flood(bench):
    """A flood of one program silences neither others nor what is critical; what
    comes together is heard one after the other, and interrupts nothing."""
    with desk(bench) as d:
        for i in range(30):
            d.send("Flood", f"number {i}.")
        wait_for("verdicts", lambda: sum("too many" in line for line in d.seen()) >= 20)
        d.send("-a", "Chat", "Hello")
        assert ("Mail: Battery. Two percent.", "message") in \
            d.after("-u", "critical", "Battery", "Two percent.")
        waiting = d.waiting()
        assert waiting[0] == ("Mail: Battery. Two percent.", "message"), waiting
        assert ("Chat: Hello.", "notification") in waiting, waiting
        assert [t for t, _ in waiting[1:4]] == [
            f"Mail: Flood. number {i}." for i in range(3)], waiting
        d.flush()

        # Two of them together, and one that is critical, while a text is read.
        before = d.daemon.status()["counters"]
        d.daemon.post("/v1/resume")
        reading = d.daemon.speak_later("This is a text that somebody has read to him. " * 3)
        wait_for("reading", lambda: d.daemon.status()["state"] == "speaking", 60)
        d.send("Dinner", "It is ready.")
        d.send("Doors", "They are open.")
        d.send("-u", "critical", "Battery", "One percent.")
        assert reading.state() == "done"
        wait_for("speech", lambda: d.daemon.status()["counters"]["spoken"] >=
                 before["spoken"] + 4, 60)
        assert d.daemon.status()["counters"]["dropped"] == before["dropped"]


@test("notify-names")
def names(bench):
    """Of a program's own name and its desktop entry's, the one for people is
    said."""
    with desk(bench) as d:
        folder = os.path.join(d.place.env["XDG_DATA_HOME"], "applications")
        os.makedirs(folder)
        with open(os.path.join(folder, "org.example.SoftStore.desktop"), "w") as f:
            f.write("[Desktop Entry]\nType=Application\nName=Store\nName[de]=Laden\n"
                    f"Exec=/nowhere\nComment={'x' * 5000}\n")

        def said(*args):
            before = len(d.seen())
            d.place.run(["notify-send", *args])
            wait_for("notification", lambda: len(d.seen()) > before)
            (text, _), = wait_for("request", d.waiting)
            d.flush()
            return text

        entry = ["-h", "string:desktop-entry:org.example.SoftStore"]
        assert said("-a", "org.example.SoftStore", "One") == "Store: One."
        assert said("-a", "notify-send", *entry, "Two") == "Store: Two."
        assert said("-a", "soft-store", *entry, "Three") == "Store: Three."
        assert said("-a", "", *entry, "Four") == "Store: Four."
        assert said("-a", "Soft Store", *entry, "Five") == "Soft Store: Five."
        assert said("-a", "notify-send", "Six") == "Six."
        assert said("-a", "org.example.Clock", "Seven") == "Clock: Seven."
        assert said("-a", "notify-send", "-h", "string:desktop-entry:../../x", "Eight") == "Eight."


@test("notify-orca")
def orca(bench):
    """Orca that was started by its command sets no flag of the desktop; it is
    seen all the same, and gone when it ends."""
    need("orca")
    with desk(bench) as d:
        d.after("Before")
        d.flush()
        orca = d.place.start(["orca", "--replace"])

        def silent(number):
            d.send(f"number {number()}")
            time.sleep(.2)
            return d.seen()[-1].endswith("a screen reader speaks it")

        count = iter(range(1000)).__next__
        wait_for("verdict", lambda: silent(count), 60)
        d.flush()
        orca.end(signal.SIGKILL)
        wait_for("verdict", lambda: not silent(count), 30)


@test("notify-alone")
def alone(bench):
    """Without barkd notifications are let go, not kept, and heard again when it
    is back; without a bus it says why it ends; idle, it sleeps."""
    with desk(bench) as d:
        assert d.daemon.end() == 0
        d.send("Lost")
        wait_for("complaint", lambda: "barkd" in d.place.log("barkd-notify").split(
            "notification: spoken")[-1] and "notification: spoken" in d.place.log("barkd-notify"))
        d.daemon.start()
        d.daemon.post("/v1/pause")
        assert d.after("Back") == [("Mail: Back.", "notification")]
        # What belongs to the last notification may take a moment.
        wait_for("two seconds without a wake-up", lambda: asleep(d.notify.pid, 2))
        r = d.place.run([bench.notify], check=False, env={
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"})
        assert r.returncode == 1 and "session bus" in r.stderr, r


def asleep(pid, seconds):
    before = switches(pid)
    time.sleep(seconds)
    return switches(pid) == before

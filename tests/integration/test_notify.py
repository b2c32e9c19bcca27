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

# SPDX-License-Identifier: MIT
"""The units under a service manager: a private `systemd --user`."""
import contextlib
import glob
import json
import os
import stat

from daemon import Daemon
from harness import test
from servers import Missing, Place, need, wait_for
from stage import LONG, SHORT

SYSTEMD = "/usr/lib/systemd/systemd"
# The manager in a control group of its own, with nothing of the system's own
# manager in sight: that may be absent, or is not to be disturbed.
ENTER = """echo $$ > "$1/cgroup.procs" && exec unshare -m -C sh -ec '
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec "$@"' sh "$2" --user --unit=basic.target"""


def make_group(place):
    """A new control group of the second version, removed with the place."""
    for top in "/sys/fs/cgroup", "/sys/fs/cgroup/unified":
        path = os.path.join(top, os.path.basename(place.dir))
        if os.path.exists(os.path.join(top, "cgroup.procs")):
            with contextlib.suppress(OSError):
                os.mkdir(path)
                place.cleanups.append(lambda: remove_group(path))
                return path
    raise Missing("no control group can be made")


def remove_group(path):
    with contextlib.suppress(OSError), open(path + "/cgroup.kill", "w") as f:
        f.write("1")
    wait_for("end of " + path, lambda: "populated 0" in open(path + "/cgroup.events").read())
    for folder, _, _ in os.walk(path, topdown=False):
        os.rmdir(folder)


class Unit(Daemon):
    """barkd as its units have it, speaking into a file."""

    def __init__(self, bench, place):
        super().__init__(bench, place, bench.fast_model())
        os.makedirs(place.path("config/barkd"))
        self.ini = place.path("config/barkd/barkd.ini")
        self.sound = place.path("speech.wav")
        self.set()

    def set(self, **service):
        self.configure({"output": {"sink": "file", "target": self.sound},
                        "service": service})

    def ctl(self, *args, **more):
        return self.place.run(["systemctl", "--user", *args], **more)

    def show(self, key, unit="barkd.service"):
        return self.ctl("show", "-P", key, unit).stdout.strip()

    def active(self):
        return self.show("ActiveState") == "active"

    def say(self, *args):
        self.place.run([self.bench.barkctl, "say", *args])


def install(bench, place):
    """The units of the source, for programs that are not installed."""
    folder = place.path("config/systemd/user")
    os.makedirs(folder + "/barkd.service.d")
    for path in glob.glob(bench.units + "/barkd*"):
        with open(path) as f:
            text = f.read().replace("@bindir@/barkctl", bench.barkctl)
        name = os.path.basename(path).removesuffix(".in")
        with open(os.path.join(folder, name), "w") as f:
            f.write(text.replace("@bindir@/barkd", bench.barkd))
    with open(folder + "/barkd.service.d/watchdog.conf", "w") as f:
        f.write("[Service]\nWatchdogSec=5\n")


@contextlib.contextmanager
def managed(bench):
    need("systemctl", "unshare", "mount")
    if os.geteuid() or not os.path.exists(SYSTEMD):
        raise Missing("a private service manager needs systemd and root")
    with Place() as place:
        unit = Unit(bench, place)
        install(bench, place)
        manager = place.start(["sh", "-c", ENTER, "sh", make_group(place), SYSTEMD], env={
            "SYSTEMD_UNIT_PATH": place.path("config/systemd/user") + ":/usr/lib/systemd/user"})
        socket = place.path("systemd/private")
        wait_for("service manager", lambda: os.path.exists(socket) or not manager.alive())
        if not manager.alive():
            raise Missing("no service manager: " + " ".join(place.log("sh").split())[-200:])
        unit.ctl("start", "barkd.socket")
        yield unit


@test("unit-activation")
def unit_activation(bench):
    """The socket alone starts barkd; the greeting speaks; an end leaves nothing."""
    with managed(bench) as unit:
        assert stat.S_IMODE(os.stat(unit.socket).st_mode) == 0o600
        assert not unit.active()
        unit.say("--wait", SHORT)
        assert unit.active() and os.path.getsize(unit.sound) > 1000
        unit.ctl("start", "barkd-greeting")
        wait_for("greeting", lambda: unit.status()["counters"]["spoken"] == 2, 120)
        pid = unit.show("MainPID")
        unit.ctl("stop", "barkd.socket", "barkd.service")
        assert unit.show("Result") == "success"
        assert not os.path.exists(unit.socket) and not os.path.exists("/proc/" + pid)


@test("unit-reload")
def unit_reload(bench):
    """A good configuration is taken; a bad one is refused, and systemctl says so."""
    with managed(bench) as unit:
        unit.say(SHORT)
        unit.set(queue_length=7)
        unit.ctl("reload", "barkd")
        wait_for("new configuration", lambda: unit.status()["queue"]["limit"] == 7)
        unit.set(queue_length="many")
        assert unit.ctl("reload", "barkd", check=False).returncode
        assert unit.active() and unit.status()["queue"]["limit"] == 7


@test("unit-watchdog")
def unit_watchdog(bench):
    """A barkd that hangs is replaced, and who asks meanwhile is served."""
    with managed(bench) as unit:
        unit.say("--wait", SHORT)
        unit.ctl("kill", "-s", "STOP", "barkd")
        wait_for("restart", lambda: int(unit.show("NRestarts")) > 0, 60)
        unit.say("--wait", SHORT)
        assert unit.active()


@test("unit-replaced")
def unit_replaced(bench):
    """No request is refused while one barkd ends and the next begins."""
    with managed(bench) as unit:
        for _ in range(2):
            unit.say(LONG)
            unit.ctl("--no-block", "restart", "barkd")
            for _ in range(20):
                unit.say(SHORT)
        unit.set(exit_idle_s=3)
        unit.ctl("reload", "barkd")
        unit.say("--wait", SHORT)
        wait_for("end for want of work", lambda: not unit.active(), 60)
        unit.say("--wait", SHORT)
        assert unit.show("NRestarts") == "0"


@test("unit-doctor")
def unit_doctor(bench):
    """barkctl doctor knows the units: whether they are enabled, active, failed."""
    with managed(bench) as unit:
        def units():
            r = unit.place.run([bench.barkctl, "doctor", "--json"], check=False)
            return [(c["state"], c["found"], c.get("advice", ""))
                    for c in json.loads(r.stdout)["checks"] if c["check"] == "units"]

        (state, text, advice), (service, _, _), *_ = units()
        assert state == "warn" and "barkd.socket is disabled and active" in text, text
        assert advice == "systemctl --user enable --now barkd.socket"
        assert service == "ok"
        unit.ctl("enable", "barkd.socket")
        assert units()[0][:2] == ("ok", "barkd.socket is enabled, active"), units()
        unit.set(queue_length="many")
        unit.ctl("stop", "barkd.socket", "barkd.service")
        unit.ctl("start", "barkd.service", check=False)
        wait_for("failure", lambda: unit.show("ActiveState") == "failed", 60)
        state, text, advice = units()[1]
        assert state == "fail" and "barkd.service has failed" in text
        assert "systemctl --user status barkd.service" in advice

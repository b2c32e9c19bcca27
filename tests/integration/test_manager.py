# SPDX-License-Identifier: MIT
"""The units under a service manager: a private `systemd --user`."""
import contextlib
import glob
import json
import os
import pwd
import re
import signal
import socket
import stat
import time

from daemon import Daemon
from harness import Recorder, make_server, test
from servers import Missing, Place, need, wait_for
from stage import LONG, SHORT, start_server

SYSTEMD = "/usr/lib/systemd/systemd"
# The manager in a control group of its own, with nothing of the system's own
# manager in sight: that may be absent, or is not to be disturbed.
ENTER = """echo $$ > "$1/cgroup.procs" && exec unshare -m -C sh -ec '
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/systemd/unit-root /run/user
ln -s "$XDG_RUNTIME_DIR" "/run/user/$(stat -c %u "$XDG_RUNTIME_DIR")"
ln -s "$XDG_RUNTIME_DIR/systemd/inaccessible" /run/systemd/inaccessible
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec "$@"' sh $3 "$2" --user --unit=basic.target"""


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
        self.output = {"sink": "file", "target": self.sound}
        self.set()

    def set(self, **service):
        self.configure({"output": self.output, "service": service})

    def ctl(self, *args, **more):
        return self.place.run(["systemctl", "--user", *args], **more)

    def show(self, key, unit="barkd.service"):
        return self.ctl("show", "-P", key, unit).stdout.strip()

    def active(self):
        return self.show("ActiveState") == "active"

    def crash(self):
        """Returns which process it was."""
        pid = self.show("MainPID")
        os.kill(int(pid), signal.SIGKILL)
        wait_for("end of " + pid, lambda: not os.path.exists("/proc/" + pid))
        return pid

    def say(self, *args):
        self.place.run([self.bench.barkctl, "say", *args])


def install(bench, folder):
    """The units of the source, for programs that are not installed."""
    programs = {"barkctl": bench.barkctl, "barkd-notify": bench.notify,
                "barkd-spiel": bench.spiel, "barkd-wyoming": bench.wyoming, "barkd": bench.barkd}
    os.makedirs(folder)
    for path in glob.glob(bench.units + "/barkd*"):
        with open(path) as f:
            text = f.read()
        for name, program in programs.items():
            text = text.replace("@bindir@/" + name, program)
        name = os.path.basename(path).removesuffix(".in")
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)


def drop_in(place, unit, name, text):
    folder = place.path("config/systemd/user", unit + ".d")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".conf"), "w") as f:
        f.write(text)


def hand_to_user(place):
    """What was written as root is the user's."""
    uid = place.user.get("user")
    for folder, names, files in os.walk(place.dir):
        for path in [folder] + [os.path.join(folder, n) for n in names + files]:
            os.chown(path, uid, uid, follow_symlinks=False)


@contextlib.contextmanager
def managed(bench, uid=None):
    """Units under a service manager of their own; uid: an ordinary user's."""
    need("systemctl", "unshare", "mount", "setpriv")
    if os.geteuid() or not os.path.exists(SYSTEMD):
        raise Missing("a private service manager needs systemd and root")
    with Place(uid) as place:
        unit = Unit(bench, place)
        install(bench, place.path("config/systemd/user"))
        drop_in(place, "barkd.service", "watchdog", "[Service]\nWatchdogSec=5\n")
        group, enter = make_group(place), ""
        if uid is not None:
            if place.run([bench.barkd, "--version"], check=False).returncode:
                raise Missing("other users cannot run what was built")
            hand_to_user(place)
            for name in "", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads":
                os.chown(os.path.join(group, name), uid, uid)
            enter = f"setpriv --reuid={uid} --regid={uid} --clear-groups --inh-caps=-all"
        manager = place.start(["sh", "-c", ENTER, "sh", group, SYSTEMD, enter], env={
            "SYSTEMD_UNIT_PATH": place.path("config/systemd/user") + ":/usr/lib/systemd/user"},
            user={})
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


@test("unit-crashes")
def unit_crashes(bench):
    """However often barkd crashes, it comes back by itself, after longer and longer
    waits, and who asks meanwhile is served."""
    with managed(bench) as unit:
        unit.say("--wait", SHORT)
        waits = []
        for _ in range(7):
            pid = unit.crash()
            began = time.monotonic()
            unit.say(SHORT)
            waits.append(time.monotonic() - began)
            assert unit.active() and unit.show("MainPID") != pid
        assert min(waits[-2:]) > 1.5 * max(waits[:2]), waits
        # An orderly restart, as of an upgrade, is none of the series.
        unit.ctl("restart", "barkd")
        began = time.monotonic()
        unit.say("--wait", SHORT)
        assert time.monotonic() - began < max(waits), waits
        return "back after " + ", ".join(f"{w:.1f}" for w in waits) + " s"


@test("unit-mistake")
def unit_mistake(bench):
    """A mistake in the configuration is tried again and again, and barkd speaks soon
    after it has been put right."""
    with managed(bench) as unit:
        unit.set(queue_length="many")
        unit.ctl("start", "--no-block", "barkd")
        wait_for("some starts", lambda: int(unit.show("NRestarts") or 0) >= 6, 90)
        unit.set()
        unit.say("--wait", SHORT)
        assert unit.active()


@test("unit-triggered")
def unit_triggered(bench):
    """A service that ends at once, however often it is asked for, leaves the socket open."""
    with managed(bench) as unit:
        # It ends without a failure, so it is started for the client who still waits.
        drop_in(unit.place, "barkd.service", "end", "[Service]\nType=exec\nWatchdogSec=0\n"
                "ExecStart=\nExecStart=/bin/true\n")
        unit.ctl("daemon-reload")
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(unit.socket)
            time.sleep(6)
            state = unit.show("ActiveState", "barkd.socket")
            assert state == "active", f"the socket is {state}"
            os.unlink(unit.place.path("config/systemd/user/barkd.service.d/end.conf"))
            unit.ctl("daemon-reload")
            unit.say("--wait", SHORT)


@test("unit-kept")
def unit_kept(bench):
    """Texts that were accepted and not begun are spoken after a restart, once and in
    their order; who waited is told, and what was stopped stays so."""
    with managed(bench) as unit:
        unit.say("--wait", SHORT)
        unit.post("/v1/pause")
        ids = [unit.speak(f"{SHORT} {i}", priority="message", rate=2, tag=f"t{i}",
                          seed=2 ** 62 + i)["id"] for i in range(5)]
        stopped = ids.pop(2)
        unit.post("/v1/stop", id=stopped)
        waiter = unit.speak_later(SHORT, priority="message")
        wait_for("the waiter", lambda: len(unit.get("/v1/queue")["waiting"]) == 5)
        before = unit.get("/v1/queue")["waiting"][:-1]
        unit.ctl("restart", "barkd")
        assert waiter.state(20) == "stopped", waiter.answer
        after = unit.get("/v1/queue")
        assert after["paused"] and after["current"] is None, after
        assert after["waiting"] == before and [w["id"] for w in before] == ids, after
        assert unit.speak(SHORT, priority="message")["id"] > max(ids)
        unit.post("/v1/resume")
        unit.wait_idle()
        assert unit.status()["counters"]["spoken"] == 5
        # Nothing is kept twice, nor on a disk, nor over a stop.
        unit.ctl("restart", "barkd")
        assert unit.get("/v1/queue") == {"paused": False, "current": None, "waiting": []}
        unit.post("/v1/pause")
        unit.speak(SHORT)
        unit.ctl("stop", "barkd")
        unit.say(SHORT)
        unit.wait_idle()
        assert unit.status()["counters"]["spoken"] == 1


@test("unit-kept-crash")
def unit_kept_crash(bench):
    """What a crash leaves is not spoken again: it may be what barkd crashed of."""
    with managed(bench) as unit:
        unit.say("--wait", SHORT)
        unit.post("/v1/pause")
        unit.speak(SHORT)
        unit.crash()
        assert unit.get("/v1/queue")["waiting"] == []


def exposure(place, path):
    said = place.run(["systemd-analyze", "security", "--offline=true", "--no-pager", path],
                     check=False).stdout
    found = re.search(r"exposure level for \S+ ([\d.]+)", said)
    if not found:
        raise Missing("systemd-analyze cannot judge a file")
    return float(found[1])


@test("unit-exposure")
def unit_exposure(bench):
    """What systemd-analyze thinks of the units, with strict.conf and without, and that
    it knows each of their settings."""
    need("systemd-analyze")
    with open(bench.units + "/strict.conf") as f:
        strict = f.read()
    with Place() as place:
        install(bench, place.path("units"))
        paths = sorted(glob.glob(place.path("units/*")))
        services = [p for p in paths if p.endswith(".service")]
        plain = {os.path.basename(p): exposure(place, p) for p in services}
        r = place.run(["systemd-analyze", "--user", "verify", "--man=no", *paths], check=False,
                      env={"SYSTEMD_LOG_LEVEL": "warning"})
        assert "barkd" not in r.stderr, r.stderr
        for path in services:
            with open(path, "a") as f:
                f.write("\n" + strict)
        full = {os.path.basename(p): exposure(place, p) for p in services}
    assert max(plain.values()) < 6, plain
    assert full["barkd.service"] <= 3 and max(full.values()) <= 4, full
    return f"{plain}; with strict.conf {full}"


def ordinary(kind, strict):
    """An ordinary user's units play to a real audio server."""
    def run(bench):
        # One whom the system knows: a session bus asks for the name.
        uid = pwd.getpwnam("games").pw_uid
        with managed(bench, uid) as unit:
            place = unit.place
            if strict:
                if place.run(["unshare", "-Urm", "true"], check=False).returncode:
                    raise Missing("users may not make namespaces")
                for name in "barkd", "barkd-greeting":
                    with open(bench.units + "/strict.conf") as f:
                        drop_in(place, name + ".service", "strict", f.read())
            server = make_server(kind, place)
            unit.ctl("set-environment", *(f"{k}={place.env[k]}" for k in place.env
                                          if k.startswith(("JACK_", "BARKD_", "DBUS_"))))
            unit.output = {"sink": kind, **({"target": "test-record:in_1"} if kind == "jack"
                                            else {"latency": 256})}
            unit.set()
            hand_to_user(place)
            unit.ctl("daemon-reload")
            start_server(server, kind)
            recorder = Recorder(bench, place, server)
            unit.say("--wait", SHORT)
            recorder.sound()
            recorder.quiet()
            unit.ctl("start", "barkd-greeting")
            recorder.sound(120)
            with open(f"/proc/{unit.show('MainPID')}/uid_map") as f:
                assert (f.read().split()[:2] == [str(uid)] * 2) == strict
            assert os.stat(f"/proc/{unit.show('MainPID')}").st_uid == uid
    return run


for _kind in "pipewire", "jack":
    for _strict in False, True:
        test(f"unit-ordinary-{_kind}" + "-strict" * _strict)(ordinary(_kind, _strict))


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
        unit.ctl("start", "--no-block", "barkd.service")
        wait_for("failure", lambda: unit.show("SubState") == "auto-restart", 60)
        state, text, advice = units()[1]
        assert state == "fail" and "barkd.service has failed" in text and "again" in text, text
        assert "systemctl --user status barkd.service" in advice

# SPDX-License-Identifier: MIT
"""barkctl doctor: finds what is wrong, and nothing where all is well."""
import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess

from daemon import Daemon
from harness import test
from servers import Jack, PipeWire, Place, wait_for


class Patient:
    def __init__(self, bench, place):
        self.bench, self.place = bench, place
        self.ini = place.path("config", "barkd", "barkd.ini")
        os.makedirs(os.path.dirname(self.ini))
        self.configure(f"[model]\nname = {bench.fast_model()}\n[output]\nsink = file\n"
                       f"target = {place.path('a.wav')}\n")

    def configure(self, text):
        with open(self.ini, "w") as f:
            f.write(text)

    def examine(self, status, **env):
        """{check: [(state, found, advice)]} of a run that ends with status."""
        env.setdefault("SHELL", "/bin/sh")
        r = self.place.run([self.bench.barkctl, "doctor", "--json"], check=False, env=env)
        assert r.returncode == status, (r.returncode, r.stdout, r.stderr)
        answer = json.loads(r.stdout)
        assert answer["ok"] == (status == 0)
        found = {}
        for c in answer["checks"]:
            assert c["state"] == "ok" or c.get("advice") or c["check"] in ("socket", "daemon"), c
            found.setdefault(c["check"], []).append((c["state"], c["found"], c.get("advice", "")))
        return found

    def only(self, check, status, **env):
        """The one finding of a check."""
        finding, = self.examine(status, **env)[check]
        return finding


@contextlib.contextmanager
def patient(bench):
    with Place() as place:
        yield Patient(bench, place)


@test("doctor-well")
def well(bench):
    """All is well: no failure, and the truth about daemon, server and model."""
    with patient(bench) as p:
        PipeWire(p.place).start()
        p.configure(f"[model]\nname = {bench.fast_model()}\n")
        daemon = Daemon(bench, p.place, bench.fast_model()).start()
        daemon.warm()
        found = p.examine(0)
        for check in "configuration", "session", "socket", "data", "daemon", "audio", "sink", \
                "model", "voice", "processor", "memory":
            assert [state for state, _, _ in found[check]] == ["ok"], (check, found[check])
        assert "PipeWire answers" in found["audio"][0][1]
        assert "verified" in found["model"][0][1]
        assert found["socket"][0][1].endswith("barkd.sock, mode 0600")
        os.chmod(daemon.socket, 0o666)
        state, text, _ = p.only("socket", 0)
        assert state == "warn" and "open to others (mode 666)" in text
        assert daemon.end() == 0


@test("doctor-device")
def device(bench):
    """A device that sleeps is named while it is the one in use."""
    with patient(bench) as p:
        server = PipeWire(p.place).start()
        p.configure("[output]\nsink = pipewire\n")
        assert "device" not in p.examine(1)
        for name, kind in (("bluez_output.00_11_22_33_44_55.1", "Bluetooth"),
                           ("alsa_output.usb-Maker_Thing-00.analog-stereo", "USB"),
                           ("alsa_output.pci-0000_01_00.1.hdmi-stereo", "HDMI")):
            server.add_sink(name)
            assert "device" not in p.examine(1), "another one is in use"
            p.configure(f"[output]\nsink = pipewire\ntarget = {name}\n")
            state, text, advice = p.only("device", 1)
            assert state == "warn" and kind in text and "lead_in_ms" in advice, text
            p.configure(f"[output]\nsink = pipewire\ntarget = {name}\nlead_in_ms = 300\n")
            assert p.only("device", 1)[0] == "ok"
            p.configure("[output]\nsink = pipewire\n")
        # The default, too.
        server.remove_sink()
        wait_for("another default", lambda: "device" in p.examine(1))


@test("doctor-ill")
def ill(bench):
    """Each ill is found, as what it is, and there is something to do."""
    with patient(bench) as p:
        state, text, advice = p.only("daemon", 1)
        assert state == "fail" and "barkd" in text
        state, _, advice = p.only("socket", 1)
        assert state == "fail" and "enable --now barkd.socket" in advice
        assert p.only("audio", 1)[0] == "ok"  # a file needs no server
        p.configure("[output]\nsink = pipewire\n")
        state, text, advice = p.only("audio", 1)
        assert state == "fail" and "does not answer" in text and "pipewire" in advice
        p.configure("[output]\nsink = pipeline\n")
        state, text, _ = p.only("configuration", 1)
        assert state == "fail" and "barkd.ini:2: sink must be one of" in text
        p.configure("[model]\nname = nobody\n")
        state, text, advice = p.only("model", 1)
        assert state == "fail" and "'nobody'" in text and "model fetch" in advice
        p.configure("[model]\nvoice = nobody\n")
        state, text, advice = p.only("voice", 1)
        assert state == "fail" and "'nobody'" in text and "voice list" in advice
        model = p.place.path("model")
        shutil.copytree(bench.fast_model(), model)
        p.configure(f"[model]\nname = {model}\n")
        assert p.only("model", 1)[0] == "ok"
        with open(os.path.join(model, "model.safetensors"), "r+b") as f:
            f.seek(600_000)
            f.write(b"\xff" * 4096)
        state, text, _ = p.only("model", 1)
        assert state == "fail" and "finite" in text, text
        p.configure("[http]\ntoken = 0123456789abcdef\n")
        os.chmod(p.ini, 0o644)
        assert p.only("configuration", 1)[0] == "warn"
        os.chmod(p.ini, 0o600)
        assert p.only("configuration", 1)[0] == "ok"
        found = p.examine(1, XDG_RUNTIME_DIR="")
        assert found["session"][0][0] == "fail" and "daemon" not in found
        os.chmod(p.place.dir, 0o755)
        assert p.only("session", 1)[0] == "warn"


@test("doctor-jack")
def jack(bench):
    """JACK alone is enough for sink = auto, and is found by its name."""
    bench.module("jack")
    with patient(bench) as p:
        server = Jack(p.place).start()
        for sink in "jack", "auto":
            p.configure(f"[output]\nsink = {sink}\n")
            found = p.examine(1)["audio"]  # no daemon
            assert "ok" in [state for state, text, _ in found if "JACK answers" in text], found
            assert "fail" not in [state for state, _, _ in found]
        server.server.end(signal.SIGKILL)  # what it left does not answer
        assert p.only("audio", 1)[0] == "fail"


@test("doctor-around")
def around(bench):
    """Speech Dispatcher and the shell's completion."""
    with patient(bench) as p:
        programs = p.place.path("bin")
        modules = p.place.path(".local/libexec/speech-dispatcher-modules")
        for folder in programs, modules, p.place.path("config/speech-dispatcher"):
            os.makedirs(folder)
        conf = p.place.path("config/speech-dispatcher/speechd.conf")

        def reader():
            return p.only("screen reader", 1, PATH=programs)

        assert "not installed" in reader()[1]
        open(os.path.join(programs, "speech-dispatcher"), "w").close()
        if not os.path.exists("/usr/lib/speech-dispatcher-modules/sd_barkd"):
            assert reader()[0] == "warn"
        open(os.path.join(modules, "sd_barkd"), "w").close()
        with open(conf, "w") as f:
            f.write('#AddModule "other" "sd_other"\nDefaultModule barkd\n')
        assert reader()[0] == "ok", reader()
        with open(conf, "a") as f:
            f.write(' AddModule "other" "sd_other" "other.conf"\n')
        state, _, advice = reader()
        assert state == "warn" and 'AddModule "barkd"' in advice
        with open(conf, "a") as f:
            f.write('AddModule "barkd" "sd_barkd" "barkd.conf"\n')
        assert reader()[0] == "ok"
        for shell in "bash", "zsh", "fish":
            assert len(p.examine(1, SHELL="/bin/" + shell)["completion"]) == 1


@test("doctor-shown")
def shown(bench):
    """Lines for people, coloured on a terminal alone."""
    with patient(bench) as p:
        r = p.place.run([bench.barkctl, "doctor"], check=False)
        assert r.returncode == 1 and r.stderr == "" and "\033" not in r.stdout
        assert "\nfail  daemon" in r.stdout and " failures\n" in r.stdout
        for env, coloured in ({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), \
                ({"TERM": "xterm", "NO_COLOR": "1"}, False):
            master, slave = pty.openpty()
            subprocess.run([bench.barkctl, "doctor"], stdout=slave, stdin=subprocess.DEVNULL,
                           env={**p.place.env, **env}, check=False)
            os.close(slave)
            seen = b""
            with contextlib.suppress(OSError):
                while chunk := os.read(master, 65536):
                    seen += chunk
            os.close(master)
            assert (b"\033[32mok" in seen and b"\033[1;31mfail" in seen) == coloured, seen
            assert coloured or b"\033" not in seen

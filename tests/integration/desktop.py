# SPDX-License-Identifier: MIT
"""A display, Speech Dispatcher, Orca and a window to read, all of them real."""
import json
import os
import shutil

import servers
from servers import need, wait_for

WINDOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "window.py")

# What Orca 43 and 48 read of user-settings.conf beyond their defaults.
ORCA = {
    "speechServerFactory": "speechdispatcherfactory", "speechServerInfo": ["barkd", "barkd"],
    "enableBraille": False, "enableSound": False, "enableKeyEcho": True,
    # Control silences and says nothing itself.
    "enableModifierKeys": False, "startingProfile": ["Default", "default"],
}


def display(place):
    """Starts an X server of its own."""
    need("Xvfb")
    p = place.start(["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"])
    _, number = p.expect("")
    place.env.update(DISPLAY=":" + number.strip(), GSETTINGS_BACKEND="memory",
                     LIBGL_ALWAYS_SOFTWARE="1")


class Dispatcher:
    """The real Speech Dispatcher with our module as its only one. What is
    started later in the same place finds it. symbols: it replaces them before
    the module gets a text, as it does where its own configuration is used."""

    def __init__(self, bench, place, symbols=False):
        need("speech-dispatcher")
        conf = place.path("speechd")
        os.makedirs(os.path.join(conf, "modules"), exist_ok=True)
        with open(os.path.join(conf, "speechd.conf"), "w") as f:
            f.write(f'LogLevel 3\nLogDir "{conf}"\nDefaultVolume 100\n'
                    f'AudioOutputMethod "pulse"\n'
                    f'AddModule "barkd" "{bench.sd_barkd}" "barkd.conf"\n'
                    'DefaultModule barkd\n')
            if symbols:
                f.write('SymbolsPreproc "char"\nSymbolsPreprocFile "symbols.dic"\n'
                        'SymbolsPreprocFile "emojis.dic"\nSymbolsPreprocFile "orca.dic"\n')
        open(os.path.join(conf, "modules", "barkd.conf"), "w").close()
        address = place.path("speechd.sock")
        self.p = place.start(["speech-dispatcher", "-s", "-C", conf, "-S", address,
                              "-P", place.path("speechd.pid"), "-L", conf, "-t", "0"])
        wait_for("speech-dispatcher", lambda: os.path.exists(address))
        place.env["SPEECHD_ADDRESS"] = "unix_socket:" + address


class Window:
    """A window with a text to read. It prints where its caret is."""

    def __init__(self, place, text):
        need("xdotool")
        self.place = place
        python = "/usr/bin/python3"
        if place.run([python, "-c", "import gi; gi.require_version('Gtk', '3.0')\n"
                      "from gi.repository import Gtk"], check=False).returncode:
            raise servers.Missing("Python's Gtk is not installed")
        self.p = place.start([python, WINDOW, text])
        self.p.expect("shown")
        _, found = self.place.start(
            ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Letters"]).expect("")
        # No window manager does it.
        self.x = found.split()[0]
        self.place.run(["xdotool", "windowfocus", "--sync", self.x])

    def press(self, *keys):
        self.place.run(["xdotool", "key", *keys])

    def caret(self):
        """The offset in the text."""
        self.p.poll_lines()
        return int([line for line in self.p.out if line.startswith("caret ")][-1].split()[1])


class Orca:
    def __init__(self, place):
        need("orca", "dbus-daemon")
        if not shutil.which("at-spi-bus-launcher", path="/usr/libexec:/usr/lib/at-spi2-core"):
            raise servers.Missing("at-spi2-core is not installed")
        folder = place.path("data", "orca")
        os.makedirs(folder)
        with open(os.path.join(folder, "user-settings.conf"), "w") as f:
            json.dump({"general": ORCA, "pronunciations": {}, "keybindings": {},
                       "profiles": {"default": {"profile": ["Default", "default"],
                                                "pronunciations": {}, "keybindings": {}}}}, f)
        self.p = place.start(["orca"])

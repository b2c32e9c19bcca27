# SPDX-License-Identifier: MIT
"""window.py TEXT: shows a window with a text that can be edited, and prints
where the caret is whenever it moves."""
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402


def caret(buffer, _):
    print("caret", buffer.get_property("cursor-position"), flush=True)


window = Gtk.Window(title="Letters", default_width=600, default_height=400)
view = Gtk.TextView()
view.get_accessible().set_name("Letter")
text = view.get_buffer()
text.set_text(sys.argv[1])
text.place_cursor(text.get_start_iter())
text.connect("notify::cursor-position", caret)
window.add(view)
window.connect("destroy", Gtk.main_quit)
window.show_all()
caret(text, None)
print("shown", flush=True)
Gtk.main()

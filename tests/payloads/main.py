"""Inside: runs the probes named on the command line, each in a child of its own."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import esc, key_tty, ns, prc, res, sec_cap  # noqa: E401, E402, F401
from kit import PROBES, in_child, report  # noqa: E402

IN_PLACE = {"ESC-02"}  # a pipe to a child would be a descriptor more

for name in sys.argv[1:]:
    function = PROBES[name.rstrip("b")]
    report(name, function() if name in IN_PLACE else in_child(function))

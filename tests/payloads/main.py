"""Inside: runs the probes named on the command line, each in a child of its own.

With --wait first: not before a SIGUSR1, so that it can be written into a snapshot with all that it has
loaded.
"""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import esc, key_tty, ns, prc, res, sec_cap  # noqa: E401, E402, F401
from kit import PROBES, in_child, report  # noqa: E402

IN_PLACE = {"ESC-02"}  # a pipe to a child would be a descriptor more

names = sys.argv[1:]
if names[:1] == ["--wait"]:
    names = names[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    print("waiting", flush=True)
    signal.sigwait({signal.SIGUSR1})
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})

for name in names:
    function = PROBES[name.rstrip("b")]
    report(name, function() if name in IN_PLACE else in_child(function))

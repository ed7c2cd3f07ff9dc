"""As a package: runs the probes that PROBES names while a zygote imports it, and keeps their words."""

import io
import os
import sys

_stdout, sys.stdout = sys.stdout, io.StringIO()
_argv, sys.argv = sys.argv, ["main.py", *os.environ["PROBES"].split()]
try:
    import main  # noqa: F401
    said = sys.stdout.getvalue()
finally:
    sys.stdout, sys.argv = _stdout, _argv

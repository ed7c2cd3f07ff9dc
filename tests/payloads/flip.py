"""Inside: exchanges names in pairs for some seconds, as fast as it can, and says how often.

flip.py SECONDS DIRECTORY NAME NAME [NAME NAME ...]
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kit import AT_FDCWD, call  # noqa: E402

RENAME_EXCHANGE = 2

seconds, directory, *names = sys.argv[1:]
os.chdir(directory)
pairs = [(a.encode(), b.encode()) for a, b in zip(names[::2], names[1::2])]
flips = 0
print("flipping", flush=True)
end = time.monotonic() + float(seconds)
while time.monotonic() < end:
    for _ in range(200):
        for a, b in pairs:
            call("renameat2", AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)
            flips += 1
print(flips)

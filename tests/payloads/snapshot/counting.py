"""Counts."""

import itertools
import time

for n in itertools.count():
    print(n, flush=True)
    time.sleep(0.05)

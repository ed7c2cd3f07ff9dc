"""Inside: waits in a directory for a line of input, then walks up and tries to read a file.

climb.py DIRECTORY FILE
"""

import os
import sys

directory, wanted = sys.argv[1:]
os.chdir(directory)
print("waiting", flush=True)
sys.stdin.readline()
for step in range(64):
    try:
        with open(wanted.lstrip("/")) as file:
            print(f"step {step}: {file.read()}")
    except OSError:
        pass
    try:
        os.chdir("..")
    except OSError as error:
        print(f"step {step}: {error.strerror}")
        break

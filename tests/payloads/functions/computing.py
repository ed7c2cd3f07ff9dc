"""A function whose answer nobody else can give: it depends on who was called, with what, and how often before."""

import hashlib
import os
import time

ME = os.urandom(8).hex()
calls = 0
busy = False


def handler(event):
    global calls, busy
    assert not busy
    busy = True
    calls += 1
    time.sleep(event.get("sleep", 0))
    digest = hashlib.sha256((os.environ["NAME"] + event["text"]).encode()).hexdigest()
    busy = False
    return {"me": ME, "calls": calls, "digest": digest, "text": digest * event.get("repeat", 0)}

"""A function that takes as many seconds as its event says, and is never called twice at once."""

import time

busy = False


def handler(event):
    global busy
    assert not busy
    busy = True
    time.sleep(event)
    busy = False
    return event

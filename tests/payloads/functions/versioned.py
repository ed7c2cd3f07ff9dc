"""Says its version, and what is beside it, once the seconds of its event are over."""

import time


def handler(event):
    time.sleep(event)
    import beside
    return [VERSION, beside.value]

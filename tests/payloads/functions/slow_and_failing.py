import time


def handler(event):
    time.sleep(event)
    raise ValueError("no")

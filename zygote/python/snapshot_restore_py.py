"""What packages and handlers do around a snapshot of their zygote: the two functions of AWS Lambda's
SnapStart for Python, under its name.

    from snapshot_restore_py import register_before_snapshot, register_after_restore

A function is called with the arguments that it was registered with: before the snapshot the last one
registered first, after each restore the first one first. It must leave no thread and no process
behind. Descriptors do not survive: every one but the standard three is closed.
"""

_before = []
_after = []


def register_before_snapshot(function, *args, **kwargs):
    _before.append((function, args, kwargs))
    return function


def register_after_restore(function, *args, **kwargs):
    _after.append((function, args, kwargs))
    return function


def run_before_snapshot():
    for function, args, kwargs in reversed(_before):
        function(*args, **kwargs)


def run_after_restore():
    for function, args, kwargs in _after:
        function(*args, **kwargs)

"""Empty cgroups beside those of containers: as many as are asked for, in each hierarchy of this process."""

import tempfile
from pathlib import Path

from measure import machine


class Groups:
    def __init__(self) -> None:
        self._tops = [Path(tempfile.mkdtemp(prefix="sock-bench-", dir=group)) for group in machine.own_cgroups().values()]
        self._count = 0

    def keep(self, count: int) -> None:
        for top in self._tops:
            for number in range(self._count, count):
                (top / str(number)).mkdir()
            for number in range(count, self._count):
                (top / str(number)).rmdir()
        self._count = count

    def close(self) -> None:
        self.keep(0)
        for top in self._tops:
            top.rmdir()

"""When to kill a worker so that it is hit at work now and then, and now and then has ended, however long the
work takes just now."""

import random
import subprocess


class Moments:
    def __init__(self, dice: random.Random, seconds: float):
        """`seconds` is about what the work takes."""
        self.dice, self.most = dice, seconds

    def wait_for(self, worker: subprocess.Popen) -> bool:
        """Until a random moment, or the worker's end; whether it has ended. The time follows what is seen."""
        try:
            worker.wait(self.dice.uniform(0, self.most))
            self.most /= 1.1
            return True
        except subprocess.TimeoutExpired:
            self.most *= 1.1
            return False

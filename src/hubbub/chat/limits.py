"""How often something may be done: a leaky bucket kept as one number.

The generic cell rate algorithm (ITU-T I.371): `tat` is the moment at which the bucket would be
empty again. It needs neither a timer nor a count, so it costs a connection one float.
"""

from typing import Final

BURST: Final = 3
"""A burst is this many seconds' worth of messages."""


class Pace:
    """`rate` events a second, with a burst of `BURST` times that; a rate of 0 lets all pass.

    A sender keeps one float (0.0 at first); `take` gives the next one, or says how long to wait.
    Times are in seconds on any clock that does not go back.
    """

    __slots__ = ("step", "tolerance")

    def __init__(self, rate: float) -> None:
        self.step = 1 / rate if rate > 0 else 0.0
        # At least one must always fit, or a rate below a third would let nothing in.
        self.tolerance = max(self.step * max(1.0, rate * BURST), self.step)

    def take(self, tat: float, now: float) -> float:
        """The sender's next number, if one more is within its pace; else minus the wait."""
        step = self.step
        if not step:
            return 0.0
        after = max(tat, now) + step
        wait = after - now - self.tolerance
        # An epsilon, because the burst's sum of floats must not refuse its own last one.
        return after if wait <= 1e-9 else -wait

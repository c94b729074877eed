"""How often something may be done: leaky buckets, each kept as one number.

The generic cell rate algorithm (ITU-T I.371): `tat` is the moment at which the bucket would be
empty again. It needs neither a timer nor a count, so a bucket costs a connection one float.
"""

from __future__ import annotations

from typing import Final, Protocol

REFUSED_WITHIN: Final = 60.0
"""Seconds in which refusals for pace are counted."""


class Pace:
    """`rate` a second, and `burst` at once after a rest; a rate of 0 lets all pass.

    A sender keeps one float (0.0 at first); `take` gives the next one, or says how long to wait.
    Times are in seconds on any clock that does not go back.
    """

    __slots__ = ("step", "tolerance")

    def __init__(self, rate: float, burst: float) -> None:
        self.step = 1 / rate if rate > 0 else 0.0
        # At least one must always fit, or a small burst would let nothing in.
        self.tolerance = self.step * max(1.0, burst)

    def take(self, tat: float, now: float, cost: float = 1.0) -> float:
        """The sender's next number, if one more is within its pace; else minus the wait.

        What costs more than is left is let in all the same once one would be, and paid for
        afterwards: else what is larger than the burst could never pass.
        """
        step = self.step
        if not step:
            return 0.0
        start = max(tat, now)
        wait = start + step - now - self.tolerance
        # An epsilon, because the burst's sum of floats must not refuse its own last one.
        return start + step * cost if wait <= 1e-9 else -wait


class Rules(Protocol):
    """The settings that limit; `hubbub.settings.Settings` is one such."""

    @property
    def rate(self) -> float: ...
    @property
    def burst(self) -> int: ...
    @property
    def rate_bytes(self) -> int: ...
    @property
    def burst_bytes(self) -> int: ...
    @property
    def max_refused(self) -> int: ...


class Paces:
    """The paces that hold for each connection: all off with a `rate` of 0.

    `talk`: what is kept in a room. `moves`: coming and going. `rest`: all other frames, those that
    cannot be read included. `octets`: bytes of all of them. `refused`: refusals for any of these;
    who goes beyond this does not listen, and is sent away.
    """

    __slots__ = ("moves", "octets", "refused", "rest", "talk")

    def __init__(self, rules: Rules) -> None:
        rate, on = rules.rate, rules.rate > 0
        self.talk = Pace(rate, rules.burst)
        self.moves = Pace(rate, rules.burst)
        self.rest = Pace(rate, rules.burst)
        self.octets = Pace(rules.rate_bytes if on else 0, rules.burst_bytes)
        self.refused = Pace(rules.max_refused / REFUSED_WITHIN if on else 0, rules.max_refused)

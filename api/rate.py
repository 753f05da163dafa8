"""Token buckets: one per API key and one per address, in this process's memory."""

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from math import ceil

from starlette.datastructures import Headers
from starlette.types import Scope

from api.deps import Limits
from api.problems import Problem

KEPT = 10_000


class Buckets:
    """A bucket per name, full at first, filled by ``per_minute``; the oldest are forgotten."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """Take one token; returns the seconds to wait for the next when there is none, else 0."""
        now = self._clock()
        level, at = self._levels.pop(name, (self._size, now))
        level = min(self._size, level + (now - at) * self._per_second)
        wait = 0.0 if level >= 1 else (1 - level) / self._per_second
        self._levels[name] = (level if wait else level - 1, now)
        if len(self._levels) > KEPT:
            self._levels.popitem(last=False)
        return wait


class Rates:
    """The limits of one installation. Behind a proxy, uvicorn must know it (``--proxy-headers``),
    or all callers share one address."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = Buckets(limits.per_key, clock)
        self._addresses = Buckets(limits.per_address, clock)

    def take(self, scope: Scope, headers: Headers) -> None:
        """Count a request; raises 429 ``rate_limited`` with Retry-After."""
        client = scope.get("client")
        waits = [self._addresses.take(client[0] if client else "")]
        credentials = headers.get("authorization")
        if credentials:
            waits.append(self._keys.take(sha256(credentials.encode()).hexdigest()))
        wait = max(waits)
        if wait:
            raise Problem(
                429, "rate_limited", "Too many requests.", {"Retry-After": str(ceil(wait))}
            )

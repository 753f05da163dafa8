"""The type of a clock: rules get the time as an argument, steps get a clock."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Returns the time now, timezone-aware UTC."""

"""What the API counts, as it needs it; ``adapters.telemetry.metrics.Metrics`` does the counting."""

from typing import Protocol


class Counts(Protocol):
    """Counters for Prometheus; labels come from closed sets."""

    def order_accepted(self, channel: str) -> None:
        """Count an order taken in."""

    def webhook(self, channel: str, outcome: str) -> None:
        """Count a webhook by its outcome."""

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count an answered request by its route's template."""

    def command(self, command: str, outcome: str) -> None:
        """Count a command by what it came to."""

    def render(self) -> bytes:
        """Return the text that Prometheus scrapes."""


class NoCounts:
    """Counts nothing."""

    def order_accepted(self, channel: str) -> None:
        """Count nothing."""

    def webhook(self, channel: str, outcome: str) -> None:
        """Count nothing."""

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count nothing."""

    def command(self, command: str, outcome: str) -> None:
        """Count nothing."""

    def render(self) -> bytes:
        """Return nothing."""
        return b""

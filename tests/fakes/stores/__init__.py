"""The store in memory."""

from tests.fakes.stores.memory import MemoryStore

__all__ = ["MemoryStore"]

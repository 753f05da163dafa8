"""How a worker tells the driver something: one line in one write, from whichever thread."""

import os

STDOUT = 1


def say(word: str, name: str = "") -> None:
    """Write a line; cheap, and never cut in two by another thread's."""
    os.write(STDOUT, f"{word} {name}\n".encode())

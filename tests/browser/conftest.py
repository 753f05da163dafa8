"""A shop that really listens, and a browser to look at it."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from api.app import create_app
from store.database import open_store
from store.migrate import migrate
from tests.api.api_world import Clock, World

CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


class Site:
    """A running shop: its world, and where it listens."""

    def __init__(self, world: World, address: str) -> None:
        self.world = world
        self.address = address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser, closed with the file: an event loop runs as long as it is open, and no test with
    a loop of its own can follow in this process."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'waybill.db'}"
    migrate(url)
    world = World(store=open_store(url), clock=Clock(datetime.now(UTC)))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(world.deps()), log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield Site(world, f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True
        thread.join(5)
    world.store.close()

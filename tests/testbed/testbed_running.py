"""A running testbed and a tiny Waybill that only listens, each on a free port in its own thread."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
import stripe
import uvicorn
from easypost.easypost_client import EasyPostClient
from fastapi import FastAPI, Request, Response

from testbed.app import create_app
from testbed.settings import Settings

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen], seconds: float = 10.0) -> Seen:
    """Return what ``look`` sees as soon as it is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port and yield its address."""
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        door.close()


class Waybill:
    """Answers every call-back and keeps it; ``answers`` says what else to reply, by path ending."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, list[Response]] = {}
        self.app = FastAPI()
        self.app.add_api_route("/{path:path}", self._take, methods=["GET", "POST"])

    async def _take(self, request: Request) -> Response:
        path = request.url.path
        self.calls.append((path, dict(request.headers), await request.body()))
        for ending, replies in self.answers.items():
            if path.endswith(ending) and replies:
                return replies.pop(0)
        return Response(status_code=204)

    def paths(self) -> list[str]:
        """Return the paths called so far, webhooks left out."""
        return [path for path, _, _ in self.calls if not path.startswith("/webhooks")]

    def bodies(self, ending: str) -> list[bytes]:
        """Return the raw bodies sent to paths with that ending."""
        return [body for path, _, body in self.calls if path.endswith(ending)]


class Box:
    """The testbed under test, seen through the real SDKs and its control API."""

    def __init__(self, url: str, smtp_port: int) -> None:
        self.url, self.smtp_port = url, smtp_port
        self.http = httpx.Client(base_url=url, trust_env=False)
        self.stripe = stripe.StripeClient(
            "sk_test_1", base_addresses={"api": f"{url}/stripe"}, max_network_retries=0
        ).v1
        self.easypost = EasyPostClient("EZTK1", api_base=f"{url}/easypost/v2")
        self.wms = httpx.Client(
            base_url=f"{url}/warehouse",
            headers={"Authorization": "Bearer wms_testbed"},
            trust_env=False,
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API and return its JSON, if any."""
        answer = self.http.request(method, f"/control{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def fault(self, match: str, kind: str, **more: Any) -> None:
        """Add one rule to the fault plan."""
        self.control("POST", "/faults", {"match": match, "kind": kind, **more})

    def ledger(self, order_id: str) -> Any:
        """Return the witness's account of an order."""
        return self.http.get("/control/ledger", params={"order_id": order_id}).json()

    def money(self, order_id: str) -> list[tuple[str, int]]:
        """Return the payment rows of an order as (kind, amount)."""
        return [(row["kind"], row["amount"]) for row in self.ledger(order_id)["payments"]]

    def close(self) -> None:
        """Close the clients."""
        self.http.close()
        self.wms.close()


@contextmanager
def running_box(path: str, waybill: Waybill, **settings: Any) -> Iterator[Box]:
    """Run a testbed on a database file, calling back that Waybill, with quick clocks."""
    quick = {"carrier_step_seconds": 0.05, "warehouse_step_seconds": 0.02, "retry_seconds": 0.05}
    chosen = {**quick, "label_poll_seconds": 0.05, "label_refund_seconds": 0.1, **settings}
    app = create_app(Settings(db=path, smtp_port=0, api_base=waybill.url, **chosen))
    with served(app) as url:
        box = Box(url, app.state.smtp_port)
        try:
            yield box
        finally:
            box.close()

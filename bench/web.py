"""How long a client of the API waits: one request after the other, ours and the bare one in turn.

Both services are their own uvicorn processes with one worker process each behind them; between two
requests there is time for what was started to come to rest, as in a shop that is not crowded.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import httpx
from standardwebhooks.webhooks import Webhook

from bench.processes import HOST, PATIENCE, child, free_port
from bench.shop import CHANNEL, ENCRYPTION, PEPPER, PROVIDER, WEBHOOK_SECRET, body, now
from cli.stack import api_command

WARM = 10
REST = 0.1
"""Seconds between two requests."""


async def latencies(
    address: str, folder: Path, database: str, key: str, orders: int, webhooks: int
) -> Mapping[str, list[float]]:
    """Return the milliseconds of each request: ``ours``, ``bare`` and ``webhook``."""
    ours, bare = free_port(), free_port()
    settings = _settings(address, database)
    bare_command = (
        sys.executable, "-m", "uvicorn", "bench.bare_api:app", "--host", HOST, "--port",
        str(bare), "--no-access-log", "--no-server-header",
    )  # fmt: skip
    async with (
        child(*api_command(HOST, ours), log=folder / "api.log", environment=settings),
        child(*bare_command, log=folder / "bare_api.log", environment={"BENCH_TEMPORAL": address}),
        httpx.AsyncClient(timeout=30, trust_env=False) as client,
    ):
        asker = _Asker(client, f"http://{HOST}:{ours}", f"http://{HOST}:{bare}", key)
        await asker.ready()
        return await asker.ask(orders, webhooks)


def _settings(address: str, database: str) -> Mapping[str, str]:
    channels = {CHANNEL: {"platform": "generic", "secrets": [WEBHOOK_SECRET]}}
    values = {
        "MODE": "demo",
        "DATABASE_URL": database,
        "TEMPORAL_ADDRESS": address,
        "ENCRYPTION_KEYS": ENCRYPTION,
        "API_KEY_PEPPER": PEPPER,
        "PAYMENTS": PROVIDER,
        "CHANNELS": json.dumps(channels),
        "RATE_PER_MINUTE": "1000000",
        "METRICS_PORT": "0",
        "LOG_LEVEL": "WARNING",
    }
    return {f"WAYBILL_{name}": value for name, value in values.items()}


class _Asker:
    """One client, asking one thing after the other."""

    def __init__(self, client: httpx.AsyncClient, ours: str, bare: str, key: str) -> None:
        self._client, self._ours, self._bare = client, ours, bare
        self._authorised = {"Authorization": f"Bearer {key}"}

    async def ready(self) -> None:
        """Wait until both services answer."""
        until = time.monotonic() + PATIENCE
        for service in (self._ours, self._bare):
            while not await self._answers(f"{service}/readyz"):
                if time.monotonic() > until:
                    raise RuntimeError(f"{service} did not come up")
                await asyncio.sleep(0.1)

    async def ask(self, orders: int, webhooks: int) -> Mapping[str, list[float]]:
        """Ask everything; the first few of each kind warm up and are not counted."""
        took: dict[str, list[float]] = {"ours": [], "bare": [], "webhook": []}
        for n in range(orders + WARM):
            for kind, one in (("ours", self._order), ("bare", self._bare_order)):
                milliseconds = await one()
                if n >= WARM:
                    took[kind].append(milliseconds)
                await asyncio.sleep(REST)
        for n in range(webhooks + WARM):
            milliseconds = await self._webhook()
            if n >= WARM:
                took["webhook"].append(milliseconds)
            await asyncio.sleep(REST / 2)
        return took

    async def _order(self) -> float:
        headers = {**self._authorised, "Idempotency-Key": uuid4().hex}
        return await self._post(f"{self._ours}/orders", _order(), headers)

    async def _bare_order(self) -> float:
        return await self._post(f"{self._bare}/orders", _order(), {})

    async def _webhook(self) -> float:
        at = now()
        event = {"type": "order.created", "timestamp": at.isoformat(), "data": body(uuid4().hex)}
        content, message_id = json.dumps(event), f"msg_{uuid4().hex}"
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(WEBHOOK_SECRET).sign(message_id, at, content),
        }
        return await self._post(f"{self._ours}/webhooks/{CHANNEL}", content.encode(), headers)

    async def _post(self, url: str, content: bytes, headers: Mapping[str, str]) -> float:
        headers = {"Content-Type": "application/json", **headers}
        began = time.perf_counter()
        answer = await self._client.post(url, content=content, headers=headers)
        took = 1000 * (time.perf_counter() - began)
        if answer.status_code != 202:
            raise RuntimeError(f"{url}: {answer.status_code} {answer.text[:500]}")
        return took

    async def _answers(self, url: str) -> bool:
        try:
            return (await self._client.get(url)).is_success
        except httpx.HTTPError:
            return False


def _order() -> bytes:
    return json.dumps(body(uuid4().hex)).encode()

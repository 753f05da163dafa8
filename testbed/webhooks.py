"""Signed events to Waybill: stored first, sent until answered 2xx, also after a restart."""

import asyncio
import hashlib
import hmac
import json
import time
import unicodedata

import httpx

from testbed.agenda import Later, Task
from testbed.database import Json, new_id
from testbed.faults import FaultRule
from testbed.payment_wire import API_VERSION
from testbed.world import World

DELIVER = "webhook.deliver"


def stripe_event(world: World, kind: str, body: Json, key: str | None = None) -> None:
    """Send a Stripe event about an object, as it is now."""
    if not world.settings.stripe_endpoint:
        return
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": int(world.now()),
        "data": {"object": body},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": new_id("req") if key else None, "idempotency_key": key},
        "type": kind,
    }
    world.db.put("event", event, kind)
    subject = body.get("payment_intent") or body["id"]
    _enqueue(world, "stripe", event["id"], kind, str(subject), json.dumps(event))


def easypost_event(world: World, kind: str, tracker: Json, before: str, delay: float = 0.0) -> None:
    """Send an EasyPost event about a tracker, as it is now."""
    endpoint = world.settings.easypost_endpoint
    if not endpoint:
        return
    stamp = iso(world.now())
    event: Json = {
        "id": new_id("evt"),
        "object": "Event",
        "mode": "test",
        "description": kind,
        "previous_attributes": {"status": before},
        "pending_urls": [endpoint],
        "completed_urls": [],
        "created_at": stamp,
        "updated_at": stamp,
        "user_id": "user_testbed",
        "status": "pending",
        "result": tracker,
    }
    subject = str(tracker["tracking_code"])
    _enqueue(world, "easypost", event["id"], kind, subject, json.dumps(event), delay)


def iso(seconds: float) -> str:
    """Return epoch seconds as EasyPost writes times."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _enqueue(
    world: World, provider: str, event: str, kind: str, about: str, body: str, delay: float = 0.0
) -> None:
    now = world.now()
    row = {"event_id": event, "provider": provider, "type": kind, "subject": about, "body": body}
    seq = world.db.insert("delivery", **row, created=now, state="pending")
    # A delayed event gets a subject of its own, so that later ones may overtake it.
    line = f"{provider}:{about}:{event}" if delay else f"{provider}:{about}"
    world.agenda.add(DELIVER, line, now + delay, delivery=seq)


def resend(world: World, event_id: str) -> bool:
    """Send a stored event once more, same id and body; False if there is none."""
    row = world.db.row("SELECT * FROM delivery WHERE event_id = ? ORDER BY seq", event_id)
    if row is None:
        return False
    _enqueue(world, row["provider"], event_id, row["type"], row["subject"], row["body"])
    return True


def stripe_signature(secret: str, body: bytes, at: int) -> str:
    """Return the Stripe-Signature header of a body signed at ``at``, epoch seconds."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def easypost_signature(secret: str, body: bytes) -> str:
    """Return the X-Hmac-Signature header of a body."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return "hmac-sha256-hex=" + hmac.new(key, body, hashlib.sha256).hexdigest()


class Courier:
    """Delivers stored events; one by one for each object, many objects side by side."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.agenda.on_call(DELIVER, self.deliver)

    async def deliver(self, task: Task) -> None:
        """Send one event, or spoil it as the fault plan says."""
        row = self._world.db.row("SELECT * FROM delivery WHERE seq = ?", task.payload["delivery"])
        if row is None:
            return
        rule = self._draw(row, task)
        kind = rule.kind if rule else None
        if kind == "drop":
            self._note(row, "dropped", None)
        elif kind == "reorder":
            self._send_late(task, rule.seconds if rule else None)
        elif kind in ("fail_before", "status"):
            self._again(row, task, None)
        else:
            if kind == "duplicate":
                self._send_late(task, 0.0)
            if kind == "slow":
                await asyncio.sleep(rule.seconds or 0.0 if rule else 0.0)
            status = await self._send(row)
            if kind != "fail_after" and status is not None and 200 <= status < 300:
                self._note(row, "delivered", status)
            else:
                self._again(row, task, status)

    def _send_late(self, task: Task, seconds: float | None) -> None:
        due = self._world.now() + (2.0 if seconds is None else seconds)
        line = f"{task.subject}:late:{task.id}"
        self._world.agenda.add(DELIVER, line, due, **{**task.payload, "again": 1})

    def _draw(self, row: Json, task: Task) -> FaultRule | None:
        if task.payload.get("again"):
            return None
        result = json.loads(row["body"])
        about = result["data"]["object"] if row["provider"] == "stripe" else result["result"]
        metadata = (about.get("metadata") or {}).items()
        fields = {name: row[name] for name in ("provider", "type", "subject", "event_id")}
        fields |= {f"metadata.{name}": value for name, value in metadata}
        return self._world.faults.draw(DELIVER, {**fields, "status": about.get("status")})

    async def _send(self, row: Json) -> int | None:
        settings, body = self._world.settings, str(row["body"]).encode()
        headers = {"Content-Type": "application/json"}
        if row["provider"] == "stripe":
            url, secret = settings.stripe_endpoint, settings.stripe_webhook_secret
            # The receiver checks the stamp against its own clock, which nobody advanced.
            headers["Stripe-Signature"] = stripe_signature(secret, body, int(time.time()))
        else:
            url, secret = settings.easypost_endpoint, settings.easypost_webhook_secret
            headers["X-Hmac-Signature"] = easypost_signature(secret, body)
        try:
            answer = await self._world.http.post(str(url), content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return None
        return answer.status_code

    def _note(self, row: Json, state: str, status: int | None) -> None:
        sql = (
            "UPDATE delivery SET state = ?, last_status = ?, attempts = attempts + 1 WHERE seq = ?"
        )
        self._world.db.run(sql, state, status, row["seq"])

    def _again(self, row: Json, task: Task, status: int | None) -> None:
        spent = task.attempts + 1 >= self._world.settings.webhook_attempts
        self._note(row, "failed" if spent else "pending", status)
        if not spent:
            raise Later(self._world.backoff(task.attempts))

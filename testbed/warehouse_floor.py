"""The people in the warehouse: pick, pack, fetch the label, hand over, receive returns.

The warehouse's own state changes first, then Waybill is told. A call-back that Waybill refuses
(4xx) stops the work on that shipment; one that fails (5xx, no connection) is tried again.
"""

import json
from urllib.parse import quote

import httpx

from testbed.agenda import Later, Task
from testbed.carrier_tracking import Carrier
from testbed.database import Json
from testbed.operations import Refusal
from testbed.world import World

WORK, RETURN = "warehouse.work", "warehouse.return"
TRY_AGAIN = frozenset({408, 425, 429})


class Floor:
    """Works on one shipment or return at a time, step by step, on the warehouse's clock."""

    def __init__(self, world: World, carrier: Carrier) -> None:
        self._world, self._carrier = world, carrier
        world.agenda.on_call(WORK, self.work)
        world.agenda.on_call(RETURN, self.work_on_return)

    async def work(self, task: Task) -> float | None:
        """Do the next step of a shipment; return seconds until the one after, or None."""
        row = self._shipment(task.subject)
        steps = {
            "accepted": self._pick,
            "picked": self._tell_picked,
            "short_picked": self._tell_picked,
            "picked_told": self._pack,
            "packed": self._tell_packed,
            "packed_told": self._fetch_label,
            "labelled": self._hand_over,
        }
        step = steps.get(row["status"])
        if step is None:
            return None
        return await step(row, task)

    async def _pick(self, row: Json, task: Task) -> float:
        lines = json.loads(row["lines"])
        skus = [line["sku"] for line in lines]
        rule = self._world.faults.draw("warehouse.pick", {**row, "sku": skus})
        if rule is None or rule.kind != "short_pick":
            self._move(row, "picked")
            return 0
        wanted = rule.where.get("sku", skus[0])
        for line in lines:
            if line["sku"] == wanted:
                line["missing"] = min(rule.quantity or line["quantity"], line["quantity"])
                line["quantity"] -= line["missing"]
        self._move(row, "short_picked", lines=json.dumps(lines))
        return 0

    async def _tell_picked(self, row: Json, task: Task) -> float | None:
        verb = "picked" if row["status"] == "picked" else "short-picked"
        found = [_shown(line, verb == "short-picked") for line in json.loads(row["lines"])]
        if not await self._accepts(row, task, verb, {"lines": found}):
            return None
        if not any(line["quantity"] for line in found):
            self._move(row, "stopped", only_from=row["status"], reason="nothing was found")
            return None
        self._move(row, "picked_told", only_from=row["status"])
        return self._world.settings.warehouse_step_seconds

    async def _pack(self, row: Json, task: Task) -> float:
        self._move(row, "packed", packed_at=self._world.now())
        return 0

    async def _tell_packed(self, row: Json, task: Task) -> float | None:
        units = sum(line["quantity"] for line in json.loads(row["lines"]))
        size = {"length_mm": 300, "width_mm": 200, "height_mm": 100 + 20 * units}
        parcel = {"weight_grams": 250 + 400 * units, **size}
        if not await self._accepts(row, task, "packed", {"parcel": parcel}):
            return None
        self._move(row, "packed_told")
        return 0

    async def _fetch_label(self, row: Json, task: Task) -> float | None:
        path = f"/shipments/{quote(row['shipment_id'], safe='')}/label.pdf"
        answer = await self._ask(task, "GET", path)
        number = answer.headers.get("X-Tracking-Number")
        if answer.status_code == 200 and number:
            self._move(row, "labelled", tracking_number=number)
            return self._world.settings.warehouse_step_seconds
        if answer.status_code != 409:
            self._move(row, "stopped", reason=f"no label: {answer.status_code}")
            return None
        if row["polls"] + 1 >= self._world.settings.label_poll_attempts:
            self._move(row, "stopped", reason="gave up waiting for a label")
            return None
        self._move(row, "packed_told", polls=row["polls"] + 1)
        return self._pause(answer)

    async def _hand_over(self, row: Json, task: Task) -> float | None:
        number = row["tracking_number"]
        if not await self._accepts(row, task, "handed-over", {"tracking_number": number}):
            return None
        with self._world.db.transaction():
            try:
                self._carrier.take(number)
            except Refusal:
                self._move(row, "stopped", reason=f"the carrier does not know {number}")
                return None
            self._move(row, "handed_over", handed_over_at=self._world.now())
        return None

    async def work_on_return(self, task: Task) -> float | None:
        """Do the next step of a return; return seconds until the one after, or None."""
        sql = "SELECT * FROM warehouse_return WHERE return_id = ?"
        row = self._world.db.row(sql, task.subject)
        steps = {"announced": self._receive, "received": self._inspect}
        if row is None or row["status"] not in steps:
            return None
        return await steps[row["status"]](row, task)

    async def _receive(self, row: Json, task: Task) -> float | None:
        lines = [_shown(line, False) for line in json.loads(row["lines"])]
        if not await self._accepts(row, task, "receive", {"lines": lines}):
            return None
        self._move(row, "received", received_at=self._world.now())
        return self._world.settings.warehouse_step_seconds

    async def _inspect(self, row: Json, task: Task) -> float | None:
        lines = json.loads(row["lines"])
        if "disposition" not in lines[0]:
            lines = [self._judged(row, line) for line in lines]
            # What was seen must be the same when the call-back is repeated.
            self._move(row, "received", lines=json.dumps(lines))
        seen = [{**_shown(line, False), "disposition": line["disposition"]} for line in lines]
        if await self._accepts(row, task, "inspect", {"lines": seen}):
            self._move(row, "inspected", inspected_at=self._world.now())
        return None

    def _judged(self, row: Json, line: Json) -> Json:
        rule = self._world.faults.draw("warehouse.inspect", {**row, "sku": line["sku"]})
        damaged = rule is not None and rule.kind == "damaged"
        return {**line, "disposition": "damaged" if damaged else "restock"}

    async def _accepts(self, row: Json, task: Task, verb: str, body: Json) -> bool:
        """Call back; False, and the work is stopped, if Waybill refuses."""
        own_id = row[f"{_kind(row)}_id"]
        path = f"/{_kind(row)}s/{quote(own_id, safe='')}/{verb}"
        answer = await self._ask(task, "POST", path, body, f"wms-{own_id}-{verb}")
        if answer.is_success:
            return True
        reason = f"{verb} refused with {answer.status_code}"
        self._move(row, "stopped", only_from=row["status"], reason=reason)
        return False

    async def _ask(
        self, task: Task, method: str, path: str, body: Json | None = None, key: str = ""
    ) -> httpx.Response:
        settings = self._world.settings
        headers = {"Authorization": f"Bearer {settings.api_key}"}
        headers |= {"Idempotency-Key": key} if key else {}
        url = f"{settings.api_base or ''}{path}"
        try:
            answer = await self._world.http.request(method, url, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as trouble:
            raise Later(self._world.backoff(task.attempts)) from trouble
        again = method == "POST" and "Retry-After" in answer.headers
        if again or answer.status_code >= 500 or answer.status_code in TRY_AGAIN:
            raise Later(self._world.backoff(task.attempts))
        return answer

    def _pause(self, answer: httpx.Response) -> float:
        asked = answer.headers.get("Retry-After", "")
        seconds = float(asked) if asked.isdecimal() else self._world.settings.label_poll_seconds
        return min(max(seconds, 0.05), 300.0)

    def _shipment(self, shipment_id: str) -> Json:
        sql = "SELECT * FROM warehouse_shipment WHERE shipment_id = ?"
        return self._world.db.row(sql, shipment_id) or {"status": "unknown"}

    def _move(
        self, row: Json, status: str, only_from: str | None = None, **columns: object
    ) -> None:
        """Change the state; with ``only_from`` not if a cancellation came in between."""
        kind, sets = _kind(row), "".join(f", {name} = ?" for name in columns)
        sql = f"UPDATE warehouse_{kind} SET status = ?{sets} WHERE {kind}_id = ?"
        values = [status, *columns.values(), row[f"{kind}_id"]]
        if only_from:
            sql, values = sql + " AND status = ?", [*values, only_from]
        self._world.db.run(sql, *values)


def _kind(row: Json) -> str:
    return "shipment" if "shipment_id" in row else "return"


def _shown(line: Json, with_missing: bool) -> Json:
    shown = {"line_id": line["line_id"], "quantity": line["quantity"]}
    return {**shown, "missing": line.get("missing", 0)} if with_missing else shown

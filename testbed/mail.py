"""The mail catcher: an SMTP server that keeps what it gets, and pages to read it."""

import asyncio
import json
import logging
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from testbed.database import Json
from testbed.faults import FaultRule
from testbed.world import World

TEMPLATES = Path(__file__).parent / "templates"
# A mail may hold anything: nothing of it runs, and nothing outside is loaded.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'"

log = logging.getLogger(__name__)


class Postbox:
    """Keeps each mail in the database, unless the fault plan says otherwise."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answer an SMTP DATA command; the name is aiosmtpd's."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(raw, policy=policy.default)
        subject = str(mail["subject"] or "")
        fields = {
            "to": [str(recipient) for recipient in envelope.rcpt_tos],
            "from": envelope.mail_from,
            "subject": subject,
            "metadata.order_id": str(mail["x-order-id"] or ""),
        }
        rule = self._world.faults.draw("mail.accept", fields)
        if rule and rule.kind != "status" and rule.seconds:
            await asyncio.sleep(rule.seconds)
        if rule and rule.kind in ("fail_before", "status", "refuse"):
            return self._refused(server, rule)
        if not (rule and rule.kind == "drop"):
            self._keep(envelope, mail, raw)
        if rule and rule.kind == "duplicate":
            self._keep(envelope, mail, raw)
        if rule and rule.kind == "fail_after":
            return self._refused(server, rule)
        return "250 2.0.0 kept"

    def _refused(self, server: SMTP, rule: FaultRule) -> str:
        if rule.how == "drop" and server.transport is not None:
            server.transport.close()
        return "550 5.7.1 refused" if rule.kind == "refuse" else "451 4.3.0 try again later"

    def _keep(self, envelope: Envelope, mail: EmailMessage, raw: bytes) -> None:
        self._world.db.insert(
            "message",
            at=self._world.now(),
            sender=envelope.mail_from or "",
            recipients=json.dumps([str(recipient) for recipient in envelope.rcpt_tos]),
            subject=str(mail["subject"] or ""),
            order_id=str(mail["x-order-id"] or ""),
            body=_text(mail, "plain") or "",
            html=_text(mail, "html"),
            raw=raw,
        )


def _text(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("latin-1") if isinstance(payload, bytes) else None


async def open_postbox(world: World, port: int) -> asyncio.Server:
    """Listen for mail on the testbed's own event loop; port 0 takes a free one."""

    def smtp() -> SMTP:
        return SMTP(Postbox(world), hostname="testbed", enable_SMTPUTF8=True)

    server = await asyncio.get_running_loop().create_server(smtp, world.settings.host, port)
    log.info("mail on port %s", server.sockets[0].getsockname()[1])
    return server


def mail_pages(world: World) -> APIRouter:
    """Return the routes to read mail, as pages and as JSON."""
    router = APIRouter(prefix="/mail", tags=["mail"])
    pages = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )

    @router.get("/messages")
    async def messages(
        to: str = "", subject: str = "", limit: int = Query(200, ge=1, le=1000)
    ) -> Json:
        """List messages, newest first; ``to`` and ``subject`` match parts."""
        return {"messages": _find(world, to, subject, limit)}

    @router.get("/messages/{message_id}")
    async def message(message_id: int) -> Response:
        """Return one mail as it came."""
        row = world.db.row("SELECT raw FROM message WHERE id = ?", message_id)
        headers = {"X-Content-Type-Options": "nosniff"}
        if row is None:
            return Response(status_code=404)
        return Response(row["raw"], media_type="text/plain", headers=headers)

    @router.get("", response_class=HTMLResponse)
    async def mailbox(read: int | None = None, to: str = "", subject: str = "") -> HTMLResponse:
        """Show the list, and one mail beside it."""
        found = _find(world, to, subject, 200)
        chosen = next(iter(_find(world, "", "", 1, read)), None) if read is not None else None
        page = pages.get_template("mail.html").render(
            messages=found, chosen=chosen, to=to, subject=subject
        )
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    return router


def _find(
    world: World, to: str, subject: str, limit: int, message_id: int | None = None
) -> list[Json]:
    rows = world.db.rows(
        "SELECT id, at, sender, recipients, subject, order_id, body, html FROM message"
        " WHERE instr(lower(recipients), lower(?)) AND instr(lower(subject), lower(?))"
        " AND (? IS NULL OR id = ?) ORDER BY id DESC LIMIT ?",
        *(to, subject, message_id, message_id, limit),
    )
    return [{**row, "recipients": json.loads(row["recipients"])} for row in rows]

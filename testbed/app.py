"""The testbed as one application: counters, control, mail, and the work in the background."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from testbed.carrier import settle_refunds
from testbed.carrier_routes import carrier_desk, label_files
from testbed.carrier_tracking import Carrier
from testbed.control import control_routes, refused
from testbed.database import Json
from testbed.mail import mail_pages, open_postbox
from testbed.operations import Refusal
from testbed.payment_routes import payment_desk
from testbed.payments import watch_expiry
from testbed.settings import Settings
from testbed.warehouse import return_arrived, warehouse_desk
from testbed.warehouse_floor import Floor
from testbed.webhooks import Courier
from testbed.world import World


def create_app(settings: Settings) -> FastAPI:
    """Build the testbed; the clocks and the mail catcher run while the application does.

    The ``World`` is at ``app.state.world``, the mail catcher's port at ``app.state.smtp_port``.
    """
    world = World(settings)
    carrier = Carrier(world)
    carrier.on_delivered = lambda number: return_arrived(world, number)
    Courier(world)
    Floor(world, carrier)
    watch_expiry(world)
    settle_refunds(world)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        postbox = await open_postbox(world, world.settings.smtp_port)
        app.state.smtp_port = postbox.sockets[0].getsockname()[1]
        work = asyncio.create_task(world.agenda.run())
        yield
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        postbox.close()
        await world.close()

    app = FastAPI(title="Waybill testbed", lifespan=lifespan)
    app.state.world = world
    app.add_exception_handler(Refusal, refused)
    desks = [payment_desk(world), carrier_desk(world), warehouse_desk(world)]
    for desk in desks:
        app.include_router(desk.router)
    app.include_router(label_files(world))
    app.include_router(mail_pages(world))
    operations = [name for desk in desks for name in desk.names]
    app.include_router(control_routes(world, carrier, operations))

    @app.get("/healthz", tags=["control"])
    async def healthz() -> Json:
        """Tell that the testbed lives, and how much it still has to do."""
        row = world.db.row("SELECT COUNT(*) AS waiting, MIN(due) AS next_due FROM task") or {}
        return {"status": "ok", "now": world.now(), **row}

    return app

"""``waybill``: the whole product from a command line. Every command that answers takes ``--json``.

Modules that load SQLAlchemy are imported inside the commands that need them: it takes a second.
"""

import os
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli import keys, operators, orders
from cli.addresses import HOST, Addresses
from cli.installation import MAKE, Installation
from cli.output import Json, fail, print_json, print_one, print_rows, say
from cli.processes import StartFailed
from domain.errors import DomainError, ProviderUnavailable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Waybill: durable order fulfilment.",
)
app.add_typer(orders.app, name="orders")
app.add_typer(operators.app, name="alerts")
app.add_typer(keys.app, name="keys")
app.command()(orders.cancel)
app.command()(operators.erase)


def main() -> None:
    """Run a command; what it refuses is one line and exit code 2, not a stack of calls."""
    try:
        app()
    except (DomainError, StartFailed, ProviderUnavailable) as refused:
        say(str(refused), style="bold red")
        sys.exit(2)


@app.command()
def up(
    samples: Annotated[bool, typer.Option(help="Send sample orders into a new shop.")] = True,
    free_ports: Annotated[bool, typer.Option(help="Take ports that are free.")] = False,
    json: Json = False,
) -> None:
    """Start the whole installation on this machine, until Ctrl-C."""
    from cli.seed import WATCHABLE
    from cli.up import up as start

    installation = Installation.chosen()
    addresses = Addresses.free() if free_ports else Addresses.chosen()

    def ready() -> None:
        if json:
            print_json({"data": str(installation.folder), "ports": asdict(addresses)})

    start(installation, addresses, WATCHABLE, ready, samples=samples)


@app.command()
def demo(
    files: Annotated[list[Path] | None, typer.Argument(help="Further webhook payloads.")] = None,
    seconds: Annotated[float, typer.Option(help="How long the orders may take.")] = 90.0,
    keep: Annotated[bool, typer.Option(help="Keep the data folder.")] = False,
    json: Json = False,
) -> None:
    """Take sample orders of every kind to their ends, audit, and exit 0 or 1."""
    from cli import demo as demonstration
    from cli.up import Stopped

    try:
        result = demonstration.demo(files or [], seconds=seconds, keep=keep)
    except Stopped:
        fail("stopped before the end", 130)
    if json:
        print_json({"ok": result.ok, **result.model_dump()})
    else:
        print_rows(result.orders, demonstration.COLUMNS, title="Orders", as_json=False)
        _print_violations(result.audit.violations)
        say("all as promised" if result.ok else "not as promised")
    raise typer.Exit(0 if result.ok else 1)


@app.command()
def seed(
    testbed: Annotated[str, typer.Option(help="URL of a testbed to set up for this shop.")] = "",
    json: Json = False,
) -> None:
    """Write a sample shop: locations, products, stock. What is there stays."""
    from cli import seed as shop
    from cli.access import open_store, settings

    chosen = settings()
    with closing(open_store(chosen)) as store:
        seeded = shop.seed(store, shop.WATCHABLE)
        if testbed:
            shop.set_up_testbed(store, testbed, chosen.api_key_pepper.get_secret_value())
    print_one(seeded, as_json=json)


@app.command()
def migrate(json: Json = False) -> None:
    """Bring the database to this version's tables; many may do so at once."""
    from cli.access import settings
    from store.migrate import migrate as bring

    bring(settings().database_url.get_secret_value())
    print_one({"migrated": True}, as_json=json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def worker(context: typer.Context) -> None:
    """Run workers; arguments go to `python -m workers` (see `waybill worker --help`)."""
    from cli.access import settings

    settings()
    _become("-m", "workers", *context.args)


@app.command()
def api() -> None:
    """Run the API and its pages."""
    from cli.access import settings
    from cli.stack import api_command

    chosen = settings()
    _become(*api_command(chosen.api_host, chosen.api_port)[1:])


@app.command()
def healthy(
    port: Annotated[int, typer.Option(help="Where the part answers on this machine.")] = 8000,
    path: str = "/healthz",
    json: Json = False,
) -> None:
    """Exit 0 when a part on this machine answers, 1 when not; for container health checks."""
    from cli.stack import answers

    well = answers(f"http://{HOST}:{port}{path}")
    if json:
        print_json({"healthy": well})
    raise typer.Exit(0 if well else 1)


@app.command()
def audit(
    witness: Annotated[bool, typer.Option(help="Ask the testbed's ledger as well.")] = True,
    json: Json = False,
) -> None:
    """Check every promise of INVARIANTS; exit 1 and name the order where one is broken."""
    from cli.access import addresses_of, open_store, settings
    from cli.audit import audit_settled

    chosen = settings()
    url = addresses_of(Installation.chosen()).testbed_url if witness and chosen.demo else ""
    with closing(open_store(chosen)) as store:
        report = audit_settled(store, url)
    if json:
        print_json({"clean": report.clean, **report.model_dump()})
    else:
        columns = ("order", "status", "total", "authorised", "captured", "refunded", "held")
        if report.orders:
            more = ("parcels", "mails", "violations")
            print_rows(report.orders, (*columns, *more), as_json=False)
        _print_violations(report.violations)
        asked = "tables and witness agree" if report.witnessed else "tables hold; no witness asked"
        say(asked if report.clean else f"{len(report.violations)} promises are broken")
    raise typer.Exit(0 if report.clean else 1)


@app.command("encryption-key")
def encryption_key(json: Json = False) -> None:
    """Make a payload encryption key; put it first in WAYBILL_ENCRYPTION_KEYS to rotate."""
    key = MAKE["encryption_keys"]()
    print_json({"key": key}) if json else print(key)


def _print_violations(violations: object) -> None:
    rows = [one.model_dump() for one in violations]  # type: ignore[attr-defined]
    if rows:
        print_rows(rows, ("promise", "order_id", "text"), title="Broken promises", as_json=False)


def _become(*arguments: str) -> None:
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *arguments])


if __name__ == "__main__":
    main()

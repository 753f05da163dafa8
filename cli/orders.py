"""``waybill orders …`` and ``waybill cancel``: what operators ask of the API."""

from typing import Annotated, Any

import typer

from cli.api_client import Api
from cli.output import Json, console, print_json, print_one, print_rows, rich_table

app = typer.Typer(no_args_is_help=True, help="Look at orders.")

COLUMNS = ("order_id", "number", "channel", "status", "holds", "total", "currency", "placed_at")
Id = Annotated[str, typer.Argument(help="The order's id, such as shop-1001.")]


@app.command("list")
def list_orders(
    status: Annotated[str, typer.Option(help="Such as on_hold.")] = "",
    hold: Annotated[str, typer.Option(help="Such as address.")] = "",
    channel: str = "",
    sku: str = "",
    q: Annotated[str, typer.Option(help="Id, number, e-mail or name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    json: Json = False,
) -> None:
    """List orders, newest first."""
    with Api() as api:
        page = api.get(
            "/orders", status=status, hold=hold, channel=channel, sku=sku, q=q, limit=limit
        )
    print_rows(page["rows"], COLUMNS, as_json=json)


@app.command()
def show(order_id: Id, json: Json = False) -> None:
    """Show one order, whole."""
    with Api() as api:
        order = api.get(f"/orders/{order_id}")
    if json or not console.is_terminal:
        print_json(order) if json else print_one(order, as_json=False)
        return
    _show_order(order)


@app.command()
def timeline(order_id: Id, json: Json = False) -> None:
    """Tell an order's history: who did what, when and why."""
    with Api() as api:
        events = api.get(f"/orders/{order_id}/timeline")["events"]
    print_rows(events, ("no", "at", "actor", "kind", "text"), as_json=json)


def cancel(
    order_id: Id,
    reason: Annotated[str, typer.Option(help="Why; the customer is told.")] = "",
    line: Annotated[
        list[str] | None, typer.Option(help="line id=units; none means the whole order.")
    ] = None,
    json: Json = False,
) -> None:
    """Cancel an order, or units of it, and tell what came of it."""
    body: dict[str, Any] = {"reason": reason}
    if line:
        body["lines"] = [_line(text) for text in line]
    with Api() as api:
        answer = api.ask("POST", f"/orders/{order_id}/cancel", json=body)
    print_one(answer, as_json=json)


def _line(text: str) -> dict[str, Any]:
    line_id, _, quantity = text.rpartition("=")
    if not line_id or not quantity.isdecimal():
        raise typer.BadParameter(f"{text!r} is not written as LINE=UNITS")
    return {"line_id": line_id, "quantity": int(quantity)}


def _show_order(order: dict[str, Any]) -> None:
    money = order["money"]
    console.print(f"[bold]{order['order_id']}[/]  {order['status']}  {order['channel']}")
    console.print(
        f"{money['currency']} minor units: total {order['total']['amount']},"
        f" authorised {money['authorised']}, captured {money['captured']},"
        f" refunded {money['refunded']}"
    )
    lines = [
        {**line, "units": ", ".join(f"{n} {s}" for s, n in line["units"].items() if n)}
        for line in order["lines"]
    ]
    for title, rows, columns in (
        ("Lines", lines, ("line_id", "sku", "title", "quantity", "units")),
        ("Holds", order["holds"], ("hold_id", "kind", "reason", "expires_at", "on_expiry")),
        ("Parcels", order["shipments"], ("shipment_id", "location", "status", "tracking_number")),
        ("Returns", order["returns"], ("return_id", "status", "reason", "refund")),
    ):
        if rows:
            console.print(rich_table(rows, columns, title))

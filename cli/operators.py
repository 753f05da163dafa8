"""``waybill alerts …`` and ``waybill erase``: what operators are told, and whom they forget."""

from typing import Annotated

import typer

from cli.api_client import Api
from cli.output import Json, print_json, print_one, print_rows

app = typer.Typer(no_args_is_help=True, help="What a person should know, until it is dealt with.")

COLUMNS = ("alert_id", "kind", "subject", "count", "last_at", "text")


@app.command("list")
def list_alerts(
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    cursor: Annotated[str, typer.Option(help="The next_cursor of the page before.")] = "",
    json: Json = False,
) -> None:
    """List open alerts, the latest first."""
    with Api() as api:
        page = api.get("/alerts", limit=limit, cursor=cursor)
    if json:
        print_json(page)
    else:
        print_rows(page["rows"], COLUMNS, as_json=False)


@app.command()
def close(
    alert_id: Annotated[int, typer.Argument(help="The alert_id of `alerts list`.")],
    json: Json = False,
) -> None:
    """Close an alert that was dealt with."""
    with Api() as api:
        answer = api.ask("POST", f"/alerts/{alert_id}/close")
    print_one(answer, as_json=json)


def erase(
    email: Annotated[str, typer.Argument(help="The customer's e-mail address.")],
    json: Json = False,
) -> None:
    """Forget a customer: blank what names or finds them in all orders that have ended."""
    with Api() as api:
        answer = api.ask("POST", "/customers/erase", json={"email": email})
    print_one(answer, as_json=json)

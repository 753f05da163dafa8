"""``waybill keys …``: API keys. A key is shown once, when it is made; only its hash is kept."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from adapters.security.api_keys import Scope
from adapters.security.api_keys import create as make
from cli.access import open_store, settings
from cli.output import Json, fail, print_one, print_rows

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give one or more.")],
    channel: Annotated[list[str] | None, typer.Option(help="Whose orders; none means all.")] = None,
    days: Annotated[int, typer.Option(min=0, help="How long it lives; 0 means for ever.")] = 0,
    json: Json = False,
) -> None:
    """Make a key and show it, this once."""
    chosen = settings()
    made = make(
        name,
        scope,
        pepper=chosen.api_key_pepper.get_secret_value(),
        channels=channel or (),
        expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
    )
    with closing(open_store(chosen)) as store:
        store.add_key(made.key, made.key_hash)
    print_one({"key": made.secret, **made.key.model_dump(mode="json")}, as_json=json)


@app.command("list")
def list_keys(json: Json = False) -> None:
    """List all keys; none can be shown again."""
    with closing(open_store(settings())) as store:
        rows = [key.model_dump(mode="json") for key in store.keys()]  # noqa: SIM118
    columns = ("key_id", "prefix", "name", "scopes", "channels", "expires_at", "last_used_at")
    print_rows(rows, (*columns, "revoked"), as_json=json)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key_id of `keys list`.")], json: Json = False
) -> None:
    """Switch a key off, at once and for good."""
    with closing(open_store(settings())) as store:
        if key_id not in {key.key_id for key in store.keys()}:  # noqa: SIM118
            fail(f"there is no key {key_id}")
        store.revoke(key_id)
    print_one({"key_id": key_id, "revoked": True}, as_json=json)

"""What the command prints: JSON when asked, rich on a terminal, plain lines elsewhere."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

STYLES = {
    "completed": "green", "delivered": "green", "ok": "green",
    "cancelled": "yellow", "rejected": "yellow", "on_hold": "yellow",
    "broken": "bold red", "late": "bold red",
}  # fmt: skip


def say(text: str = "", *, style: str = "") -> None:
    """Tell the person what happens; on stderr, so that ``--json`` stays parseable."""
    if errors.is_terminal:
        errors.print(escape(text), style=style)
    else:
        print(text, file=sys.stderr, flush=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong and end the command with a non-zero code."""
    say(message, style="bold red")
    raise typer.Exit(code)


def print_json(value: Any) -> None:
    """Print a value, models included, as one JSON document."""
    print(json.dumps(to_jsonable_python(value), indent=2, ensure_ascii=False))


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, title: str = "", as_json: bool
) -> None:
    """Print rows as a table of ``columns``; as JSON, whole, when asked."""
    if as_json:
        print_json(list(rows))
    elif console.is_terminal:
        console.print(rich_table(rows, columns, title))
    else:
        for line in _aligned([columns, *([text_of(row.get(c)) for c in columns] for row in rows)]):
            print(line)


def print_one(value: BaseModel | Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing field by field; as JSON when asked."""
    fields = to_jsonable_python(value)
    if as_json:
        print_json(fields)
        return
    for line in _aligned([[name, text_of(field)] for name, field in fields.items()]):
        print(line)


def rich_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str = "") -> Table:
    """Return rows as a rich table, known statuses coloured."""
    table = Table(title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        cells = [text_of(row.get(column)) for column in columns]
        table.add_row(*(f"[{STYLES[c]}]{c}[/]" if c in STYLES else escape(c) for c in cells))
    return table


def text_of(value: Any) -> str:
    """Return a cell's text: nothing for nothing, lists with commas, documents as JSON."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(to_jsonable_python(value), ensure_ascii=False)
    return str(value)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]

"""The container files, as far as they can be read without an engine (docs/containers.md)."""

import re
from pathlib import Path

import pytest

from adapters.settings import PREFIX, Settings
from contracts.orders import CARRIERS, MESSAGES, ORDERS, PAYMENTS, WAREHOUSES

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SECRET = re.compile(r"PASSWORD|SECRET|KEY|PEPPER|CHANNELS")
MAY_BE_EMPTY = {"WAYBILL_SMTP_USER", "WAYBILL_SMTP_PASSWORD"}
USED = re.compile(r"\$\{(\w+)(:[-?])?([^}]*)\}")


def blocks(text: str, indent: str) -> dict[str, str]:
    """Return what stands below each key of one level of indentation."""
    parts = re.split(rf"^{indent}([\w-]+):", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


TOP = blocks(COMPOSE, "")
SERVICES = blocks(TOP["services"], "  ")


def whole(block: str) -> str:
    """Return a block with everything it merges."""
    merged = re.findall(r"<<: \*(?:[\w]+-)?([\w-]+)", block)
    bases = [TOP[f"x-{name}"] for name in merged if f"x-{name}" in TOP]
    bases += [TOP[f"x-{name}"] for name in re.findall(r"<<: \*(temporal-tools)", block)]
    return block + "".join(whole(base) for base in bases)


def given(name: str) -> dict[str, str]:
    lines = (ROOT / "examples" / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_every_service_is_started_again_and_drops_what_it_does_not_need() -> None:
    for name, block in SERVICES.items():
        assert "restart:" in whole(block), name
        if name != "postgres":
            assert "cap_drop: [ALL]" in whole(block), name
            assert "no-new-privileges:true" in whole(block), name


def test_every_image_is_pinned() -> None:
    images = re.findall(r"^ +image: (\S+)", COMPOSE, re.MULTILINE)
    base = re.search(r"^ARG BASE=(\S+)", DOCKERFILE, re.MULTILINE)
    assert base is not None
    pinned = [*images, base[1]]
    for image in pinned:
        assert image.startswith("${WAYBILL_IMAGE") or re.search(r":\d+\.\d+\.?\d*\b", image), image
    assert len({i.rpartition(":")[2] for i in images if "server:" in i or "tools:" in i}) == 1


def test_each_worker_service_serves_one_queue() -> None:
    served = re.findall(r'command: \["worker", ("[^]]+)\]', TOP["services"])
    queues = (CARRIERS, MESSAGES, ORDERS, PAYMENTS, WAREHOUSES)
    assert sorted(served) == sorted(f'"{queue}"' for queue in queues)


def test_no_secret_has_a_default() -> None:
    for name, how, value in USED.findall(COMPOSE):
        if not SECRET.search(name):
            continue
        assert how == ":?" or value == "", f"{name} has a default"
    demanded = {name for name, how, _ in USED.findall(COMPOSE) if how == ":?"}
    asked = {name for name in demanded if SECRET.search(name)}
    assert {name for name in given("compose.env") if SECRET.search(name)} - MAY_BE_EMPTY <= asked


def test_the_example_environments_say_everything_that_is_demanded() -> None:
    demanded = {name for name, how, _ in USED.findall(COMPOSE) if how == ":?"}
    empty, demo = given("compose.env"), given("compose-demo.env")
    assert demanded <= empty.keys()
    assert not any(empty.values())
    assert all(demo.get(name) for name in demanded)


@pytest.mark.parametrize("text", [COMPOSE, DOCKERFILE], ids=["compose", "dockerfile"])
def test_every_setting_exists(text: str) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    ours = {"WAYBILL_IMAGE", "WAYBILL_TARGET", "WAYBILL_DB_PASSWORD", "WAYBILL_OWNER_PASSWORD"}
    assert set(re.findall(r"^ +(WAYBILL_\w+): ", text, re.MULTILINE)) <= known | ours


def test_the_image_runs_as_nobody_in_particular_and_copies_only_what_was_built() -> None:
    runtime = DOCKERFILE[DOCKERFILE.index("AS runtime") :]
    assert "USER 10001:10001" in runtime
    assert re.findall(r"^COPY (?!--from=)", runtime, re.MULTILINE) == []
    assert DOCKERFILE.rstrip().endswith("FROM runtime")
    assert "HEALTHCHECK" in runtime


def test_only_what_is_named_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    named = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in named)
    assert not named & {".env", ".git", ".data", "tests", "examples"}

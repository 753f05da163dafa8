"""``python -m testbed``: start the outside world; every option is also ``TESTBED_<NAME>``."""

import argparse
import logging
from typing import Any

import uvicorn

from testbed.app import create_app
from testbed.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def arguments() -> dict[str, Any]:
    """Return the options that were given; each is named after its setting."""
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__)
    for name, field in Settings.model_fields.items():
        shown = f"default {field.default}"
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=shown)
    parser.add_argument("--allow-remote", action="store_true", help="listen beyond loopback")
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    remote = given.pop("allow_remote")
    if given.get("host", LOOPBACK[0]) not in LOOPBACK and not remote:
        parser.error("the testbed has no login; add --allow-remote to listen beyond loopback")
    return given


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s testbed %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = Settings(**arguments())
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()

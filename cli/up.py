"""``waybill up``: the embedded installation, from nothing to running, until somebody stops it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType

from cli.access import ensure_keys
from cli.addresses import Addresses
from cli.installation import Installation
from cli.output import say
from cli.scenarios import SAMPLES
from cli.seed import Pace, seed
from cli.stack import Stack
from cli.storefront_desk import StorefrontDesk
from domain.errors import DomainError


class Stopped(Exception):
    """Somebody asked the command to end."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM and Ctrl-C into ``Stopped``, once: stopping itself is not interrupted."""

    def stop(number: int, _: FrameType | None) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(signal.Signals(number).name)

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def builder(installation: Installation, pace: Pace) -> Callable[[], None]:
    """Return what migrates the folder's database, seeds the shop and makes its API keys."""

    def build() -> None:
        # Loaded here, while Temporal starts: SQLAlchemy takes a second.
        from store.database import open_store
        from store.migrate import migrate

        url = f"sqlite:///{installation.path('waybill.sqlite')}"
        migrate(url)
        with closing(open_store(url)) as store:
            seed(store, pace)
            ensure_keys(installation, store, installation.secret("api_key_pepper"))

    return build


def up(
    installation: Installation,
    addresses: Addresses,
    pace: Pace,
    ready: Callable[[], None],
    *,
    samples: bool,
) -> None:
    """Start everything, send the samples once, tell where it is, and run until stopped."""
    say(f"Waybill in {installation.folder}")
    with stoppable(), installation.held(), Stack(installation, addresses, say) as stack:
        try:
            stack.start(builder(installation, pace))
            with closing(StorefrontDesk(installation, addresses)) as desk:
                desk.set_up_world(pace.testbed())
                if samples:
                    send_samples(installation, desk)
            tell_addresses(installation, addresses)
            ready()
            stack.watch()
        except Stopped as stopped:
            say(f"\n{stopped}: stopping; open orders go on at the next start")
    say("stopped")


def send_samples(installation: Installation, desk: StorefrontDesk) -> None:
    """Send the sample orders, once in the life of a data folder."""
    sent = installation.noted("samples")
    for name in SAMPLES:
        if name in sent:
            continue
        try:
            sent[name] = desk.example(name)
        except DomainError as refused:
            say(f"  sample {name} was refused: {refused}", style="yellow")
            continue
        say(f"  sample order {sent[name]}")
        installation.note("samples", sent)


def tell_addresses(installation: Installation, addresses: Addresses) -> None:
    """Say where a person finds what."""
    key_file = installation.path("secrets") / "operator_api_key"
    say(
        f"""
  API           {addresses.api_url}/openapi.json  (key: {key_file})
  Temporal UI   {addresses.ui_url}
  mail          {addresses.testbed_url}/mail
  logs          {installation.logs}

  waybill orders list · waybill orders show ID · waybill audit · Ctrl-C stops"""
    )

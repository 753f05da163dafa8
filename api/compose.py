"""The composition root of the API: settings in, ``Deps`` out. Nothing connects at import time."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from fastapi import APIRouter, Request
from pydantic import SecretStr

from adapters.addresses.i18n import check
from adapters.payments.stripe_webhooks import StripeWebhooks
from adapters.providers import build
from adapters.rules.cel import CelRules
from adapters.rules.order_rules import CelOrderRules
from adapters.security.api_keys import hash_of
from adapters.security.links import Links
from adapters.settings import Settings
from adapters.storefronts.body import parse_body
from adapters.storefronts.cards import refuse_cards
from adapters.storefronts.generic import GenericStorefront
from adapters.storefronts.generic_order import GenericOrder, read_generic
from adapters.storefronts.shopify import ShopifyStorefront
from adapters.storefronts.woocommerce import WooCommerceStorefront
from adapters.telemetry.metrics import Metrics, temporal_runtime
from adapters.telemetry.watch import LoopWatch
from adapters.temporal.client import connect
from adapters.temporal.codec import EncryptionCodec
from adapters.temporal.codec_server import codec_routes, demo_caller
from api.access import Scope, authenticate
from api.app import ROUTERS
from api.deps import CarrierHook, Channel, Deps, Limits, PaymentHook, PolicyProblem
from api.orders_client import TemporalOrders
from api.problems import Problem
from domain.grading import grade
from domain.order import Order
from domain.policy import Policy, Resolution, Verdict
from ports.storefronts import Storefront
from ports.stores import Store
from store.database import open_store

DIRECT = "api"


def deps_of(settings: Settings, store: Store | None = None) -> Deps:
    """Build the API's world from settings.

    Args:
        store: instead of the one at ``database_url``.

    Raises:
        DomainError: a setting or a provider is no good; names it, never its value.
    """
    pepper = settings.api_key_pepper.get_secret_value()
    rules = CelRules()
    metrics = Metrics((*settings.channels, DIRECT), route_templates())
    return Deps(
        store=store or open_store(settings.database_url.get_secret_value()),
        orders=TemporalOrders(partial(connect, settings, runtime=temporal_runtime())),
        links=Links(plain(settings.link_secrets)),
        hash_key=partial(hash_of, pepper=pepper),
        read_order=read_order,
        read_json=parse_body,
        channels=channels(settings),
        carriers={
            settings.carriers: CarrierHook(
                carrier=build("carriers", settings.carriers, settings),
                secrets=plain(settings.easypost_webhook_secrets),
            )
        },
        payments={
            StripeWebhooks.name: PaymentHook(
                events=StripeWebhooks(), secrets=plain(settings.stripe_webhook_secrets)
            )
        },
        order_schema=GenericOrder.model_json_schema(ref_template="#/components/schemas/{model}"),
        refuse_cards=refuse_cards,
        check_address=lambda address: check(address)[0],
        check_policy=lambda policy: list(policy_problems(policy, rules)),
        grade=partial(verdict, CelOrderRules(rules)),
        counts=metrics,
        limits=Limits(
            body=settings.body_limit,
            webhook=settings.webhook_limit,
            json_depth=settings.json_depth,
            per_key=settings.rate_per_minute,
            per_address=10 * settings.rate_per_minute,
        ),
        public_url=settings.public_url,
        routers=(codec(settings),),
        background=(LoopWatch(metrics).run,),
    )


def route_templates() -> Iterator[str]:
    """Yield the path templates that requests are counted by."""
    for router in ROUTERS:
        yield from (str(getattr(route, "path", "")) for route in router.routes)


def plain(secrets: Iterable[SecretStr]) -> tuple[str, ...]:
    """Return secrets as text, for whoever signs or verifies with them."""
    return tuple(secret.get_secret_value() for secret in secrets)


def channels(settings: Settings) -> dict[str, Channel]:
    """Return each configured channel with the storefront that speaks its platform."""
    speaking: dict[str, Storefront] = {
        one.name: one for one in (GenericStorefront(), ShopifyStorefront(), WooCommerceStorefront())
    }
    return {
        name: Channel(storefront=speaking[channel.platform], secrets=plain(channel.secrets))
        for name, channel in settings.channels.items()
    }


def read_order(body: bytes, channel: str, _: datetime) -> Order:
    """Read the body of ``POST /orders``; raises ``InvalidOrder``."""
    value = parse_body(body)
    refuse_cards(value)
    return read_generic(value, channel)


def policy_problems(policy: Policy, rules: CelRules) -> Iterator[PolicyProblem]:
    """Yield what is wrong with a policy by the place where it stands: conditions that do not
    compile, and promises to customers that nothing keeps yet."""
    for i, resolution in enumerate(policy.returns.resolutions):
        if resolution is not Resolution.REFUND:
            text = f"{resolution} is not done yet; a return ends in a refund"
            yield PolicyProblem(field=f"returns.resolutions.{i}", message=text)
    conditions = {
        **{f"validation.rules.{i}.when": r.when for i, r in enumerate(policy.validation.rules)},
        **{f"grading.rules.{i}.when": r.when for i, r in enumerate(policy.grading.rules)},
    }
    for field, condition in conditions.items():
        for found in rules.check(condition):
            yield PolicyProblem(field=field, **found.model_dump())


def verdict(rules: CelOrderRules, order: Order, policy: Policy) -> Verdict:
    """Return the built-in grade of an order under a policy."""
    holding = rules.holding([rule.when for rule in policy.grading.rules], order)
    return grade(policy.grading, holding)[0]


def codec(settings: Settings) -> APIRouter:
    """Return the codec endpoint for the Temporal UI: open to this machine in a demonstration,
    behind an admin key otherwise."""
    caller = demo_caller(settings.ui_origin) if settings.demo else _admin
    sealed = EncryptionCodec(settings.key_ring())
    routes = codec_routes(sealed, ui_origin=settings.ui_origin, caller=caller)
    return APIRouter(routes=[*routes])


async def _admin(request: Request) -> str:
    caller = await authenticate(request)
    if not caller.may(Scope.ADMIN) or caller.channels:
        raise Problem(403, "forbidden", "This needs the scope admin, bound to no channel.")
    return caller.actor

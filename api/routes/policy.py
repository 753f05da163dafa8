"""The merchant's policy: read, checked, tried on recent orders, saved as a new version."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from api.access import Admin, Overseer, Reader
from api.commands import AtDesk, Desk
from api.deps import PolicyProblem
from api.idempotency import KEY_PARAMETER, IdempotentRoute
from api.problems import Problem, refusals
from domain.frozen import Wire
from domain.policy import Policy, Verdict

router = APIRouter(
    prefix="/policy",
    tags=["policy"],
    route_class=IdempotentRoute,
    responses=refusals(400, 401, 403, 404, 412, 422, 429, 503),
)


class PolicyVersion(Wire):
    """A policy with its number; 0 is the shipped default."""

    version: int
    policy: Policy


class VerdictChange(Wire):
    """An order that a draft would grade otherwise."""

    order_id: str
    before: Verdict
    after: Verdict


class Trial(Wire):
    """What a draft would mean: its problems, and which recent orders it would grade otherwise."""

    problems: tuple[PolicyProblem, ...] = ()
    checked: int = 0
    changes: tuple[VerdictChange, ...] = ()


@router.get(
    "",
    operation_id="get_policy",
    summary="The policy that counts now",
    responses={
        200: {
            "headers": {
                "ETag": {
                    "required": True,
                    "description": "Send it as `If-Match` with what you save.",
                    "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
                }
            }
        }
    },
)
async def get_policy(
    _: Reader,
    desk: AtDesk,
    response: Response,
    version: Annotated[int | None, Query(ge=0)] = None,
) -> PolicyVersion:
    """Return the newest version, or the one asked for."""
    number, policy = await desk.stored(desk.deps.store.policy, version)
    response.headers["ETag"] = f'"{number}"'
    return PolicyVersion(version=number, policy=policy)


@router.put("", operation_id="put_policy", summary="Save a new version")
async def put_policy(
    body: Policy,
    caller: Overseer,
    desk: AtDesk,
    if_match: Annotated[str, Header(max_length=40)] = "",
) -> PolicyVersion:
    """Save a policy whose every rule compiles; new orders of every channel follow it, open ones
    keep theirs.

    With ``If-Match`` (the ``ETag`` of what was read) a version saved meanwhile is not overwritten.
    """
    found = tuple(desk.deps.check_policy(body))
    if found:
        raise Problem(
            422,
            "invalid_policy",
            "Some rules cannot be used.",
            errors=[one.model_dump() for one in found],
        )
    newest, _ = await desk.stored(desk.deps.store.policy)
    if if_match and if_match.strip('W/"') not in ("*", str(newest)):
        raise Problem(412, "policy_changed", f"Version {newest} was saved meanwhile.")
    store, now = desk.deps.store, desk.deps.now()
    version = await desk.stored(store.save_policy, body, caller.actor, now)
    return PolicyVersion(version=version, policy=body)


@router.post(
    "/check",
    operation_id="check_policy",
    summary="Try a draft",
    openapi_extra={"parameters": [KEY_PARAMETER]},
)
async def check_policy(
    body: Policy, _: Admin, desk: AtDesk, orders: Annotated[int, Query(ge=0, le=500)] = 100
) -> Trial:
    """Check a draft and grade the newest orders that the caller may see; nothing is saved."""
    problems = tuple(desk.deps.check_policy(body))
    if problems:
        return Trial(problems=problems)
    return await desk.stored(_try, desk, body, orders)


def _try(desk: Desk, draft: Policy, newest: int) -> Trial:
    deps = desk.deps
    _, present = deps.store.policy()
    recent = deps.store.recent(newest) if newest else ()
    orders = [one for one in recent if desk.caller.sees(one.channel)]
    verdicts = [(one.order_id, deps.grade(one, present), deps.grade(one, draft)) for one in orders]
    changes = tuple(
        VerdictChange(order_id=order_id, before=before, after=after)
        for order_id, before, after in verdicts
        if before is not after
    )
    return Trial(checked=len(verdicts), changes=changes)

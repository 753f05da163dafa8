"""How a provider's calls are answered: authorise, parse, spoil by fault plan, do, remember.

Every operation is a plain function from a ``Call`` to a JSON body that runs inside one database
transaction. It refuses by raising ``Refusal``, whose writes are kept (a declined card leaves a
failed charge behind); any other exception undoes everything and is a bug of the testbed.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from testbed.answers import Answer, StoredAnswers
from testbed.database import Json
from testbed.faults import FaultRule, flat
from testbed.world import World


class Refusal(Exception):
    """The provider says no, in its own wire format."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(body)
        self.status, self.body = status, body


@dataclass(frozen=True)
class Call:
    """One request, parsed. ``fault`` is the rule that fired and that the operation may act on."""

    world: World
    operation: str
    params: Json
    path: Mapping[str, str]
    base_url: str
    key: str | None
    fault: FaultRule | None = None

    @property
    def id(self) -> str:
        """Return the id in the path."""
        return self.path["id"]


Operation = Callable[[Call], Json]


class Wire(ABC):
    """One provider's dialect: keys, bodies and errors."""

    scope: str
    other_parameters_status = 400

    @abstractmethod
    def authorise(self, world: World, header: str) -> None:
        """Raise ``Refusal`` unless the Authorization header is acceptable."""

    @abstractmethod
    async def params(self, request: Request) -> Json:
        """Return the parameters of the request, nested."""

    @abstractmethod
    def failure(self, status: int, message: str, code: str | None = None) -> Json:
        """Return an error body of this dialect."""

    def facts(self, call: Call) -> Json:
        """Return more fields for the fault plan's ``where``, such as those of the stored object."""
        return {}


class CutOff(Response):
    """An answer whose connection breaks before its body: the caller never learns the outcome."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1024"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


@dataclass
class Desk:
    """The counter where calls of one provider are handed in."""

    world: World
    wire: Wire
    router: APIRouter
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._answers = StoredAnswers(self.world, self.wire.scope)

    def serve(self, method: str, path: str, name: str, do: Operation, status: int = 200) -> None:
        """Publish an operation under its route and the name that fault rules match."""

        async def endpoint(request: Request) -> Response:
            return await self._answer(request, name, do, status)

        self.names.append(name)
        self.router.add_api_route(path, endpoint, methods=[method], name=name)

    async def _answer(self, request: Request, name: str, do: Operation, status: int) -> Response:
        try:
            self.wire.authorise(self.world, request.headers.get("authorization", ""))
            call = Call(
                world=self.world,
                operation=name,
                params=await self.wire.params(request),
                path=request.path_params,
                base_url=str(request.base_url).rstrip("/"),
                key=request.headers.get("idempotency-key") if request.method == "POST" else None,
            )
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body).response()
        fingerprint = f"{request.url.path} {json.dumps(call.params, sort_keys=True)}"
        fields = {**self.wire.facts(call), **flat(call.params), **call.path}
        call = replace(call, fault=self.world.faults.draw(name, fields))
        if not self._answers.begin(call.key):
            message = "Another request with this Idempotency-Key is in progress."
            return Answer(409, self.wire.failure(409, message, "idempotency_key_in_use")).response()
        try:
            return await self._spoiled(call, do, status, fingerprint)
        finally:
            self._answers.end(call.key)

    async def _spoiled(self, call: Call, do: Operation, status: int, fingerprint: str) -> Response:
        rule = call.fault
        if rule and rule.kind == "status":
            headers = {"Retry-After": f"{rule.seconds:g}"} if rule.seconds is not None else {}
            body = self.wire.failure(rule.status, "The testbed was told to refuse.", rule.code)
            return Answer(rule.status, body, headers).response()
        if rule and rule.seconds:
            await asyncio.sleep(rule.seconds)
        if rule and rule.kind == "fail_before":
            if rule.stored:
                self._answers.keep(call.key, fingerprint, self._broken())
            return self._failed(rule)
        answer = self._effect(call, do, status, fingerprint)
        return self._failed(rule) if rule and rule.kind == "fail_after" else answer.response()

    def _effect(self, call: Call, do: Operation, status: int, fingerprint: str) -> Answer:
        with self.world.db.transaction():
            known = self._answers.known(call.key, fingerprint)
            if known is False:
                message = "Keys for idempotent requests can only be used with the same parameters."
                status = self.wire.other_parameters_status
                return Answer(status, self.wire.failure(status, message, "idempotency_error"))
            if known:
                return known
            try:
                answer = Answer(status, do(call))
            except Refusal as refusal:
                answer = Answer(refusal.status, refusal.body)
            rule = call.fault
            lost = rule and rule.kind == "fail_after" and rule.stored
            self._answers.keep(call.key, fingerprint, self._broken() if lost else answer)
            return answer

    def _broken(self) -> Answer:
        return Answer(500, self.wire.failure(500, "Something went wrong on our end."))

    def _failed(self, rule: FaultRule) -> Response:
        return CutOff() if rule.how == "drop" else self._broken().response()

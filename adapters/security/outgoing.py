"""Calls to addresses that others chose (label documents, webhook targets): no way into our network.

A name is resolved once, every address it has must be public, and the connection goes to the address
that was checked, so a name that answers differently the second time gains nothing.
"""

import asyncio
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from socket import SOCK_STREAM, gaierror

import httpx

from domain.errors import EffectRefused, ProviderUnavailable

SECONDS = 5.0
MAX_BYTES = 1 << 20
_SPECIAL = tuple(
    ip_network(network)
    for network in (
        *("192.0.0.0/24", "192.88.99.0/24"),
        *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "fec0::/10"),
    )
)
"""What ``is_global`` lets through: addresses that stand for others (6to4, NAT64), site-local."""


@dataclass(frozen=True)
class Target:
    """A checked address: connect to ``address``, ask for ``url.host`` (Host header, TLS name)."""

    url: httpx.URL
    address: str


async def safe_url(url: str, *, allow_private: bool = False) -> Target:
    """Resolve a URL and refuse what is not public.

    Args:
        allow_private: the demo and tests; http and this machine's network are let through.

    Raises:
        EffectRefused: code ``unsafe_url``.
        ProviderUnavailable: the name does not resolve now.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise EffectRefused("the address is not a URL", "unsafe_url") from None
    if parsed.scheme != "https" and not (allow_private and parsed.scheme == "http"):
        raise EffectRefused("only https addresses are called", "unsafe_url")
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    if not parsed.host or parsed.userinfo or port > 65_535:
        raise EffectRefused("the address has no host, a password, or no port", "unsafe_url")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parsed.host, port, type=SOCK_STREAM)
    except (gaierror, UnicodeError):
        raise ProviderUnavailable(f"{parsed.host} does not resolve") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (allow_private or all(is_public(a) for a in addresses)):
        raise EffectRefused(f"{parsed.host} is not a public address", "unsafe_url")
    return Target(url=parsed, address=addresses[0])


def is_public(address: str) -> bool:
    """Whether an address is reachable for everybody; of a mapped IPv6 its IPv4 is judged."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _SPECIAL)
    return ip.is_global and not special


def client_for(target: Target) -> httpx.AsyncClient:
    """Return a client that goes to the checked address only: no redirects, no proxy, 5 s.

    Certificates are verified against the name that was asked for. The reader of the answer counts
    its bytes: ``MAX_BYTES``.
    """
    return httpx.AsyncClient(
        transport=_Pinned(target), follow_redirects=False, trust_env=False, timeout=SECONDS
    )


class _Pinned(httpx.AsyncHTTPTransport):
    """Connect to the address that was checked, whatever a name says by now."""

    def __init__(self, target: Target) -> None:
        super().__init__(trust_env=False)
        self._target = target

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the target's host; another host is refused."""
        if request.url.host != self._target.url.host:
            raise EffectRefused("this client goes to one host only", "unsafe_url")
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host=self._target.address)
        return await super().handle_async_request(request)

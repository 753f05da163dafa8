"""Fetch a label that a carrier's answer points to, without being led into the house.

The address comes from outside: only https, or the very origin of the configured API; the name is
resolved once, private and special addresses are refused, and the connection goes to the address
that was checked. No redirects, 5 s, 2 MiB, and the content must be a PDF.
"""

import asyncio
import socket

import httpx

from adapters.security.outgoing import is_public
from domain.errors import EffectRefused, ProviderUnavailable

LARGEST = 2 * 1024 * 1024
SECONDS = 5.0


async def fetch_pdf(url: str, trusted_base: str) -> bytes:
    """Return the PDF at ``url``.

    Args:
        trusted_base: the configured API base; an address of the same origin is fetched as it is.

    Raises:
        EffectRefused: the address is not allowed, the document is too large or no PDF.
        ProviderUnavailable: it cannot be fetched now.
    """
    try:
        target = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise EffectRefused(f"label address: {error}", "label_address_refused") from error
    trusted = _origin(target) == _origin(httpx.URL(trusted_base))
    if not trusted and (target.scheme != "https" or not target.host):
        raise EffectRefused(f"label address {url} is not https", "label_address_refused")
    address = None if trusted else await _public_address(target)
    try:
        content = await _download(target, address)
    except (httpx.HTTPError, TimeoutError) as error:
        raise ProviderUnavailable(f"label at {target.host}: {error!r}") from error
    if not content.startswith(b"%PDF"):
        raise EffectRefused("the label is no PDF", "label_not_pdf")
    return content


async def _download(target: httpx.URL, address: str | None) -> bytes:
    headers, extensions = {}, {}
    if address:
        port = f":{target.port}" if target.port else ""
        headers = {"host": f"{target.host}{port}"}
        extensions = {"sni_hostname": target.host}
        target = target.copy_with(host=address)
    async with (
        asyncio.timeout(SECONDS),
        httpx.AsyncClient(follow_redirects=False, trust_env=False) as client,
        client.stream("GET", target, headers=headers, extensions=extensions) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise ProviderUnavailable(f"label: HTTP {answer.status_code}")
        content = bytearray()
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > LARGEST:
                raise EffectRefused(f"the label is over {LARGEST} bytes", "label_too_large")
        return bytes(content)


async def _public_address(target: httpx.URL) -> str:
    """Resolve once; every address of the name must be public."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ProviderUnavailable(f"{target.host} does not resolve") from error
    addresses = [str(entry[4][0]).split("%")[0] for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise EffectRefused(f"{target.host} is not a public address", "label_address_refused")
    return addresses[0]


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, port

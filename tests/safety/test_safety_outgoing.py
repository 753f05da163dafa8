"""Calls to addresses that others chose never reach our own network."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.security.outgoing import Target, client_for, is_public, safe_url
from domain.errors import EffectRefused, ProviderUnavailable

INSIDE = """
127.0.0.1 127.8.8.8 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 169.254.1.1
100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 240.0.0.1 192.0.2.1 198.18.0.1 192.0.0.8 192.88.99.1
::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254
::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2002:a9fe:a9fe:: 2001:db8::1
2001::1 fec0::1 64:ff9b:1::1
"""
OUTSIDE = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "172.32.0.1"]


@pytest.mark.parametrize("address", INSIDE.split())
def test_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:169.254.169.254]/latest/meta-data",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost:8443/",
        "http://1.1.1.1/",
        "ftp://1.1.1.1/",
        "file:///etc/passwd",
        "https://user:pw@1.1.1.1/",
        "https:///x",
        "//1.1.1.1/",
        "https://1.1.1.1:99999999/",
        "",
    ],
)
async def test_unsafe_addresses_are_refused(url: str) -> None:
    with pytest.raises(EffectRefused) as refused:
        await safe_url(url)
    assert refused.value.code == "unsafe_url"


async def test_a_safe_address_is_resolved_once() -> None:
    target = await safe_url("https://1.1.1.1:8443/label.pdf")
    assert target.address == "1.1.1.1"
    assert target.url.port == 8443


async def test_one_private_address_among_public_ones_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answers(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("1.1.1.1", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answers, raising=False)
    with pytest.raises(EffectRefused):
        await safe_url("https://rebinding.example/")


async def test_a_name_that_does_not_resolve_may_do_so_later() -> None:
    with pytest.raises(ProviderUnavailable):
        await safe_url("https://no-such-name.invalid/")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Serve one redirect into the house, and the Host header of everything else."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        host = next(line for line in asked.split(b"\r\n") if line.lower().startswith(b"host:"))
        if asked.startswith(b"GET /away"):
            writer.write(
                b"HTTP/1.1 302 F\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
            )
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(host), host))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_the_connection_goes_to_the_checked_address_and_follows_nothing(port: int) -> None:
    url = httpx.URL(f"http://shop.example:{port}/x")
    async with client_for(Target(url, "127.0.0.1")) as client:
        assert (await client.get(url)).text == f"Host: shop.example:{port}"
        assert (await client.get(url.copy_with(path="/away"))).status_code == 302
        with pytest.raises(EffectRefused):
            await client.get("http://other.example/")


async def test_the_demo_may_call_this_machine(port: int) -> None:
    target = await safe_url(f"http://127.0.0.1:{port}/", allow_private=True)
    async with client_for(target) as client:
        assert (await client.get(target.url)).status_code == 200

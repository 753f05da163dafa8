"""Ports: chosen, free, and a clear word when one is taken."""

import socket

import pytest

from cli.addresses import DOORS, HOST, Addresses
from domain.errors import DomainError


def test_the_environment_changes_a_port() -> None:
    chosen = Addresses.chosen({"WAYBILL_API_PORT": "8100"})
    assert (chosen.api, chosen.temporal) == (8100, 7233)
    assert chosen.api_url == "http://127.0.0.1:8100"


@pytest.mark.parametrize("text", ["no", "0", "70000", "-1", "80.5"])
def test_a_port_that_is_none_is_refused_by_its_variables_name(text: str) -> None:
    with pytest.raises(DomainError, match="WAYBILL_TESTBED_PORT"):
        Addresses.chosen({"WAYBILL_TESTBED_PORT": text})


def test_free_ports_differ_and_are_free() -> None:
    addresses = Addresses.free()
    assert len({getattr(addresses, name) for name in DOORS}) == len(DOORS)
    addresses.refuse_taken()


def test_no_outgoing_connection_takes_the_port_of_a_part_that_is_down_for_a_moment() -> None:
    ports = vars(Addresses.free()).values()
    with socket.create_server((HOST, 0)) as listening:
        calls = [socket.create_connection(listening.getsockname()) for _ in range(50)]
        lent = [call.getsockname()[1] for call in calls]
        for call in calls:
            call.close()
    assert max(ports) < min(lent)


def test_every_taken_port_is_named_with_the_variable_that_changes_it() -> None:
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        taken = {"api": one.getsockname()[1], "smtp": other.getsockname()[1]}
        addresses = Addresses(**{**vars(Addresses.free()), **taken})
        with pytest.raises(DomainError) as refused:
            addresses.refuse_taken()
    said = str(refused.value)
    assert refused.value.code == "port_taken"
    assert "WAYBILL_API_PORT=" in said
    assert "WAYBILL_SMTP_PORT=" in said
    assert "WAYBILL_TEMPORAL_PORT" not in said

"""The stack's ports and what is said when one is taken."""

from __future__ import annotations

import os
import socket

import pytest

from emulator.stack import ports
from emulator.stack.errors import StackError


def test_the_default_ports_are_the_contracts() -> None:
    chosen = ports.from_base(None)
    assert (chosen.functions, chosen.stripe, chosen.firestore, chosen.auth) == (
        8080,
        12111,
        8085,
        9099,
    )
    assert chosen.servers == (8090, 8091, 8092, 8093, 8094, 8095)


def test_a_port_base_moves_every_port() -> None:
    chosen = ports.from_base(24000)
    assert (chosen.functions, chosen.stripe, chosen.firestore, chosen.auth) == (
        24000,
        24001,
        24002,
        24003,
    )
    assert chosen.servers == (24010, 24011, 24012, 24013, 24014, 24015)


def test_two_bases_a_span_apart_share_no_port() -> None:
    first, second = ports.from_base(24000), ports.from_base(24000 + ports.SPAN)
    used = [{port for _, port in chosen.named()} | {chosen.auth} for chosen in (first, second)]
    assert not used[0] & used[1]


@pytest.mark.parametrize("base", [0, 80, 1023, 65530, 70000, -1])
def test_a_base_outside_the_users_ports_is_refused(base: int) -> None:
    with pytest.raises(StackError, match="--port-base must lie between"):
        ports.from_base(base)


def test_a_taken_port_is_named_with_its_holder_and_the_way_around() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.answers(port)
        with pytest.raises(StackError) as refused:
            ports.require_free([("Stripe emulator", port)])
    told = str(refused.value)
    assert f"port {port} for Stripe emulator is taken by" in told
    assert f"(pid {os.getpid()})" in told
    assert "--port-base" in told


def test_a_port_is_free_again_once_its_server_has_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert ports.is_free(port)
    assert not ports.answers(port)
    ports.require_free([("anything", port)])


def test_a_free_base_skips_spans_in_which_one_port_is_taken() -> None:
    first = ports.free_base()
    taken = socket.create_server(("127.0.0.1", first + ports.SPAN - 1))
    with taken, pytest.raises(StackError, match="no 20 free ports"):
        ports.free_base(first, first + ports.SPAN)

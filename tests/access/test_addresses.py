"""An address is believed of a trusted proxy alone, and garbage of nobody."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.access.addresses import Proxies, counted

TRUSTED = Proxies([ip_network("10.0.0.0/8"), ip_network("::1"), ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.7, 10.9.9.9, fd00::5"], "198.51.100.7"),
        ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("::1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("::1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["garbage, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, garbage"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, "], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7\x1b[2J"], "10.0.0.1"),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_the_client_is_the_last_untrusted_one_that_trusted_ones_tell_of(
    peer: str, forwarded: list[str], client: str
) -> None:
    assert TRUSTED.client(peer, forwarded) == client


def test_without_trusted_proxies_the_peer_is_the_client() -> None:
    assert Proxies([]).client("127.0.0.1", ["198.51.100.7"]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "who"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_an_ipv6_network_of_one_customer_counts_as_one(address: str, who: str) -> None:
    assert counted(address) == who


PIECES = st.sampled_from(
    ["10.0.0.1", "1.2.3.4", "::1", "[", "]", ":", ",", " ", "%", "for=", '"', "\0", "é", "0x7f.1"]
)


@given(st.lists(st.lists(PIECES | st.text(max_size=5)).map("".join), max_size=3))
def test_whatever_a_header_has_the_client_is_an_address(forwarded: list[str]) -> None:
    client = TRUSTED.client("10.0.0.1", forwarded)
    assert client.isascii()
    assert client.isprintable()
    assert TRUSTED.client("192.0.2.1", forwarded) == "192.0.2.1"
    counted(client)

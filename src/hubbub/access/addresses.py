"""Where a client is: behind proxies that are trusted, what they say; and who counts as one.

Only `X-Forwarded-For` is read, not `Forwarded` (RFC 7239): a proxy that writes one of them passes
the other on as the client sent it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Proxies:
    """The proxies whose word is taken."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)

    def trust(self, peer: str) -> bool:
        """Whether a peer is one of them."""
        address = _parse(peer)
        return address is not None and self._has(address)

    def client(self, peer: str, forwarded: Sequence[str]) -> str:
        """The client's address: `peer`, or for a proxy the last untrusted one that it tells of.

        `forwarded` has the values of all `X-Forwarded-For` headers, in order. What is no address
        there leaves the peer's own.
        """
        if not self.trust(peer):
            return peer
        found = peer
        for entry in reversed([one for value in forwarded for one in value.split(",")]):
            address = _parse(_without_port(entry.strip()))
            if address is None:
                return peer
            found = str(address)
            if not self._has(address):
                break
        return found

    def _has(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def counted(address: str) -> str:
    """Who an address counts as: an IPv6 one as its /64, which is what one customer gets."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return address if parsed is None else str(parsed)


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _without_port(entry: str) -> str:
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry

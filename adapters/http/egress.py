"""Guards outgoing requests against SSRF: a URL from outside may lead only to the public internet and to
networks that the operator names.

The check is made on the address that is connected to, when it is connected: a name is not resolved a second
time, and the spelling of an address does not matter.  Proxies from the environment are not used; callers must
not follow redirections (`allow_redirects=False`).
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp

from domain.kernel.errors import Misconfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = frozenset({443, 8443})
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
# Public by `ipaddress.is_global` of some Python or other, and yet a way to somewhere else.
_NEVER: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        (
            "100.64.0.0/10",  # carriers; Alibaba's metadata
            "168.63.129.16/32",  # Azure's host
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.88.99.0/24",  # 6to4 relays
            "198.18.0.0/15",
            "224.0.0.0/3",  # multicast, reserved, broadcast
            "2001::/23",  # Teredo and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",
        ),
    )
)


def networks_of(given: Iterable[str], setting: str = "") -> tuple[Network, ...]:
    """The networks that a setting names.

    Args:
        setting: its name; empty: who asks puts it before what is wrong.

    Raises:
        Misconfigured: one is none.
    """
    found = []
    for each in given:
        try:
            found.append(ipaddress.ip_network(each))
        except ValueError:
            why = f"has {each!r}: it must be a network such as 10.0.0.0/8"
            raise Misconfigured(f"{setting} {why}".strip()) from None
    return tuple(found)


class Forbidden(OSError):
    """An address must not be connected to; the text says why."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet; an IPv4 address inside IPv6 is judged as IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _GLOBAL_6:  # NAT64 (64:ff9b::/96), unique local, link-local, site-local, loopback
            return False
    return address.is_global and not any(
        address in network for network in _NEVER if network.version == address.version
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """What one URL may lead to."""

    secure: bool
    """The scheme is https; other URLs may lead into `networks` only."""
    networks: Sequence[Network] = ()
    """Allowed though they are not public, on every port."""
    ports: frozenset[int] | None = field(default=PORTS)
    """Allowed on the public internet; None: any."""

    def check(self, host: str, port: int) -> None:
        """Check that this address may be connected to.

        Raises:
            Forbidden: it may not.
        """
        address: Address = ipaddress.ip_address(host.partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or address
        if any(inner in network for network in self.networks if network.version == inner.version):
            return
        if not is_public(address):
            raise Forbidden(f"{inner} is in no public network, and in none that is allowed")
        if not self.secure:
            raise Forbidden("only networks that are allowed may be talked to without TLS")
        if self.ports is not None and port not in self.ports:
            raise Forbidden(f"port {port} is none of {', '.join(map(str, sorted(self.ports)))}")

    def session(self, timeout: timedelta) -> aiohttp.ClientSession:
        """A session that connects to nothing else; `timeout` is for a whole request."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=self.socket, force_close=True),
            timeout=aiohttp.ClientTimeout(total=timeout.total_seconds()),
            trust_env=False,
        )

    def socket(self, found: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for an address that may be connected to; the `socket_factory` of a connector.

        Raises:
            Forbidden: it may not.
        """
        family, kind, protocol, _, where = found
        self.check(str(where[0]), int(where[1]))
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setblocking(False)
        return made

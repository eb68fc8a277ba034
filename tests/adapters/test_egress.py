"""Where a URL may lead: no spelling of what is not public gets by, and what is checked is connected to."""

import socket
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest

from adapters.http.egress import Egress, Forbidden, is_public
from domain.kernel.errors import Unavailable
from tests.adapters.test_alert_webhook import hook
from tests.support.receiver import receiving

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.1.2.3",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.0.1",
    "172.32.0.1",
    "192.1.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
]
SPELLED = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1.",
    "[::]",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(Forbidden):
        Egress(secure=True).check(address, 443)
    with pytest.raises(Forbidden):
        Egress(secure=True).check(f"{address}%eth0" if ":" in address else address, 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_called_with_tls_on_its_ports(address: str) -> None:
    Egress(secure=True).check(address, 443)
    Egress(secure=True, ports=None).check(address, 9443)
    for port in (22, 25, 80, 5432, 5672):
        with pytest.raises(Forbidden, match="none of 443, 8443"):
            Egress(secure=True).check(address, port)
    with pytest.raises(Forbidden, match="without TLS"):
        Egress(secure=False).check(address, 443)


def test_what_is_named_is_allowed_and_nothing_beside_it() -> None:
    egress = Egress(secure=False, networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::7"):
        egress.check(address, 8080)
    for address in ("10.2.0.1", "127.0.0.1", "fe80::1", "8.8.8.8"):
        with pytest.raises(Forbidden):
            egress.check(address, 8080)


@pytest.mark.parametrize("host", SPELLED)
async def test_no_spelling_of_this_host_gets_through(host: str) -> None:
    async with receiving() as receiver:
        port = receiver.url.rstrip("/").rpartition(":")[2]
        with pytest.raises(Unavailable):
            await hook(f"http://{host}:{port}/", egress=Egress(secure=True, ports=None)).post("m", b"{}")
    assert receiver.events == []


async def test_the_reason_is_told() -> None:
    async with receiving() as receiver:
        with pytest.raises(Unavailable, match=r"not called: 127\.0\.0\.1 is in no public network"):
            await hook(receiver.url, egress=Egress(secure=True, ports=None)).post("m", b"{}")


async def test_a_name_that_leads_elsewhere_a_second_time_does_not_help() -> None:
    """DNS rebinding: the address that is connected to is the one that is looked at."""
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])

    async def resolve(*_: Any, **__: Any) -> list[dict[str, Any]]:
        return [
            {"hostname": "rebind.example", "host": next(answers), "port": 0, "family": socket.AF_INET}
            | {"proto": 0, "flags": socket.AI_NUMERICHOST}
        ]

    async with receiving() as receiver:
        port = int(receiver.url.rstrip("/").rpartition(":")[2])
        with (
            patch.object(aiohttp.ThreadedResolver, "resolve", resolve),
            patch.object(aiohttp.DefaultResolver, "resolve", resolve),
        ):
            asked = hook(
                f"http://rebind.example:{port}/",
                egress=Egress(secure=True, ports=frozenset()),
                timeout=timedelta(seconds=1),
            )
            for _ in range(2):
                with pytest.raises(Unavailable, match="not called"):
                    await asked.post("m", b"{}")
    assert receiver.events == []


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await hook(receiver.url).post("m", b"{}")
        assert (len(proxy.events), len(receiver.events)) == (0, 1)


async def test_a_redirection_into_the_house_is_not_followed() -> None:
    async with receiving() as receiver:
        receiver.answers = [302]
        with pytest.raises(Unavailable, match="answered 302"):
            await hook(receiver.url).post("m", b"{}")
    assert len(receiver.events) == 1

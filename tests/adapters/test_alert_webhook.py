"""The operators' webhook, against a real receiver."""

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from adapters.alerts.webhook import SignedHook
from adapters.http.egress import Egress
from domain.kernel.errors import Unavailable
from domain.kernel.secret import Secret
from tests.support.receiver import SECRET, receiving

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = base64.b64decode(SECRET.removeprefix("whsec_"))


HERE = Egress(secure=False, networks=(ip_network("127.0.0.0/8"),))


def hook(url: str, **changes: object) -> SignedHook:
    return SignedHook(**({"url": Secret(url), "key": KEY, "now": lambda: NOON, "egress": HERE} | changes))


async def test_a_receiver_can_verify_who_sent_it() -> None:
    async with receiving() as receiver:
        await hook(f"{receiver.url}alerts?shop=1").post("msg_1", b'{"type":"x"}')

    [got] = receiver.events
    assert got.is_signed()
    assert not got.is_signed("whsec_" + base64.b64encode(b"another key, of 24 bytes").decode())
    assert (got.path, got.id, got.body) == ("/alerts", "msg_1", b'{"type":"x"}')
    assert got.headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert got.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_any_2xx_is_a_yes(status: int) -> None:
    async with receiving() as receiver:
        receiver.answers = [status]
        await hook(receiver.url).post("msg_1", b"{}")


@pytest.mark.parametrize("status", [301, 307, 400, 410, 500])
async def test_anything_else_is_none_and_redirections_are_not_followed(status: int) -> None:
    async with receiving() as receiver:
        receiver.answers = [status]
        with pytest.raises(Unavailable, match=f"answered {status}"):
            await hook(receiver.url).post("msg_1", b"{}")
    assert len(receiver.events) == 1


async def test_who_does_not_answer_is_not_waited_for_long() -> None:
    async with receiving() as receiver:
        receiver.answers = [30.0]
        with pytest.raises(Unavailable, match=r"no answer in 0\.2 s"):
            await hook(receiver.url, timeout=timedelta(seconds=0.2)).post("msg_1", b"{}")


@pytest.mark.parametrize("url", ["http://user:canary@127.0.0.1:1/canary", "http://canary:x/"])
async def test_what_cannot_be_reached_is_told_without_its_address(url: str) -> None:
    with pytest.raises(Unavailable) as fault:
        await hook(url).post("msg_1", b"{}")
    assert "canary" not in str(fault.value)
    assert "canary" not in repr(hook(url))

"""What a gateway whose provider can be asked must do beside `HttpGatewayContract`."""

from abc import abstractmethod
from typing import Any

import pytest

from domain.provider.lookup import Absent, Found, Unclear
from domain.provider.outcome import Accepted, Refused, Unknown
from tests.contract.gateway import IDS, message
from tests.contract.http_gateway import closing
from tests.support.answering import Said, answering


class LookupContract:
    """Subclasses are `HttpGatewayContract`s."""

    @abstractmethod
    def made(self, url: str, **changes: Any) -> Any:
        """As in `HttpGatewayContract`."""

    async def test_what_was_sent_and_not_answered_is_found(self, gateway: Any) -> None:
        sent = message("silent@shop.test", attempt=2)
        assert isinstance(await gateway.send(sent), Unknown)
        assert isinstance(await gateway.find(sent.delivery, {1, 2}), Found)

    async def test_it_is_found_by_the_reference_that_it_would_have_got(self, gateway: Any) -> None:
        sent = message(alone=True)
        outcome = await gateway.send(sent)
        assert isinstance(outcome, Accepted)
        assert await gateway.find(sent.delivery, {1}) == Found(outcome.reference)

    async def test_what_was_never_sent_is_absent(self, gateway: Any) -> None:
        assert await gateway.find(IDS.next(), {1}) == Absent()
        refused = message("refuse@shop.test")
        assert isinstance(await gateway.send(refused), Refused)
        assert await gateway.find(refused.delivery, {1}) == Absent()

    async def test_what_another_attempt_has_sent_is_not_meant(self, gateway: Any) -> None:
        sent = message()
        assert isinstance(await gateway.send(sent), Accepted)
        assert await gateway.find(sent.delivery, {2, 3}) == Absent()

    @pytest.mark.parametrize(
        "said",
        [Said(401, {}), Said(404, {}), Said(429, {}), Said(500), Said(200), Said(200, [1]), Said(302)],
        ids=lambda said: f"{said.status} {said.document}",
    )
    async def test_an_answer_that_says_neither_is_unclear(self, said: Said) -> None:
        async with answering(said) as server, closing(self.made(server.url)) as gateway:
            assert isinstance(await gateway.find(IDS.next(), {1}), Unclear)  # type: ignore[attr-defined]  # it is askable

    async def test_nobody_there_is_unclear(self) -> None:
        async with closing(self.made("http://127.0.0.1:1")) as gateway:
            assert isinstance(await gateway.find(IDS.next(), {1}), Unclear)  # type: ignore[attr-defined]  # as above

"""`posthorn send`: what it asks the API for."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from click.testing import CliRunner

from entrypoints.cli.root import cli

SAID = ("--subject", "S", "--body", "B")


class Desk:
    """An API that accepts everything and remembers the last body."""

    body: dict[str, Any]
    url: str


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            desk.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b'{"id": "1"}')

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    desk.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    yield desk
    server.shutdown()
    serving.join()
    server.server_close()


def asked(desk: Desk, *arguments: str) -> dict[str, Any]:
    """What the API was asked for, beside whom and of which type."""
    done = CliRunner().invoke(cli, ["send", *arguments, "--url", desk.url, "--api-key", "k"])
    assert done.exit_code == 0, done.output
    return {
        name: value for name, value in desk.body.items() if name not in ("notificationType", "recipients")
    }


def test_a_registered_type_has_its_say(desk: Desk) -> None:
    """Nothing is said but what is given: defaults would go before those of the type."""
    assert asked(desk, "c-1", "--type", "order_shipped", "--with", "orderId=7") == {"data": {"orderId": 7}}


def test_words_go_to_the_address_that_the_recipient_is(desk: Desk) -> None:
    words = {"subject": "S", "body": "B"}
    assert asked(desk, "ann@shop.test", *SAID) == {"channelType": "email", **words}
    assert asked(desk, "+4930901820", *SAID) == {"channelType": "sms", **words}
    assert asked(desk, "c-1", "--channel", "push", *SAID) == {"channelType": "push", **words}


def test_several_channels_stand_in_their_order(desk: Desk) -> None:
    said = asked(
        desk,
        "c-1",
        "--channel",
        "push",
        "--channel",
        "sms",
        "--routing",
        "first",
        "--priority",
        "high",
        *SAID,
    )
    assert said == {
        "channels": ["push", "sms"],
        "routing": "first",
        "priority": "high",
        "subject": "S",
        "body": "B",
    }

"""What may stand in a log line: negative controls by name, by type, by text, by exception."""

import ast
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import structlog

from adapters.telemetry.logs import configure
from adapters.telemetry.metrics import TYPES_MAX, Metrics
from adapters.telemetry.redact import FIELDS, clean, fields, scrub
from adapters.telemetry.telemetry import PrometheusTelemetry
from domain.kernel.channel import Mode
from domain.kernel.errors import Fault, Invalid, StoreUnavailable
from domain.kernel.secret import Secret
from domain.notification.request import Profile

CANARY = "canary-9f3a@example.org"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers, root.level
    stream = io.StringIO()
    configure("info", "json", stream)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


def last(log: io.StringIO) -> dict[str, object]:
    return json.loads(log.getvalue().splitlines()[-1])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("550 <ann@example.org> unknown", "550 <<address>> unknown"),
        ("to ann.o'neil+x@mail.example.co.uk, later", "to ann.o'<address>, later"),
        ("amqp://shop:secret@mq:5672/", "amqp://shop:<address>:5672/"),
        ("call +44 20 7946 0958 now", "call <number> now"),
        ("49 (0) 30 901820 is gone", "<number> is gone"),
        ("0198f3a2-7b1c-7000-8000-123456789012", "0198f3a2-7b1c-7000-8000-123456789012"),
        ("2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00+00:00"),
        ("PostgreSQL: SQLSTATE 40P01", "PostgreSQL: SQLSTATE 40P01"),
        ("x" * 300, "x" * 240 + "…"),
    ],
)
def test_text_loses_addresses_and_numbers(text: str, clean: str) -> None:
    assert scrub(text) == clean


def test_values_are_told_by_their_type() -> None:
    id_ = UUID(int=7)
    when = datetime(2026, 1, 31, tzinfo=UTC)
    assert clean([True, 3, 0.12345678, None, Mode.LIVE, id_, when, timedelta(seconds=2)]) == [
        *(True, 3, 0.123457, None, "live", str(id_), "2026-01-31T00:00:00+00:00", 2.0)
    ]
    assert clean({"a": Secret("s"), "b": Profile(name="Ann"), "c": b"bytes"}) == {
        "a": "<Secret>",
        "b": "<Profile>",
        "c": "<bytes>",
    }
    assert clean(StoreUnavailable("PostgreSQL: away")) == "StoreUnavailable: PostgreSQL: away"
    assert clean(ValueError("Ann")) == "ValueError"
    assert clean(Invalid(Fault("/name", "bad", "Ann"))) == "Invalid"


def test_fields_that_are_not_on_the_list_are_left_out_by_name() -> None:
    assert fields({"lane": "deliver.email.high", "email": CANARY, "body": "Dear Ann"}) == {
        "lane": "deliver.email.high",
        "omitted": ["body", "email"],
    }


def test_a_wide_event_is_one_line_of_json(log: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(trace_id="t1"):
        PrometheusTelemetry(Metrics("1")).wide("deliveries.worked", lane="deliver.email.high", called=3)
    line = last(log)
    assert line.pop("timestamp")
    assert line == {
        "event": "deliveries.worked",
        "level": "info",
        "logger": "posthorn",
        "lane": "deliver.email.high",
        "called": 3,
        "trace_id": "t1",
    }


def test_an_exception_is_its_types_and_places_without_its_words(log: io.StringIO) -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            raise ValueError("Dear Ann") from cause
    except ValueError as error:
        PrometheusTelemetry(Metrics("1")).trouble(
            "actor.crashed", actor="relay", error=repr(error), exc_info=error
        )
    line = last(log)
    assert [each["error"] for each in line["exception"]] == ["ValueError", "KeyError"]
    assert line["exception"][0]["at"][0].startswith("tests/unit/telemetry/test_redact.py:")
    assert "Ann" not in log.getvalue()
    assert CANARY not in log.getvalue()


def test_records_of_libraries_go_through_the_same_filter(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("lost %s\nDear Ann", f"amqp://{CANARY}", extra={"body": "Ann"})
    try:
        raise RuntimeError(CANARY)
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert (first["event"], first["logger"]) == ("lost amqp://<address>", "uvicorn.error")
    assert second["exception"][0]["error"] == "RuntimeError"
    assert CANARY not in log.getvalue()
    assert "Ann" not in log.getvalue()


def test_library_chatter_is_left_out(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("GET /api/users/ann")
    logging.getLogger("aiormq.connection").error("error when creating transport")
    assert log.getvalue() == ""


def test_every_field_that_the_product_logs_is_on_the_list() -> None:
    used = set(_logged_fields())
    assert len(used) > 10
    assert used - FIELDS == set()


def _logged_fields() -> Iterator[str]:
    for folder in ("entrypoints", "adapters", "config"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Attribute(attr="wide" | "trouble"), keywords=keywords):
                        yield from (k.arg for k in keywords if k.arg and k.arg != "exc_info")


def test_figures_have_the_published_names() -> None:
    telemetry = PrometheusTelemetry(Metrics("1.2.3"))
    telemetry.accepted("order_confirmed", "high", 2)
    telemetry.delivered("email", "smtp", "accepted")
    telemetry.delivered("email", "smtp", "unknown")
    telemetry.delivered("email", "none", "unknown")
    telemetry.unanswered("email", "smtp")
    telemetry.event("order.created", "done")
    telemetry.stage("begin", 0.01)
    telemetry.backlog(3, 1.5)
    telemetry.dead_letters(1)
    telemetry.held(2)
    telemetry.jobs(4)
    text = telemetry.exposition()[0].decode()
    for line in (
        'posthorn_notifications_accepted_total{priority="high",type="order_confirmed"} 2.0',
        'posthorn_deliveries_total{channel="email",outcome="accepted",provider="smtp"} 1.0',
        'posthorn_events_total{outcome="done",type="order.created"} 1.0',
        'posthorn_stage_duration_seconds_count{stage="begin"} 1.0',
        "posthorn_outbox_pending 3.0",
        "posthorn_outbox_oldest_age_seconds 1.5",
        "posthorn_dead_letters 1.0",
        'posthorn_unknown_outcomes_total{channel="email",provider="smtp"} 2.0',
        "posthorn_held_deliveries 2.0",
        "posthorn_jobs_unfinished 4.0",
        'posthorn_build_info{version="1.2.3"} 1.0',
    ):
        assert line in text


def test_types_without_end_count_as_other() -> None:
    telemetry = PrometheusTelemetry(Metrics("1"))
    for n in range(TYPES_MAX + 5):
        telemetry.accepted(f"type_{n}", "low")
    assert 'type="other"} 5.0' in telemetry.exposition()[0].decode()

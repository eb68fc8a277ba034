"""What a message needs on its channel, and what its parts may be."""

import pytest

from domain.channel.content import lacking, part_faults, typed
from domain.kernel.errors import Invalid
from domain.kernel.json_values import Json


def codes(channel: str, parts: dict[str, Json], *, template: bool = False) -> dict[str, str]:
    return {each.pointer: each.code for each in part_faults(channel, parts, "/parts", template=template)}


@pytest.mark.parametrize(
    ("channel", "parts"),
    [
        ("push", {"link": "https://shop.test/1", "badge": 3, "data": {"order": "7"}, "ttl": "PT1H"}),
        ("email", {"preheader": "Soon", "replyTo": "help@shop.test"}),
        ("email", {"attachments": [{"name": "a.pdf", "type": "application/pdf", "content": "JVBERi0="}]}),
        ("sms", {"smartEncoding": False}),
        ("in_app", {"actions": [{"label": "Track", "link": "https://shop.test"}]}),
        ("webhook", {"document": {"any": ["thing", 1, None]}}),
        ("whatsapp", {"components": [{"type": "body"}]}),
    ],
)
def test_parts_of_every_channel(channel: str, parts: dict[str, Json]) -> None:
    assert codes(channel, parts) == {}


@pytest.mark.parametrize(
    ("channel", "parts", "pointer", "code"),
    [
        ("push", {"badge": "many"}, "/parts/badge", "bad_type"),
        ("push", {"badge": -1}, "/parts/badge", "bad_value"),
        ("push", {"picture": "x"}, "/parts/picture", "unknown_field"),
        ("push", {"data": {"order": 7}}, "/parts/data", "bad_type"),
        ("push", {"link": "x" * 2_001}, "/parts/link", "bad_length"),
        ("email", {"attachments": [{"name": "a", "type": "pdf"}]}, "/parts/attachments/0/type", "bad_value"),
        ("email", {"attachments": [{"name": "a", "type": "a/b"}] * 6}, "/parts/attachments", "bad_length"),
        ("whatsapp", {"text": "x" * 70_000}, "/parts", "too_large"),
    ],
)
def test_what_is_wrong_is_named(channel: str, parts: dict[str, Json], pointer: str, code: str) -> None:
    assert codes(channel, parts) == {pointer: code}


def test_every_wrong_part_is_named() -> None:
    assert set(codes("push", {"badge": "x", "sound": 1, "data": {}})) == {"/parts/badge", "/parts/sound"}


def test_what_a_template_fills_in_is_looked_at_when_it_is_filled_in() -> None:
    parts = {"badge": "{{ unread }}", "data": {"order": "{{ order }}"}, "sound": 1}
    assert codes("push", parts, template=True) == {"/parts/sound": "bad_type"}
    assert "/parts/badge" in codes("push", parts)


def test_what_comes_out_is_what_the_part_is() -> None:
    assert typed("push", {"badge": "3", "ttl": "PT60S", "image": "", "data": {"n": "3"}}) == {
        "badge": 3,
        "ttl": "PT60S",
        "data": {"n": "3"},
    }
    with pytest.raises(Invalid) as refused:
        typed("push", {"badge": "many"})
    [fault] = refused.value.faults
    assert (fault.pointer, fault.detail.partition(":")[0]) == ("/data", "parts/badge")


@pytest.mark.parametrize(
    ("channel", "said", "whole"),
    [
        ("email", {"body": "x"}, True),
        ("email", {"subject": "x"}, False),
        ("sms", {"html": "x"}, False),
        ("push", {"subject": "x"}, True),
        ("push", {"parts": {"data": {"silent": "1"}}}, True),
        ("push", {}, False),
        ("in_app", {"parts": {"link": "x"}}, False),
        ("webhook", {"parts": {"document": 1}}, True),
        ("webhook", {}, False),
        ("whatsapp", {}, False),
    ],
)
def test_what_each_channel_needs(channel: str, said: dict[str, Json], whole: bool) -> None:
    all_of_it = {"subject": None, "body": None, "html": None, "parts": None} | said
    assert (lacking(channel, **all_of_it) is None) is whole

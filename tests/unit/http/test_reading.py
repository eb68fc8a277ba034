"""Bodies and queries: what is refused, and where the pointers lead."""

import itertools
import json
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from domain.kernel.errors import FAULTS_MAX, Fault, Invalid, hold
from domain.kernel.json_values import DEPTH_MAX, needs_value_check, value_faults
from entrypoints.http.kit.faults import shape_faults
from entrypoints.http.kit.json_body import JsonBody
from entrypoints.http.notification.batch_bodies import items
from entrypoints.http.notification.bodies import NotificationIn
from entrypoints.http.problems.problem import Rejected, to_problem
from entrypoints.http.server.read_body import BODY_MAX


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    n: int
    tags: list[Annotated[str, Meta(max_length=3)]] = []


class Outer(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    the_name: Annotated[str, Meta(min_length=1)]
    level: Literal["low", "high"] = "low"
    inner: Inner | None = None
    several: Annotated[list[str | Inner], Meta(max_length=2)] = []
    by_name: dict[str, Inner] = {}


outer = JsonBody(Outer)


def places(value: Any) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in shape_faults(value, Outer)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"theName": "x"}, []),
        ({}, [("/theName", "missing")]),
        ([], [("", "bad_type")]),
        ({"theName": ""}, [("/theName", "bad_length")]),
        ({"theName": 1, "level": "mid"}, [("/theName", "bad_type"), ("/level", "bad_value")]),
        ({"theName": "x", "inner": None}, []),
        ({"theName": "x", "inner": {}}, [("/inner/n", "missing")]),
        ({"theName": "x", "inner": 1}, [("/inner", "bad_type")]),
        ({"theName": "x", "inner": {"n": 1, "m": 2}}, [("/inner/m", "unknown_field")]),
        (
            {"theName": "x", "inner": {"n": "1", "tags": ["long", "ok", 5]}},
            [("/inner/n", "bad_type"), ("/inner/tags/0", "bad_length"), ("/inner/tags/2", "bad_type")],
        ),
        ({"theName": "x", "several": ["a", {"n": 1}]}, []),
        ({"theName": "x", "several": ["a", {"n": "1"}]}, [("/several/1/n", "bad_type")]),
        ({"theName": "x", "several": [1]}, [("/several/0", "bad_type")]),
        (
            {"theName": "x", "several": ["a", "b", 3]},
            [("/several", "bad_length")],
        ),
        ({"theName": "x", "byName": {"a/b~c": {"n": None}}}, [("/byName/a~1b~0c/n", "bad_type")]),
        ({"theName": "x", "a/b": 1}, [("/a~1b", "unknown_field")]),
    ],
)
def test_every_misfit_is_found_at_its_place(value: Any, expected: list[tuple[str, str]]) -> None:
    assert places(value) == expected


VALUE_FAULTS = {"nul", "surrogate", "number_range", "too_deep"}
"""What the type allows and no value may hold."""
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "theName": json_values,
        "level": st.sampled_from(["low", "high", "mid"]),
        "inner": json_values,
        "several": st.lists(st.text(max_size=2) | json_values, max_size=3),
        "byName": json_values,
    },
)


@given(likely | json_values)
def test_the_second_pass_finds_a_fault_exactly_when_msgspec_does(value: Any) -> None:
    try:
        msgspec.convert(value, Outer)
        fits = True
    except msgspec.ValidationError:
        fits = False
    assert fits == (not [fault for fault in shape_faults(value, Outer) if fault.code not in VALUE_FAULTS])


@given(st.binary(max_size=40) | likely.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_struct_or_a_refusal(body: bytes) -> None:
    try:
        answer: object = outer.decode(body)
    except (Invalid, Rejected) as refusal:
        answer = refusal
    match answer:
        case Outer() | Rejected(kind="malformed"):
            pass
        case Invalid(faults=faults):
            assert faults
            assert all(fault.detail for fault in faults)
        case _:
            pytest.fail(f"neither: {answer!r}")


@given(json_values)
def test_a_value_that_msgspec_reads_is_only_suspect_for_a_reason(value: Any) -> None:
    body = json.dumps(value).encode()
    faults = list(value_faults(value))
    if not needs_value_check(body):
        try:
            msgspec.json.decode(body)
        except msgspec.DecodeError:
            return
        assert faults == []


@pytest.mark.parametrize("depth", [1, DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1, 45])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth_is_counted(opening: str, closing: str, depth: int) -> None:
    rounds = depth // 2 if opening.startswith("[{") else depth
    body = opening * rounds + "1" + closing * rounds
    levels = rounds * 2 if opening.startswith("[{") else rounds
    faults = list(value_faults(json.loads(body)))
    assert [fault.code for fault in faults] == (["too_deep"] if levels > DEPTH_MAX else [])
    assert needs_value_check(body.encode()) or not faults


def test_many_brackets_are_not_depth() -> None:
    body = json.dumps({"items": [{"a": [1], "b": {}} for _ in range(500)]}).encode()
    assert not needs_value_check(body)
    assert not needs_value_check(b'{"a":"}"}')
    assert needs_value_check(json.dumps({"text": "[" * 30}).encode())  # a second look, no refusal
    assert outer.decode(json.dumps({"theName": "[" * 30}).encode()).the_name == "[" * 30


def test_an_escaped_backslash_is_no_nul() -> None:
    assert outer.decode(b'{"theName":"\\\\u0000"}').the_name == "\\u0000"


def test_items_are_read_lazily_and_alike_by_either_way() -> None:
    good = {"notificationType": "a", "recipientId": "1"}
    plain = json.dumps({"notifications": [good, {"x": 1}]})
    with_surrogate = plain.replace("]}", r',{"notificationType":"\ud800"}]}')
    [first, second] = items(plain.encode())
    [slow_first, slow_second, third] = items(with_surrogate.encode())
    assert isinstance(first, NotificationIn)
    assert first == slow_first
    assert isinstance(second, Invalid)
    assert second.faults == slow_second.faults
    assert [fault.code for fault in third.faults] == ["surrogate"]


MANY = 150_000


class Wide(msgspec.Struct, forbid_unknown_fields=True):
    tags: Annotated[list[Annotated[str, Meta(max_length=3)]], Meta(max_length=MANY)] = []
    data: dict[str, Any] = {}
    by_name: dict[str, Inner] = {}


wide = JsonBody(Wide)


@pytest.mark.parametrize(
    "value",
    [
        {"tags": ["long"] * 1_000},
        {f"unknown{n}": 1 for n in range(1_000)},
        {"by_name": {str(n): {} for n in range(1_000)}},
        {"data": {str(n): "\0" for n in range(1_000)}},
        {"data": {f"\0{n}": 1 for n in range(1_000)}},
    ],
    ids=["items", "unknown fields", "members", "values", "names"],
)
def test_looking_for_faults_ends_when_there_are_more_than_are_told(value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        wide.decode(json.dumps(value).encode())
    assert len(refused.value.faults) == FAULTS_MAX + 1
    assert str(refused.value).endswith("; and more")


def test_faults_are_looked_for_as_they_are_asked_for() -> None:
    seen = itertools.count()
    with pytest.raises(Invalid):
        hold(Fault("", "bad_value", str(next(seen))) for _ in itertools.repeat(None))
    assert next(seen) == FAULTS_MAX + 1


def test_what_is_too_long_is_not_walked() -> None:
    faults = list(shape_faults({"tags": [1] * (MANY + 1)}, Wide))
    assert [(fault.pointer, fault.code) for fault in faults] == [("/tags", "bad_length")]


def test_a_long_name_does_not_come_back_for_every_item_below_it() -> None:
    for value in (
        {"data": {"x" * 100_000: ["\0"] * 50}},
        {"by_name": {"x" * 100_000: {"tags": ["long"] * 50}}},
    ):
        with pytest.raises(Invalid) as refused:
            wide.decode(json.dumps(value).encode())
        assert sum(len(fault.pointer) for fault in refused.value.faults) < 1_000
        assert all(fault.pointer.endswith("/…") for fault in refused.value.faults)


def test_a_name_that_cannot_be_written_does_not_spoil_the_answer() -> None:
    with pytest.raises(Invalid) as refused:
        wide.decode(rb'{"\ud800":1,"by_name":{"\ud801":{}}}')
    problem, _ = to_problem(refused.value, instance="/x", trace_id="t")
    assert len(msgspec.json.encode(problem)) > 0


@pytest.mark.parametrize("levels", [DEPTH_MAX + 1, 300, 900, 5_000])
def test_depth_beyond_reason_is_a_fault_wherever_it_is_met(levels: int) -> None:
    nested = b"[" * levels + b"]" * levels
    for body in (nested, b'{"data":{"a":' + nested + b"}}", b'{"tags":[' + nested + b"]}"):
        with pytest.raises(Invalid) as refused:
            wide.decode(body)
        assert {fault.code for fault in refused.value.faults} <= {"too_deep", "bad_type"}


def test_a_batch_is_no_way_round_the_size_of_one_request() -> None:
    good = {"notificationType": "a", "recipientId": "1"}
    large = {**good, "data": {"text": "x" * BODY_MAX}}
    plain = json.dumps({"notifications": [good, large]})
    for body in (plain, plain.replace("]}", r',{"notificationType":"\ud800"}]}')):
        first, second, *_ = items(body.encode())
        assert isinstance(first, NotificationIn)
        assert [fault.code for fault in second.faults] == ["too_large"]


def test_a_batch_of_too_many_is_one_fault() -> None:
    for count in (1_001, 500_000):
        with pytest.raises(Invalid) as refused:
            list(items(b'{"notifications":[' + b"0," * (count - 1) + b"0]}"))
        [fault] = refused.value.faults
        assert (fault.code, "1000" in fault.detail) == ("bad_length", True)

"""Kinds of problems, preconditions, keys, masks: the small pure parts."""

import msgspec
import pytest
from litestar.exceptions import NotAuthorizedException

from application.privacy.masking import email, phone
from domain.kernel import errors
from entrypoints.http.kit.fields import renamed
from entrypoints.http.kit.preconditions import Preconditions
from entrypoints.http.notification.bodies import NotificationIn, in_body
from entrypoints.http.problems.kinds import HOME, KINDS
from entrypoints.http.problems.problem import Rejected, to_problem


def answered(error: Exception, **options: bool) -> tuple[int, str, dict[str, str]]:
    problem, headers = to_problem(error, instance="/x", trace_id="t", **options)
    assert problem.title == KINDS[problem.type.removeprefix(HOME)].title
    return problem.status, problem.type.removeprefix(HOME), headers


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.NotFound("x"), (404, "not-found", {})),
        (errors.Conflict("x"), (409, "conflict", {})),
        (errors.KeyReused("x"), (422, "idempotency-key-reused", {})),
        (errors.InFlight("x"), (409, "in-flight", {"Retry-After": "1"})),
        (errors.Overloaded("x"), (503, "overloaded", {"Retry-After": "1"})),
        (errors.StoreUnavailable("x"), (503, "unavailable", {"Retry-After": "5"})),
        (errors.BrokerUnavailable("x"), (503, "unavailable", {"Retry-After": "5"})),
        (errors.Misconfigured("x"), (500, "internal", {})),
        (Rejected("timeout", "x", {"A": "b"}), (408, "timeout", {"A": "b"})),
        (NotAuthorizedException(), (500, "internal", {})),
        (KeyError("x"), (500, "internal", {})),
    ],
)
def test_every_error_has_a_kind(error: Exception, expected: tuple[int, str, dict[str, str]]) -> None:
    assert answered(error) == expected


def test_a_conflict_of_who_quoted_an_etag_is_a_failed_precondition() -> None:
    assert answered(errors.Conflict("x"), conditional=True)[:2] == (412, "precondition-failed")


def test_faults_say_whether_they_are_in_body_query_or_header() -> None:
    faults = [errors.Fault(where, "c", "d") for where in ("", "/a", "?b", ":C")]
    problem, _ = to_problem(errors.Invalid(*faults), instance="/x", trace_id="t")
    assert [(e.pointer, e.parameter, e.header) for e in problem.errors] == [
        ("", None, None),
        ("/a", None, None),
        (None, "b", None),
        (None, None, "C"),
    ]
    assert problem.detail == "4 errors"


def test_a_hundred_faults_are_told_and_that_there_are_more() -> None:
    many = errors.Invalid(*(errors.Fault("/" + "p" * 600, "c", "d" * 100_000) for _ in range(500)))
    problem, _ = to_problem(many, instance="/x", trace_id="t")
    assert len(problem.errors) == errors.FAULTS_MAX
    assert problem.detail == "more than 100 errors: the first 100 are listed"
    assert len(msgspec.json.encode(problem)) < 500_000
    problem, _ = to_problem(many, instance="/x", trace_id="t", faults_max=1)
    assert problem.detail == "more than 100 errors: the first 1 is listed"


@pytest.mark.parametrize(
    ("headers", "version", "kind"),
    [
        ({}, None, None),
        ({}, 3, "precondition-required"),
        ({"if_match": '"3"'}, 3, None),
        ({"if_match": '"2", "3"'}, 3, None),
        ({"if_match": "*"}, 3, None),
        ({"if_match": "*"}, None, "precondition-failed"),
        ({"if_match": '"2"'}, 3, "precondition-failed"),
        ({"if_match": 'W/"3"'}, 3, "precondition-failed"),
        ({"if_match": "3"}, 3, "precondition-failed"),
        ({"if_match": ""}, 3, "precondition-failed"),
        ({"if_none_match": "*"}, None, None),
        ({"if_none_match": "*"}, 3, "precondition-failed"),
        ({"if_none_match": '"3"'}, 3, "precondition-failed"),
        ({"if_none_match": 'W/"3"'}, 3, "precondition-failed"),
        ({"if_none_match": '"4"'}, 3, "precondition-required"),
    ],
)
def test_preconditions(headers: dict[str, str], version: int | None, kind: str | None) -> None:
    seen = Preconditions(headers.get("if_match"), headers.get("if_none_match"))
    if kind is None:
        seen.check(version)
    else:
        with pytest.raises(Rejected) as refused:
            seen.check(version)
        assert refused.value.kind == kind


def test_the_only_recipient_is_pointed_at_where_it_was_given() -> None:
    faults = [errors.Fault("/recipients/0", "c", "d"), errors.Fault("/data/x", "c", "d")]
    one = NotificationIn(notification_type="t", recipient_id="1")
    many = NotificationIn(notification_type="t", recipients=["1"])
    assert [fault.pointer for fault in in_body(faults, one)] == ["/recipientId", "/data/x"]
    assert in_body(faults, many) == faults


def test_pointers_are_renamed_by_whole_steps() -> None:
    faults = [
        errors.Fault(pointer, "c", "d") for pointer in ("/body", "/body/0", "/bodyguard", "/to/user_id")
    ]
    names = {"/body": "/bodyTemplate", "/to/user_id": "/to/userId"}
    pointers = [fault.pointer for fault in renamed(faults, names)]
    assert pointers == ["/bodyTemplate", "/bodyTemplate/0", "/bodyguard", "/to/userId"]


def test_masks_show_enough_to_recognise() -> None:
    assert email("lisa@example.com") == "l•••@example.com"
    assert email('"a@b"@example.com') == '"•••@example.com'
    assert phone("+4930901820") == "+49•••20"

"""What an answer means, by the rules of a description; what no rule knows is judged by its status."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import assert_never

import msgspec

from adapters.providers.kit.error_kinds import ErrorKind
from adapters.providers.kit.http import RETRY_AFTER_MAX, HttpAnswer, error_outcome, no_reference
from domain.kernel.json_values import Json
from domain.provider.description import AnswerTest, Meaning, ProviderDescription, ResultRule, RetryAfterAt
from domain.provider.outcome import Accepted, Outcome

_KINDS: Mapping[Meaning, ErrorKind] = {
    Meaning.REFUSED: ErrorKind.RECIPIENT,
    Meaning.UNSUBSCRIBED: ErrorKind.UNSUBSCRIBED,
    Meaning.THROTTLED: ErrorKind.THROTTLED,
    Meaning.RETRY: ErrorKind.TEMPORARY,
    Meaning.ACCOUNT: ErrorKind.ACCOUNT,
    Meaning.REQUEST: ErrorKind.REQUEST,
    Meaning.UNKNOWN: ErrorKind.UNKNOWN,
}
REFERENCE_MAX = 200
"""Characters of a provider's id that are kept."""


class AnswerReader:
    """Reads the answers of one provider."""

    def __init__(self, described: ProviderDescription) -> None:
        self._described = described
        self._codes = frozenset(
            str(each)
            for rule in described.results
            for test in rule.tests
            for each in (test.equals, *(test.any_of or ()))
            if isinstance(each, str)
        )

    def outcome(self, answer: HttpAnswer, ours: str, now: datetime) -> Outcome:
        """What an answer means.

        Args:
            ours: stands for the provider's id where it gives none.
        """
        said = answer.json()
        text = answer.body.decode(errors="replace").lower()
        meaning = next(
            (rule.means for rule in self._described.results if _fits(rule, answer, said, text)), None
        )
        if meaning is Meaning.ACCEPTED or (meaning is None and answer.successful):
            return self._accepted(answer, said, ours)
        return error_outcome(
            answer,
            now,
            None if meaning is None else _KINDS[meaning],
            code=self._code(said),
            words=None if self._described.words is None else at(said, self._described.words),
            retry_after=_retry_after(self._described.retry_after, answer, said, now),
        )

    def _accepted(self, answer: HttpAnswer, said: Json, ours: str) -> Outcome:
        where = self._described.reference
        if where is None:
            return Accepted(ours)
        found = answer.headers.get(where.header) if where.header else at(said, where.at or "")
        if isinstance(found, str | int) and not isinstance(found, bool) and str(found):
            return Accepted(str(found)[:REFERENCE_MAX])
        return no_reference(answer)

    def _code(self, said: Json) -> object:
        """A number, or a code that the description itself has: others might be the recipient's."""
        found = None if self._described.code is None else at(said, self._described.code)
        if isinstance(found, int) or (isinstance(found, str) and (found.isdigit() or found in self._codes)):
            return found
        return None


def at(document: Json, pointer: str) -> Json:
    """What a JSON pointer leads to; None: nothing."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdigit() and len(name) < 5:
            document = document[int(name)] if int(name) < len(document) else None
        else:
            return None
    return document


def _fits(rule: ResultRule, answer: HttpAnswer, said: Json, text: str) -> bool:
    if rule.status and not any(_within(answer.status, each) for each in rule.status):
        return False
    return all(_holds(test, answer, said, text) for test in rule.tests)


def _within(status: int, span: str) -> bool:
    low, _, high = span.partition("-")
    return int(low) <= status <= int(high or low)


def _holds(test: AnswerTest, answer: HttpAnswer, said: Json, text: str) -> bool:
    if test.header is not None:
        found: Json = answer.headers.get(test.header)
    else:
        found = text if test.at is None else at(said, test.at)
    if test.exists is not None:
        return (found is not None) is test.exists
    if test.contains is not None:
        return isinstance(found, str) and test.contains.lower() in found.lower()
    if test.any_of is not None:
        return any(_same(found, each) for each in test.any_of)
    if test.between is not None:
        low, high = test.between
        return isinstance(found, int | float) and not isinstance(found, bool) and low <= found <= high
    return test.equals is not msgspec.UNSET and _same(found, test.equals)


def _same(found: Json, wanted: Json) -> bool:
    """Equal as JSON: true is not 1."""
    return found == wanted and isinstance(found, bool) is isinstance(wanted, bool)


def _retry_after(
    where: RetryAfterAt | None, answer: HttpAnswer, said: Json, now: datetime
) -> timedelta | None:
    if where is None:
        return None
    found = answer.headers.get(where.header) if where.header else at(said, where.at or "")
    try:
        number = float(found or "")
        match where.unit:
            case "seconds":
                wait = timedelta(seconds=number)
            case "milliseconds":
                wait = timedelta(milliseconds=number)
            case "epoch":
                wait = datetime.fromtimestamp(number, UTC) - now
            case _:
                assert_never(where.unit)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return min(max(wait, timedelta()), RETRY_AFTER_MAX)

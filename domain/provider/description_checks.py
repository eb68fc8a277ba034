"""What is wrong with a description of a provider; pointers are those of its JSON."""

import re
from collections.abc import Generator, Iterator, Mapping

import msgspec

from domain.kernel.errors import Fault
from domain.kernel.json_values import Json
from domain.provider.description import (
    DESCRIPTION_MAX,
    AnswerTest,
    FormFields,
    HeaderAuth,
    JsonDocument,
    NoAuth,
    ProviderDescription,
    QueryAuth,
)
from domain.provider.description_kit import TEXT_MAX, header_fault, pointer_fault
from domain.provider.placeholders import Place, PlacedText, parsed, place
from domain.provider.webhook_description import webhook_faults, webhook_references
from domain.secret.reference import secret_reference

MESSAGE = frozenset(
    "delivery attempt reference channel type address name subject body html parts".split()  # noqa: SIM905
)
"""What `message` has: `adapters.providers.described.http.request`."""
NODES_MAX, DEPTH_MAX = 500, 20
"""Of a JSON document."""
CONDITIONS = ("$when", "$unless")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_FIELD = re.compile(r"[A-Za-z0-9_.~-]{1,100}")
_SECRETIVE = re.compile(r"auth|token|secret|password|api-?key", re.IGNORECASE)
_BEGINNING = re.compile(
    r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?([/?][!-~]*)?\Z"
)
"""Of a URL: scheme, host and port, and what stands before the first place."""
_STATUS = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?")
REFERENCE_HELP = "a reference, not the secret itself: env:NAME, file:NAME or secret:PATH#FIELD"


def faults(described: ProviderDescription) -> Iterator[Fault]:
    """Everything that is wrong with it."""
    if len(msgspec.json.encode(described)) > DESCRIPTION_MAX:
        yield Fault("", "too_large", f"a description has at most {DESCRIPTION_MAX // 1024} KiB of JSON")
    yield from _names(described)
    yield from _references(described)
    yield from _url(described)
    yield from _headers(described)
    yield from _body(described)
    yield from _results(described)
    if described.webhook is not None:
        yield from webhook_faults(described.webhook)


def _names(described: ProviderDescription) -> Iterator[Fault]:
    for at, names in (("/variables", described.variables), ("/secrets", described.secrets)):
        for name in names:
            if not _NAME.fullmatch(name):
                yield Fault(
                    f"{at}/{_step(name)}", "bad_name", "a small letter, then small letters, digits and _"
                )
    for n, channel in enumerate(described.channels):
        if not _NAME.fullmatch(channel):
            yield Fault(f"/channels/{n}", "bad_name", "no name of a channel")


def references(described: ProviderDescription) -> dict[str, str]:
    """Where it names secrets, and how."""
    named = {f"/secrets/{_step(name)}": reference for name, reference in described.secrets.items()}
    if not isinstance(described.auth, NoAuth):
        named["/auth/secret"] = described.auth.secret
    if described.webhook is not None:
        named |= dict(webhook_references(described.webhook))
    return named


def _references(described: ProviderDescription) -> Iterator[Fault]:
    for at, reference in references(described).items():
        if secret_reference(reference) is None:
            yield Fault(at, "inline_secret", f"give {REFERENCE_HELP}")


def _url(described: ProviderDescription) -> Iterator[Fault]:
    read = yield from _text("/url", described.url, described)
    if read is None or whole_url(read):
        return
    beginning = _BEGINNING.match(fixed_beginning(read, described.variables))
    if beginning is None or int(beginning[1] or 443) not in range(1, 65_536):
        detail = "begins with https:// and a host; only path and query have places, or it is a place alone"
        yield Fault("/url", "bad_url", detail)
    elif len(read) > 1 and not beginning[2]:
        yield Fault("/url", "bad_url", "a place may not stand in the host: write / before it")


def whole_url(read: PlacedText) -> bool:
    """Whether the URL is a secret, or the recipient's address, and what is added to it stands fast."""
    [first, *others] = read or ("",)
    if not isinstance(first, Place) or first.filters or any(isinstance(part, Place) for part in others):
        return False
    return first.path == ("message", "address") or first.path[0] == "secrets"


def fixed_beginning(read: PlacedText, variables: Mapping[str, str]) -> str:
    """What stands before the first place; a variable at the very beginning is put in as it is."""
    [first, *others] = read or ("",)
    if isinstance(first, str):
        return first
    if len(first.path) == 2 and first.path[0] == "variables" and not first.filters:
        following = others[0] if others and isinstance(others[0], str) else ""
        return variables.get(first.path[1], "") + following
    return ""


def _headers(described: ProviderDescription) -> Iterator[Fault]:
    names = dict.fromkeys(described.headers)
    if isinstance(described.auth, HeaderAuth):
        yield from header_fault("/auth/name", described.auth.name)
    if described.idempotency_header is not None:
        yield from header_fault("/idempotencyHeader", described.idempotency_header)
    if isinstance(described.auth, QueryAuth) and not _FIELD.fullmatch(described.auth.name):
        yield Fault("/auth/name", "bad_name", "the name of a query's field")
    for name in names:
        at = f"/headers/{_step(name)}"
        yield from header_fault(at, name)
        text = described.headers[name]
        if re.search(r"[^\x20-\x7e]", text):
            yield Fault(at, "bad_character", "a header has visible ASCII characters alone")
        read = yield from _text(at, text, described)
        if read and _SECRETIVE.search(name) and all(isinstance(part, str) for part in read):
            detail = (
                f"looks like a secret: name it in `secrets` by {REFERENCE_HELP}; then {{{{ secrets.NAME }}}}"
            )
            yield Fault(at, "inline_secret", detail)


def _body(described: ProviderDescription) -> Iterator[Fault]:
    match described.body:
        case JsonDocument(document=document):
            yield from _document(document, described)
        case FormFields(fields=fields):
            for name, text in fields.items():
                yield from _text(f"/body/fields/{_step(name)}", text, described)
        case body:
            yield from _text("/body/text", body.text, described)


def _document(document: Json, described: ProviderDescription) -> Iterator[Fault]:
    waiting: list[tuple[str, Json, int]] = [("/body/document", document, 0)]
    seen = 0
    while waiting:
        at, node, depth = waiting.pop()
        seen += 1
        if seen > NODES_MAX or depth > DEPTH_MAX:
            yield Fault(at, "too_large", f"at most {NODES_MAX} values, {DEPTH_MAX} deep")
            return
        if isinstance(node, Mapping):
            for name, member in node.items():
                if name in CONDITIONS:
                    yield from _condition(f"{at}/{name}", member, described)
                else:
                    waiting.append((f"{at}/{_step(name)}", member, depth + 1))
        elif isinstance(node, list):
            waiting += [(f"{at}/{n}", member, depth + 1) for n, member in enumerate(node)]
        elif isinstance(node, str):
            if len(node) > TEXT_MAX:
                yield Fault(at, "too_long", f"a text has at most {TEXT_MAX:,} characters")
            else:
                yield from _text(at, node, described)


def _condition(at: str, said: Json, described: ProviderDescription) -> Iterator[Fault]:
    try:
        yield from _unknown(at, place(said if isinstance(said, str) else ""), described)
    except ValueError:
        yield Fault(at, "bad_place", "a path such as message.parts.template")


def _text(at: str, text: str, described: ProviderDescription) -> Generator[Fault, None, PlacedText | None]:
    try:
        read = parsed(text)
    except ValueError as fault:
        yield Fault(at, "bad_place", str(fault))
        return None
    for part in read:
        if isinstance(part, Place):
            yield from _unknown(at, part, described)
    return read


def _unknown(at: str, part: Place, described: ProviderDescription) -> Iterator[Fault]:
    root, *steps = part.path
    known = {"message": MESSAGE, "variables": described.variables, "secrets": described.secrets}.get(root)
    if known is None:
        yield Fault(at, "unknown_place", f"'{root[:60]}' is none of message, variables, secrets")
    elif not steps or steps[0] not in known:
        has = ", ".join(sorted(known)) or "nothing"
        yield Fault(at, "unknown_place", f"{root} has no '{'.'.join(steps)[:60]}'; it has {has}")
    elif len(steps) > 1 and steps[0] != "parts":
        yield Fault(at, "unknown_place", f"'{'.'.join(part.path)[:60]}' leads into a text")


def _results(described: ProviderDescription) -> Iterator[Fault]:
    for n, rule in enumerate(described.results):
        at = f"/results/{n}"
        for m, status in enumerate(rule.status):
            found = _STATUS.fullmatch(status)
            if not found or (found[2] and found[2] < found[1]):
                yield Fault(f"{at}/status/{m}", "bad_status", "such as 429 or 200-299")
        if not rule.status and not rule.tests:
            yield Fault(at, "no_test", "name statuses, tests, or both")
        for m, test in enumerate(rule.tests):
            yield from _test(f"{at}/tests/{m}", test)
    for name, where in (("reference", described.reference), ("retryAfter", described.retry_after)):
        if where is not None:
            if (where.at is None) == (where.header is None):
                yield Fault(f"/{name}", "ambiguous", "give `at` or `header`, one of them")
            yield from pointer_fault(f"/{name}/at", where.at)
    yield from pointer_fault("/code", described.code)
    yield from pointer_fault("/words", described.words)


def _test(at: str, test: AnswerTest) -> Iterator[Fault]:
    yield from pointer_fault(f"{at}/at", test.at)
    if test.at is not None and test.header is not None:
        yield Fault(at, "ambiguous", "give `at` or `header`, not both")
    said = [
        test.equals is not msgspec.UNSET,
        test.any_of,
        test.contains,
        test.exists is not None,
        test.between,
    ]
    if sum(map(bool, said)) != 1:
        yield Fault(at, "ambiguous", "give one of equals, anyOf, contains, exists, between")


def _step(name: str) -> str:
    return name[:100].replace("~", "~0").replace("/", "~1")

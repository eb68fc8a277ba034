"""The kinds of problems: status, title, and what to do about each."""

import msgspec

HOME = "/problems/"
"""A problem's type is a path of this service, where what to do about it stands."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of problem."""

    status: int
    title: str
    advice: str


KINDS = {
    "malformed": Kind(400, "The request cannot be read", "Send UTF-8 JSON, well formed."),
    "unauthorized": Kind(
        401,
        "A valid API key is required",
        "Send `Authorization: Bearer ph_live_…` (or `ph_test_…`) with a key that is neither revoked nor "
        "expired. `posthorn key create` makes one.",
    ),
    "forbidden": Kind(
        403,
        "This takes a live key",
        "What it changes governs live messages: ask again with a key `ph_live_…`.",
    ),
    "not-found": Kind(
        404,
        "There is no such thing",
        "Check the path and the id. What belongs to a test key is seen with test keys only.",
    ),
    "method-not-allowed": Kind(405, "The method is not allowed here", "`Allow` lists those that are."),
    "timeout": Kind(408, "The request took too long to arrive", "Send it again."),
    "conflict": Kind(409, "It conflicts with what is there", "Read the resource again, then decide."),
    "in-flight": Kind(
        409,
        "The same idempotency key is being accepted right now",
        "Send the same request again after `Retry-After` seconds: the answer will be the first one's.",
    ),
    "precondition-failed": Kind(
        412, "It changed since you read it", "Read it again, and send `If-Match` with its new `ETag`."
    ),
    "too-large": Kind(413, "The body is too large", "256 KiB at most, 4 MiB for a batch."),
    "target-too-long": Kind(414, "The request's target is too long", "8 KiB at most: ask for less at once."),
    "unsupported-media-type": Kind(
        415,
        "The body is not JSON by its own word",
        "Send `Content-Type: application/json`, and no `Content-Encoding`.",
    ),
    "misdirected": Kind(
        421, "This is not served under that name", "Ask for it by its IP address, or as `localhost`."
    ),
    "invalid": Kind(
        422,
        "The request is not valid",
        "`errors` lists what is wrong, a hundred at most: `pointer` (RFC 6901) leads into the body, "
        "`parameter` names a query parameter, `header` a header.",
    ),
    "idempotency-key-reused": Kind(
        422,
        "The idempotency key belongs to another request",
        "Use a new key for a new request. Keys are kept for 90 days.",
    ),
    "precondition-required": Kind(
        428, "If-Match is required", "Read the resource, and send its `ETag` back as `If-Match`."
    ),
    "head-too-large": Kind(431, "The request's head is too large", "Send fewer or shorter headers."),
    "internal": Kind(500, "Something went wrong here", "Nobody told us how. Report the `trace_id`."),
    "not-implemented": Kind(501, "This part of HTTP is not spoken here", "Send plain HTTP/1.1."),
    "overloaded": Kind(503, "Too much is waiting", "Send it again after `Retry-After` seconds."),
    "unavailable": Kind(
        503,
        "The service cannot do this now",
        "Send it again after `Retry-After` seconds, with the same idempotency key.",
    ),
    "http-version": Kind(505, "This version of HTTP is not spoken here", "Send HTTP/1.1."),
}

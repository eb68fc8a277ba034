"""Heads of requests: what is refused of what the parser lets pass, and its errors in words of HTTP."""

from collections.abc import Sequence

import httptools

from entrypoints.http.problems.problem import Rejected

_VERSIONS = ("1.1", "1.0")
_BODY_HEADERS = (b"content-length", b"transfer-encoding")


def head_refusal(version: str, headers: Sequence[tuple[bytes, bytes]], *, upgrade: bool) -> Rejected | None:
    """Why a request is not answered.

    Args:
        headers: names in small letters.
        upgrade: it wishes for another protocol; the parser then leaves its body aside.
    """
    if version not in _VERSIONS:
        return Rejected("http-version", f"this is HTTP/1.1, not HTTP/{version}")
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding" and value.strip().lower() != b"chunked":
            return Rejected("not-implemented", "the only transfer coding that is read is `chunked`")
        if upgrade and name in _BODY_HEADERS and value.strip(b" 0"):
            return Rejected("malformed", "send a request with a body without `Upgrade`")
    if hosts > 1 or (not hosts and version == "1.1"):
        return Rejected("malformed", "a request has one Host header (RFC 9112, 3.2)")
    return None


def parser_refusal(error: httptools.HttpParserError) -> Rejected:
    """What the parser found, in words of HTTP."""
    match error:
        case httptools.HttpParserInvalidMethodError():
            return Rejected("malformed", "there is no such method; their names are in capitals")
        case httptools.HttpParserInvalidURLError() | httptools.HttpParserCallbackError():
            return Rejected("malformed", "the target cannot be read: percent-encode what is not ASCII")
        case _:
            return Rejected("malformed", f"this is not HTTP/1.1: {error}")

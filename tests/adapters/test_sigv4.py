"""Signatures of AWS; those of whole requests are compared with botocore's in tests/peers."""

from datetime import UTC, datetime

from adapters.providers.kit.sigv4 import Credentials, Signer
from domain.kernel.secret import Secret

KEY = Credentials("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))


def test_a_published_vector() -> None:
    """`post-x-www-form-urlencoded` of AWS's test suite for Signature Version 4."""
    headers = Signer(KEY, "us-east-1", "service").signed(
        "https://example.amazonaws.com/",
        "application/x-www-form-urlencoded",
        b"Param1=value1",
        datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    )


def test_what_is_missing_is_named() -> None:
    assert [name for name, _ in Credentials("", None).faults()] == ["key_id", "secret"]
    assert not list(KEY.faults())

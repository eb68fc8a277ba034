"""Signatures of Standard Webhooks."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.http.signatures import signed, signing_key

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_signature_is_the_standards_own() -> None:
    """The example of the standard's reference libraries."""
    headers = signed([signing_key(KEY)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_while_a_secret_changes_both_sign() -> None:
    new = signing_key("whsec_" + base64.b64encode(b"n" * 32).decode())
    headers = signed([new, signing_key(KEY)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    first, second = headers["webhook-signature"].split()
    assert first != second == SIGNATURE


@pytest.mark.parametrize("extra", [b"", b"p" * 32], ids=["seed", "seed and public key"])
def test_an_asymmetric_key_is_read_with_and_without_its_public_key(extra: bytes) -> None:
    key = signing_key("whsk_" + base64.b64encode(b"s" * 32 + extra).decode())
    assert isinstance(key, Ed25519PrivateKey)
    assert key.private_bytes_raw() == b"s" * 32


@pytest.mark.parametrize(
    "written",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_not base64, but long enough for one",
        "whsk_" + base64.b64encode(b"x" * 31).decode(),
    ],
)
def test_what_is_no_key_says_nothing_of_itself(written: str) -> None:
    with pytest.raises(ValueError, match="is neither") as told:
        signing_key(written)
    assert not written[6:] or written[6:] not in str(told.value)

"""Web Push: `http_ece` decrypts what we encrypt, and Mozilla's `py-vapid` verifies our tokens.

No push service runs here: that the look-alike answers as one is held to the RFCs alone.
"""

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from py_vapid import Vapid02

from adapters.providers.push.web_push.encryption import encrypt, point, public_key
from adapters.providers.push.web_push.vapid import Vapid, encoded, signing_key
from adapters.system import SystemClock

AUTH = b"sixteen octets.."


@pytest.mark.parametrize("text", [b"", b"hello", b"ends with \x02", "谢谢 🎉".encode(), b"x" * 3993])
def test_http_ece_decrypts_what_we_encrypt(text: bytes) -> None:
    browser = generate_private_key(SECP256R1())
    body = encrypt(text, browser.public_key(), AUTH)
    assert http_ece.decrypt(body, private_key=browser, auth_secret=AUTH, version="aes128gcm") == text


def test_http_ece_encrypts_the_same() -> None:
    browser, ours = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    salt = b"salt of sixteen."
    theirs = http_ece.encrypt(
        b"hello",
        salt=salt,
        private_key=ours,
        dh=point(browser.public_key()),
        auth_secret=AUTH,
        rs=4096,
        version="aes128gcm",
    )
    assert encrypt(b"hello", public_key(point(browser.public_key())), AUTH, ours=ours, salt=salt) == theirs


def test_py_vapid_verifies_our_token() -> None:
    key = generate_private_key(SECP256R1())
    header = Vapid(key, "mailto:push@shop.test", SystemClock()).authorization("https://push.example.net")
    assert Vapid02.verify(header)
    another = encoded(point(generate_private_key(SECP256R1()).public_key()))
    assert not Vapid02.verify(f"{header.partition(',k=')[0]},k={another}")


def test_py_vapid_reads_the_same_key() -> None:
    key = generate_private_key(SECP256R1())
    raw = encoded(key.private_numbers().private_value.to_bytes(32, "big"))
    theirs = Vapid02.from_raw(raw.encode())
    assert signing_key(raw).private_numbers() == theirs.private_key.private_numbers() == key.private_numbers()
    assert signing_key(theirs.private_pem().decode()).private_numbers() == key.private_numbers()

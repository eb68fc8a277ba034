"""References to secrets: what is one, and what may be named from outside."""

import pytest

from domain.secret.reference import (
    EnvReference,
    FileReference,
    Scope,
    SecretReference,
    StoredReference,
    secret_reference,
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("env:SMTP_PASSWORD", EnvReference("SMTP_PASSWORD")),
        ("file:/run/secrets/smtp", FileReference("/run/secrets/smtp")),
        ("secret:mail/postmark#token", StoredReference("mail/postmark", "token")),
        ("secret:..mail/a.b#x-y", StoredReference("..mail/a.b", "x-y")),
    ],
)
def test_references(text: str, meant: SecretReference) -> None:
    assert secret_reference(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        "env:",
        "env:9LIVES",
        "env:A B",
        "file:",
        "file:/a\nb",
        "secret:mail",
        "secret:#token",
        "secret:mail/#token",
        "secret:mail/../sys#token",
        "secret:../sys#token",
        "secret:mail/..#token",
        "secret:mail?x#token",
        "secret:mail%2f..#token",
        "secret:mail#a#b",
        "env:" + "A" * 500,
    ],
)
def test_what_is_no_reference_is_a_secret_itself(text: str) -> None:
    assert secret_reference(text) is None


SCOPE = Scope(env_prefix="SHOP_", folder="/run/shop", path_prefix="shop/")


@pytest.mark.parametrize("text", ["env:SHOP_TOKEN", "file:token", "secret:shop/slack#url"])
def test_what_the_operator_allows_may_be_named(text: str) -> None:
    reference = secret_reference(text)
    assert reference is not None
    assert SCOPE.refusal(reference) is None
    assert Scope().refusal(reference) is not None


@pytest.mark.parametrize(
    "text",
    [
        "env:POSTHORN_VAULT__SECRET",
        "env:NOT_SHOP_TOKEN",
        "file:/etc/passwd",
        "file:a/../../etc/passwd",
        "secret:shop#url",
        "secret:shopping/slack#url",
        "secret:posthorn/vault#secret",
    ],
)
def test_nothing_else_may(text: str) -> None:
    reference = secret_reference(text)
    assert reference is not None
    assert SCOPE.refusal(reference) is not None

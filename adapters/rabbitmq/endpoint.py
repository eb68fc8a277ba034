"""Where a broker is and who we are to it: an AMQP URL and, for TLS, a context."""

import ssl
from urllib.parse import unquote, urlsplit

import msgspec

from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret

PORTS = {"amqp": 5672, "amqps": 5671}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a broker."""

    host: str
    port: int
    vhost: str = "/"
    user: str = "guest"
    password: Secret = Secret("guest")
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port} (vhost {self.vhost})"

    @classmethod
    def parse(cls, url: Secret, tls: ssl.SSLContext | None = None) -> "Endpoint":
        """Read `amqp[s]://user:password@host:port/vhost`; TLS with a context, or when `amqps` asks for it.

        No user at all in the URL is `guest`; an empty one (`amqps://@host`) logs in by client certificate.

        Raises:
            Misconfigured: not such a URL.
        """
        parts = urlsplit(url.reveal())
        if parts.scheme not in PORTS or not parts.hostname:
            raise Misconfigured(f"not an AMQP URL (amqp://user:password@host:5672/vhost): {url}")
        if parts.scheme == "amqps" and tls is None:
            tls = ssl.create_default_context()
        return cls(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            vhost=unquote(parts.path[1:]) or "/",
            user=unquote(parts.username) if parts.username is not None else "guest",
            password=Secret(unquote(parts.password) if parts.password is not None else "guest"),
            tls=tls,
        )


def tls_context(
    *, ca_file: str | None = None, certificate: str | None = None, key: str | None = None, verify: bool = True
) -> ssl.SSLContext:
    """Trust `ca_file` (else the system's CAs); show `certificate` with `key` when the broker asks for one.

    `verify=False` takes any certificate: it protects against listeners only, not against impostors.

    Raises:
        Misconfigured: a file is missing or cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate:
            context.load_cert_chain(certificate, key)
    except OSError as fault:  # ssl.SSLError is one
        raise Misconfigured(f"TLS files {ca_file}, {certificate}, {key}: {fault}") from fault
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

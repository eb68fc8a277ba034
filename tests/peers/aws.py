"""Amazon's own client (PyPI `botocore`), and its signature of a request that we have sent."""

from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.session import Session

from tests.peers.requests import Seen

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+=="
REGION = "eu-central-1"
SIGNED = ("Host", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "Authorization")


def client(service: str, url: str) -> Any:
    """Amazon's client of a service, which calls this URL and repeats nothing."""
    return Session().create_client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}),
    )


class _SigV4AuthAt(SigV4Auth):
    """Signs for the time that the request has, not for now."""

    def _modify_request_before_signing(self, request: AWSRequest) -> None:
        request.context["timestamp"] = request.headers["X-Amz-Date"]
        super()._modify_request_before_signing(request)


def their_authorization(got: Seen, url: str, body: bytes, service: str, token: str | None = None) -> str:
    """What botocore writes into `Authorization` for what was sent; it takes the host from the URL."""
    headers = {name: value for name, value in got.headers.items() if name not in {"Authorization", "Host"}}
    request = AWSRequest("POST", f"{url}{got.path}", headers=headers, data=body)
    _SigV4AuthAt(Credentials(KEY_ID, SECRET, token), service, REGION).add_auth(request)
    return str(request.headers["Authorization"])

"""`posthorn send`: one notification, through the REST API or straight into the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from domain.kernel.errors import PosthornError, Unavailable
from domain.kernel.json_values import Json
from entrypoints.cli.fields import fields
from entrypoints.cli.shell import Shell, embedded_options, json_option, pass_shell, run, show

_PRIORITIES = click.Choice(["critical", "high", "medium", "low"])
_CLASSES = click.Choice(["otp", "transactional", "marketing"])
_ROUTINGS = click.Choice(["all", "first"])
_TIMEOUT = 30  # seconds


@click.command()
@click.argument("recipient")
@click.option("--type", "kind", default="message", show_default=True, help="Notification type.")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    help="email, sms, ...; several in order.  Else the template's, the type's, or what the recipient is.",
)
@click.option("--routing", type=_ROUTINGS, help="On all of the channels, or on the first that reaches them.")
@click.option("--priority", type=_PRIORITIES, help="How urgent; else the type's, or medium.")
@click.option("--class", "klass", type=_CLASSES, help="What for; else the type's, or transactional.")
@click.option("--template", help="Template id, instead of --subject and --body.")
@click.option("--with", "given", multiple=True, metavar="NAME=VALUE", help="For the template; JSON or text.")
@click.option("--subject", help="Of an e-mail.")
@click.option("--body", help="Plain text.")
@click.option("--html", help="HTML.")
@click.option("--idempotency-key", "key", help="Sent again with the same key, it is accepted once.")
@click.option("--url", help="Base URL of the API; without it the database is written to directly.")
@click.option("--api-key", envvar="POSTHORN_API_KEY", help="With --url; better in POSTHORN_API_KEY.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@json_option
@embedded_options
@pass_shell
def send(
    shell: Shell,
    /,
    folder: Path | None,
    url: str | None,
    api_key: str | None,
    **options: Any,  # click hands them over by name
) -> None:
    """Send one notification to RECIPIENT: an e-mail address, a telephone number (+49...), or a customer's id.

    Straight into the database it is accepted when this returns, and sent by the processes that run.
    """
    as_json, dry_run = options.pop("as_json"), options.pop("dry_run")
    body = _body(**options)
    if url is None:
        answer = run(lambda: _directly(shell, folder, body, dry_run=dry_run))
    elif not api_key:
        raise click.UsageError("--url needs an API key: set POSTHORN_API_KEY")
    else:
        answer = run(lambda: _by_http(url, api_key, body, dry_run=dry_run))
    if as_json or dry_run:
        show(answer)
    else:
        click.echo(f"Accepted: {answer['id']}" + (" (a replay)" if answer.get("replayed") else ""))


def _body(
    *,
    recipient: str,
    kind: str,
    channels: Sequence[str],
    routing: str | None,
    given: Sequence[str],
    klass: str | None,
    priority: str | None,
    template: str | None,
    subject: str | None,
    body: str | None,
    html: str | None,
    key: str | None,
) -> dict[str, Json]:
    """The body of `POST /api/notifications`."""
    at = "email" if "@" in recipient else "phone" if recipient.startswith("+") else "userId"
    speaks = template is None and (subject or body or html)
    guessed = {"email": "email", "phone": "sms"}.get(at) if speaks else None
    one = channels[0] if len(channels) == 1 else guessed if not channels else None
    said = {
        "notificationType": kind,
        "channelType": one,
        "channels": list(channels) if len(channels) > 1 else None,
        "routing": routing,
        "priority": priority,
        "class": klass,
        "templateId": template,
        "recipients": [{at: recipient}],
        "data": fields(given) or None,
        "subject": subject,
        "body": body,
        "htmlBody": html,
        "idempotencyKey": key,
    }
    return {name: value for name, value in said.items() if value is not None}


async def _by_http(url: str, api_key: str, body: dict[str, object], *, dry_run: bool) -> dict[str, Json]:
    import aiohttp

    where = f"{url.rstrip('/')}/api/notifications" + ("?dry_run=true" if dry_run else "")
    headers = {"Authorization": f"Bearer {api_key}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_TIMEOUT)) as session,
            session.post(where, json=body, headers=headers) as answer,
        ):
            answered: dict[str, Json] = await answer.json(content_type=None)
            replayed = "Idempotency-Replayed" in answer.headers
    except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
        raise Unavailable(f"no answer from {url}: {type(fault).__name__}") from None
    if answer.status >= 400:
        raise PosthornError(f"refused ({answer.status}): {_problem(answered)}")
    return answered | ({"replayed": True} if replayed else {})


def _problem(answered: dict[str, Json]) -> str:
    faults = "; ".join(
        f"{each.get('pointer') or each.get('parameter')}: {each['detail']}"
        for each in answered.get("errors", [])
    )
    return faults or answered.get("detail") or answered.get("title", "")


async def _directly(
    shell: Shell, folder: Path | None, body: dict[str, object], *, dry_run: bool
) -> dict[str, Json]:
    from config import lifecycle
    from domain.kernel.channel import Mode
    from entrypoints.http.notification.bodies import NotificationIn, to_request

    try:
        given = msgspec.convert(body, NotificationIn)
    except msgspec.ValidationError as fault:
        raise click.UsageError(str(fault)) from None
    request = to_request(given, key=given.idempotency_key, mode=Mode.LIVE, traceparent=None)
    async with lifecycle.on_database(shell.load().settings, folder) as container:
        if dry_run:
            previewed: dict[str, Json] = msgspec.to_builtins(await container.notification.preview()(request))
            return previewed
        submitted = await container.notification.submit()(request)
        return {"id": str(submitted.id), "replayed": submitted.replayed}

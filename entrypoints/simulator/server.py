"""All simulated providers on one port, each under the name of its kind: `http://127.0.0.1:8026/postmark`.

What is wrong with one of them for a while: `entrypoints.simulator.faults`.
"""

from collections.abc import Callable, Mapping

from aiohttp import web

from entrypoints.simulator.chat.bots import slack_bot, telegram, whatsapp
from entrypoints.simulator.chat.hooks import discord, slack, teams
from entrypoints.simulator.email.mailgun import mailgun
from entrypoints.simulator.email.postmark import postmark
from entrypoints.simulator.email.resend import resend
from entrypoints.simulator.email.sendgrid import sendgrid
from entrypoints.simulator.email.ses import ses
from entrypoints.simulator.faults import ProviderFaults
from entrypoints.simulator.kit import BODY_MAX, Simulator
from entrypoints.simulator.push.fcm import fcm, fcm_tokens
from entrypoints.simulator.push.onesignal import onesignal
from entrypoints.simulator.push.web_push import web_push
from entrypoints.simulator.sms.sns import sns
from entrypoints.simulator.sms.twilio import twilio
from entrypoints.simulator.sms.vonage import vonage
from entrypoints.simulator.webhook.webhook import webhook

LOOK_ALIKES: Mapping[str, Callable[[Simulator], list[web.RouteDef]]] = {
    "discord": discord,
    "fcm": lambda simulator: [*fcm(simulator), *fcm_tokens(simulator)],
    "mailgun": mailgun,
    "onesignal": onesignal,
    "postmark": postmark,
    "resend": resend,
    "sendgrid": sendgrid,
    "ses": ses,
    "slack": slack,
    "slack_bot": slack_bot,
    "sns": sns,
    "teams": teams,
    "telegram": telegram,
    "twilio": twilio,
    "vonage": vonage,
    "web_push": web_push,
    "webhook": webhook,
    "whatsapp": whatsapp,
}
"""By the kind of provider, or the preset."""


async def serve(
    simulator: Simulator, host: str, port: int, faults: ProviderFaults | None = None
) -> web.AppRunner:
    """Listen until the runner is cleaned up; port 0 takes a free one, which `runner.addresses` names.

    Args:
        faults: what is wrong with them, for who wants to change it without a call.

    Raises:
        OSError: the port is taken.
    """
    app = web.Application(client_max_size=BODY_MAX)
    faults = ProviderFaults() if faults is None else faults
    app.router.add_routes(faults.routes(frozenset(LOOK_ALIKES)))
    for kind, routes in LOOK_ALIKES.items():
        one = web.Application(client_max_size=BODY_MAX, middlewares=[faults.middleware(kind)])
        one.router.add_routes(routes(simulator))
        app.add_subapp(f"/{kind}/", one)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner

"""What is wrong with a template beside its language: with its parts, and with what its channel needs."""

from collections.abc import Collection, Iterator

from domain.channel.content import lacking, sender_faults
from domain.kernel.errors import Fault
from domain.template.template import PARTS_AT, Template


def content_faults(template: Template, senders: Collection[str]) -> Iterator[Fault]:
    """What could not be sent, whatever the data is.

    Args:
        senders: the names of those that are configured.
    """
    yield from sender_faults(template.channel, template.parts, PARTS_AT, senders)
    lacks = lacking(template.channel, template.subject, template.body, template.html_body, template.parts)
    if lacks:
        yield Fault("/body", "missing", lacks)

"""What is shipped fits together: every trigger has its template, every template renders its sample."""

import re
from importlib.resources import files

import msgspec
import pytest

from adapters.rendering import JinjaRenderer
from adapters.system import SystemClock
from application.event.install_catalog import InstallCatalog
from config.catalog import load_catalog
from domain.kernel.channel import CHANNELS, NotificationClass, Priority
from domain.kernel.errors import Invalid
from domain.notification.request import Request
from domain.template.template import Rendered, Template, filled, missing
from domain.trigger.trigger import ShopEvent, Trigger, check, request
from tests.support.memory.catalog import MemoryTriggers
from tests.support.memory.rows import MemoryRows
from tests.support.memory.templates import MemoryTemplates

CATALOG = load_catalog()
TEMPLATES = {template.id: template for template in CATALOG.templates}
TRIGGERS = {trigger.id: trigger for trigger in CATALOG.triggers}
RECIPIENT = {"name": "Ann", "email": "ann@example.com", "phone": None, "locale": None, "timezone": None}
RENDERER = JinjaRenderer()

by_template = pytest.mark.parametrize("template", CATALOG.templates, ids=lambda t: t.id)
by_trigger = pytest.mark.parametrize("trigger", CATALOG.triggers, ids=lambda t: t.id)


def asked(trigger: Trigger, **data: object) -> Request:
    sample = CATALOG.samples[trigger.id]
    return request(trigger, msgspec.structs.replace(sample, data=sample.data | data))


def render(template: Template, data: dict[str, object], name: str | None = "Ann") -> Rendered:
    return RENDERER.render(template, filled(template, data) | {"recipient": RECIPIENT | {"name": name}})


def test_the_events_of_a_shops_day_are_covered() -> None:
    assert {trigger.event for trigger in CATALOG.triggers} >= {
        "order.created",
        "payment.received",
        "order.shipped",
        "order.delivered",
        "order.cancelled",
        "cart.abandoned",
        "user.password_reset_requested",
        "product.back_in_stock",
    }


@by_template
def test_a_template_passes_the_check_of_saving(template: Template) -> None:
    assert RENDERER.check(template) == []
    assert template.channel in CHANNELS
    assert set(template.sources()) == {"subject", "body", "html_body"}


@by_trigger
def test_a_trigger_passes_its_check_and_its_sample_renders(trigger: Trigger) -> None:
    assert check(trigger) == []
    made, template = asked(trigger), TEMPLATES[trigger.template]
    assert missing(template, made.content.data) == []
    assert made.idempotency_key is not None
    assert None not in made.metadata.values()
    rendered = render(template, made.content.data)
    assert rendered.subject
    assert rendered.body
    assert rendered.html_body
    assert "Hello Ann," in rendered.body
    for leftover in ("<!-- ", "{{", "{%", "None"):
        assert leftover not in rendered.html_body
        assert leftover not in rendered.body


@by_trigger
def test_the_sample_without_what_is_optional_renders_too(trigger: Trigger) -> None:
    template = TEMPLATES[trigger.template]
    given = asked(trigger).content.data
    bare = {name: given[name] for name, variable in template.variables.items() if variable.required}
    rendered = render(template, bare, name=None)
    assert rendered.body is not None
    assert "Hello," in rendered.body
    assert "None" not in rendered.body + str(rendered.html_body)


@by_trigger
def test_the_file_says_why_the_key_is_what_it_is(trigger: Trigger) -> None:
    text = files("config.catalog").joinpath("triggers", f"{trigger.id}.toml").read_text(encoding="utf-8")
    assert text.startswith("# Key: ")
    assert re.search(r"^key = ", text, re.MULTILINE)


def test_the_order_event_as_the_shop_writes_it_is_enough() -> None:
    data = {
        "orderId": "123",
        "userId": "456",
        "total": 99.99,
        "items": ["Desk lamp", {"sku": "b", "price": "1"}],
    }
    event = ShopEvent(id="1", source="shop.events", type="order.created", data=data)
    made = request(TRIGGERS["order_created"], event)
    assert (made.type, made.template) == ("order_confirmation", "order_confirmation_email")
    assert (made.priority, made.klass) == (Priority.HIGH, NotificationClass.TRANSACTIONAL)
    rendered = render(TEMPLATES["order_confirmation_email"], made.content.data)
    assert rendered.subject == "Your order 123 is confirmed"
    assert rendered.body is not None
    assert "- Desk lamp\n- 1 x b  1.00\n" in rendered.body
    assert "Total: 99.99\n" in rendered.body


def test_two_requests_for_a_password_are_two_mails_and_the_same_event_is_one() -> None:
    trigger = TRIGGERS["password_reset"]
    first = CATALOG.samples["password_reset"]
    second = msgspec.structs.replace(first, id="another")
    assert request(trigger, first).idempotency_key != request(trigger, second).idempotency_key
    assert (trigger.klass, trigger.priority) == (NotificationClass.OTP, Priority.CRITICAL)


def test_each_shipment_is_told_once() -> None:
    trigger = TRIGGERS["order_shipped"]
    keys = {asked(trigger, shipmentId=shipment).idempotency_key for shipment in ("1", "2", "2")}
    assert len(keys) == 2


@pytest.mark.parametrize("template", ["cart_abandoned_email", "back_in_stock_email"])
def test_marketing_mails_have_a_way_out_when_the_shop_names_it(template: str) -> None:
    trigger = next(t for t in CATALOG.triggers if t.template == template)
    assert trigger.klass is NotificationClass.MARKETING
    rendered = render(TEMPLATES[template], asked(trigger).content.data)
    for part in (rendered.body, rendered.html_body):
        assert part is not None
        assert "https://shop.example/unsubscribe" in part
        assert "Market Square" in part


def test_what_a_customer_writes_is_no_markup() -> None:
    rendered = render(TEMPLATES["order_cancelled_email"], {"orderId": "<b>1</b>", "reason": "<script>"})
    assert rendered.html_body is not None
    assert "<script>" not in rendered.html_body
    assert "&lt;script&gt;" in rendered.html_body


EVIL = ["javascript:alert(1)", "data:text/html,x", "https://shop.example@evil.example", "/relative", ""]


@by_trigger
@pytest.mark.parametrize("evil", EVIL)
def test_no_link_from_data_runs_anything(trigger: Trigger, evil: str) -> None:
    """Whatever a mail is about is still told; without its link a mail for a new password is none."""
    template, data = TEMPLATES[trigger.template], asked(trigger).content.data
    urls = [name for name in template.variables if name.endswith("Url")]
    changed = data | dict.fromkeys(urls, evil)
    if "resetUrl" in urls:
        with pytest.raises(Invalid, match="link: none with http or https"):
            render(template, changed)
        return
    rendered = render(template, changed)
    assert "href=" not in str(rendered.html_body)
    assert not evil or evil not in str(rendered.html_body) + str(rendered.body)


@by_template
def test_every_link_of_a_template_is_looked_at(template: Template) -> None:
    """Negative control of the test above: it knows all of them."""
    printed = re.findall(r'href="\{\{ (\w+)(\|link)? \}\}"', template.html_body or "")
    assert len(printed) == (template.html_body or "").count("href=")
    for name, filtered in printed:
        assert name.endswith("Url")
        assert filtered or f"{{% if {name} is link" in (template.html_body or "")


async def test_installing_adds_what_is_missing_and_leaves_what_is_there() -> None:
    rows = MemoryRows(SystemClock())
    templates, triggers = MemoryTemplates(rows=rows), MemoryTriggers(rows=rows)
    mine = msgspec.structs.replace(TEMPLATES["password_reset_email"], subject="Mine")
    await templates.add(mine, expected=0, activate=False)
    off = msgspec.structs.replace(TRIGGERS["order_created"], enabled=False)
    await triggers.put(off, expected=0)
    install = InstallCatalog(templates=templates, triggers=triggers)

    first = await install(CATALOG.templates, CATALOG.triggers)
    again = await install(CATALOG.templates, CATALOG.triggers)

    assert set(first.templates) == TEMPLATES.keys() - {"password_reset_email"}
    assert set(first.triggers) == TRIGGERS.keys() - {"order_created"}
    assert (again.templates, again.triggers) == ([], [])
    assert await templates.find("password_reset_email") is None
    kept = await triggers.get("order_created")
    assert kept is not None
    assert kept.value.enabled is False
    assert await templates.find("order_shipped_email") == TEMPLATES["order_shipped_email"]

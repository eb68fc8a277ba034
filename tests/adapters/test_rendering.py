"""Templates into words: what a shop writes, what it prints, and what is said when the data does not fit."""

import gc
import html
import time
import weakref
from decimal import Decimal
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.rendering import JinjaRenderer
from adapters.rendering.compiler import COMPILE_WORK_MAX, compile_work
from application.template.ports import Renderer
from domain.kernel.errors import Fault, Invalid
from domain.template.template import Template, Variable
from tests.support.speed import slowness

ADA = {"name": "Ada", "email": "ada@example.com", "phone": None, "locale": "en", "timezone": None}


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return JinjaRenderer()


def template(*names: str, version: int = 1, **parts: Any) -> Template:
    declared = {name: Variable() for name in names}
    return Template(id="t", version=version, name="T", channel="email", variables=declared, **parts)


def body(source: str, **data: Any) -> str:
    words = JinjaRenderer().render(template(*data, body=source), {**data, "recipient": ADA}).body
    assert words is not None
    return words


def faults(source: str, **data: Any) -> tuple[Fault, ...]:
    with pytest.raises(Invalid) as caught:
        body(source, **data)
    return caught.value.faults


def test_an_order_confirmation(renderer: Renderer) -> None:
    order = template(
        "orderId",
        "items",
        "total",
        subject="Order {{ orderId }} is confirmed",
        body=(
            "Hello {{ recipient.name }},\n"
            "{% for item in items %}\n"
            "  {{ loop.index }}. {{ item.quantity }} × {{ item.name }} {{ item.price|money('EUR') }}\n"
            "{% endfor %}\n"
            "Total {{ total|money }}\n"
        ),
        html_body="<p>{% for each in items %}<b>{{ each.name }}</b>{{ ', ' if not loop.last }}{% endfor %}",
    )
    assert renderer.check(order) == []
    items = [
        {"name": "Tea & Co", "quantity": 2, "price": 4.5},
        {"name": "<Cup>", "quantity": 1, "price": "12.00"},
    ]
    words = renderer.render(order, {"orderId": "A-1", "items": items, "total": 1021, "recipient": ADA})
    assert words.subject == "Order A-1 is confirmed"
    assert words.body == "Hello Ada,\n  1. 2 × Tea & Co €4.50\n  2. 1 × <Cup> €12.00\nTotal €1,021.00"
    assert words.html_body == "<p><b>Tea &amp; Co</b>, <b>&lt;Cup&gt;</b>"


def test_parts_that_are_not_there_stay_away(renderer: Renderer) -> None:
    words = renderer.render(template(body="Hi"), {"recipient": ADA})
    assert (words.subject, words.body, words.html_body) == (None, "Hi", None)


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("{{ x.items }}", "3"),  # data, not the method of a dict
        ("{{ x['items'] }}", "3"),
        ("{{ xs[0] }}{{ xs[-1] }}", "13"),
        ("{{ none }}|{{ x.nothing }}|", "||"),
        ("{{ 'yes' if x.yes }}{{ 'no' if not x.yes }}", "yes"),
        ("{% set sum = x.items * 2 + 1 %}{{ sum }}", "7"),
        ("{{ 7 // 2 }} {{ 7 % 2 }} {{ 7 / 2 }} {{ -x.items }}", "3 1 3.5 -3"),
        ("{{ 'a' + 'b' ~ 1 }}", "ab1"),
        ("{% if x.items > 2 and x.items != 4 %}ok{% endif %}", "ok"),
        ("{% if 2 in xs and 'b' in 'abc' and 'items' in x and 9 not in xs %}ok{% endif %}", "ok"),
        ("{% if x.state in ['paid', 'sent'] %}ok{% else %}no{% endif %}", "ok"),
        ("{% for one in xs if one is odd %}{{ one }}{% else %}none{% endfor %}", "13"),
        ("{% for one in [] %}{{ one }}{% else %}none{% endfor %}", "none"),
        ("{% for word in ('a', 'b') %}{{ word }}{% endfor %}", "ab"),
        ("{% for k, v in x|items %}{{ k }};{% endfor %}", "items;nothing;yes;state;"),
        ("{% for k in x %}{{ k }};{% endfor %}", "items;nothing;yes;state;"),
        ("{{ xs|join(', ') }} {{ people|join(' & ', attribute='name') }}", "1, 2, 3 Ada & Bob"),
        ("{{ xs|length }} {{ xs|first }} {{ xs|last }} {{ 'tea'|length }}", "3 1 3 3"),
        ("{{ 'tea'|upper }} {{ 'TEA'|lower }} {{ \"o'brien don't\"|title }} {{ 'tEA'|capitalize }}",
         "TEA tea O'brien Don't Tea"),
        ("{{ ' a '|trim }}|{{ 'abcdef'|truncate(4) }}|{{ 'abc'|truncate(4) }}", "a|abc…|abc"),
        ("{{ 2.345|round(2) }} {{ 2.5|round }} {{ 3|round }}", "2.35 2 3"),
        ("{{ missing|default('there') }} {{ x.gone|default(1) }} {{ x.nothing|default('null') }}",
         "there 1 null"),
        ("{{ ''|default('empty') }}|{{ ''|default('empty', true) }}", "|empty"),
        ("{{ 'a b/ü&'|urlencode }}", "a%20b%2F%C3%BC%26"),
        ("{% if x.gone is defined %}a{% endif %}{% if x.gone is undefined %}b{% endif %}", "b"),
        ("{% if x.nothing is none and 1 is number and 'a' is string and 2 is even %}ok{% endif %}", "ok"),
        ("{# unseen #}{% raw %}{{ raw }}{% endraw %}", "{{ raw }}"),
    ],
)  # fmt: skip
def test_the_language(source: str, printed: str) -> None:
    x = {"items": 3, "nothing": None, "yes": True, "state": "paid"}
    data = {"x": x, "xs": [1, 2, 3], "people": [{"name": "Ada"}, {"name": "Bob"}], "none": None}
    checked = template(*data, "missing", body=source)
    assert JinjaRenderer().check(checked) == []
    assert JinjaRenderer().render(checked, data).body == printed


@pytest.mark.parametrize(
    ("amount", "currency", "printed"),
    [
        (4514.275, "EUR", "€4,514.28"),
        (-4514.275, "EUR", "-€4,514.28"),
        (1.005, "", "1.01"),
        (2.5, "JPY", "¥3"),
        (0.0005, "KWD", "0.001 KWD"),
        (Decimal("1234567890123456.785"), "EUR", "€1,234,567,890,123,456.79"),
        ("4514.275", "EUR", "€4,514.28"),
        (123456789012345680.0, "EUR", "€123,456,789,012,345,680.00"),
        (-0.0, "EUR", "€0.00"),
        (-0.001, "EUR", "€0.00"),
        ("-0.004", "EUR", "€0.00"),
        (1234.5, "EUR", "€1,234.50"),
        (0, "usd", "$0.00"),
        (-3, "GBP", "-£3.00"),
        (1234.6, "JPY", "¥1,235"),
        (1.5, "CHF", "1.50 CHF"),
        (1.5, "KWD", "1.500 KWD"),
        ("19.995", "EUR", "€20.00"),
        ("1e3", "EUR", "€1,000.00"),
        (1234.5, "", "1,234.50"),
    ],
)
def test_money(amount: float | str, currency: str, printed: str) -> None:
    assert body("{{ amount|money(currency) }}", amount=amount, currency=currency) == printed


@pytest.mark.parametrize(
    "amount",
    [
        "",
        "ten",
        None,
        True,
        [],
        "NaN",
        "inf",
        1e300,
        "1e30",
        float("nan"),
        float("inf"),
        10**400,
        "²",
        "١٢",
        "1_0",
        "1e99999999",
        "9" * 41,
        Decimal("1e400"),
        "0x1",
        "1,5",
    ],
)
def test_what_is_no_amount_is_refused(amount: object) -> None:
    assert faults("{{ amount|money }}", amount=amount)[0].code == "cannot_render"


@pytest.mark.parametrize(
    ("moment", "form", "printed"),
    [
        ("2026-03-01T09:05:07Z", "%-d %B %Y", "1 March 2026"),
        ("2026-12-31", "%A, %d.%m.%y", "Thursday, 31.12.26"),
        ("2026-03-01T21:05:07+02:00", "%H:%M:%S %I %p %a %b 100%%", "21:05:07 09 PM Sun Mar 100%"),
        (0, "%Y-%m-%d", "1970-01-01"),
        ("2026-03-01T00:30:00", "%I %p", "12 AM"),
    ],
)
def test_dates(moment: str | int, form: str, printed: str) -> None:
    assert body("{{ moment|date(form) }}", moment=moment, form=form) == printed


@pytest.mark.parametrize("form", ["%999999999d", "%", "%q", "%" + "-" * 9 + "d", "%Y" * 60])
def test_a_date_format_has_no_widths(form: str) -> None:
    assert "format" in faults("{{ 0|date(form) }}", form=form)[0].detail


@pytest.mark.parametrize(
    ("source", "pointer", "name"),
    [
        ("{{ total }}", "/data/total", "total"),
        ("{{ order.total }}", "/data/order/total", "order.total"),
        ("{{ order.lines[1].price }}", "/data/order/lines/1/price", "order.lines.1.price"),
        ("{% for line in order.lines %}{{ line.price }}{% endfor %}", "/data/order/lines/1/price", "price"),
        ("{{ order.lines[7] }}", "/data/order/lines/7", "order.lines.7"),
        ("{{ order['a/b~c'] }}", "/data/order/a~1b~0c", "a~1b~0c"),
        ("{% if order.total %}{% endif %}", "/data/order/total", "order.total"),
        ("{{ 1 + order.total }}", "/data/order/total", "order.total"),
        ("{{ 'a' ~ order.total }}", "/data/order/total", "order.total"),
        ("{{ order.total == 1 }}", "/data/order/total", "order.total"),
        ("{{ 1 in order.total }}", "/data/order/total", "order.total"),
        ("{{ -order.total }}", "/data/order/total", "order.total"),
        ("{{ order.total|money }}", "/data/order/total", "order.total"),
        ("{{ order.total|upper }}", "/data/order/total", "order.total"),
        ("{{ order.total|date }}", "/data/order/total", "order.total"),
        ("{{ order.customer.name }}", "/data/order/customer", "order.customer"),
        ("{% for x in order.gone %}{% endfor %}", "/data/order/gone", "order.gone"),
        ("{{ recipient.shoe }}", "/recipient/shoe", "recipient.shoe"),
        ("{{ order.id.x }}", "/data", "x"),
    ],
)
def test_a_missing_variable_is_named_with_its_place(source: str, pointer: str, name: str) -> None:
    order = {"id": "A-1", "lines": [{"price": 1}, {}]}
    renderer = JinjaRenderer()
    with pytest.raises(Invalid) as caught:
        renderer.render(template("order", "total", body=source), {"order": order, "recipient": ADA})
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.code) == (pointer, "missing_variable")
    assert name in fault.detail


@pytest.mark.parametrize(
    ("source", "pointer"),
    [
        ("{% for each in people %}{{ people[each].shoe }}{% endfor %}", "/data/people/*/shoe"),
        ("{{ people[name] }}", "/data/people/*"),
        ("{{ people[name].shoe }}", "/data/people/*"),
        ("{{ name[name] }}", "/data"),
        ("{% for who, each in people|items %}{{ each.shoe }}{% endfor %}", "/data/people/*/shoe"),
    ],
)
def test_a_fault_says_no_name_that_only_the_data_has(source: str, pointer: str) -> None:
    data = {"people": {"eve@example.com": {}}, "name": "mallory@example.com"}
    (fault,) = faults(source, **data)
    assert fault.pointer == pointer
    assert "example.com" not in fault.pointer + fault.detail


NASTY = {
    "tags": "{{a}}", "filters": "{{a|default(b)|upper if a==b else b|title}}", "ifs": "{%if a%}{%endif%}",
    "loops": "{%for x in a%}{{x}}{%endfor%}", "dots": "{{ a.b.c.d.e.f.g.h }}",
    "lists": "{{ [1,2,3,4,5,6,7,8] }}",
    "text": "x <b>y</b>\n", "braces": "{ ", "comments": "{# #}", "spaces": "\n \n{%- if a %}{% endif -%}\n\n",
    "sums": "{{ 1+1+1+1+1+1+1+1+1+1+1+1 }}",
}  # fmt: skip


@pytest.mark.parametrize(
    "opening",
    [
        '{{ "}}" ~ ', "{{ '%}' ~ ", '{{ "\\"}}" ~ ', '{{ "{{ }} " ~ ', '{% if "%}" ~ ', "{{ {1: {1: 1}} ~ ",
        """{% raw %}{{ ' {% endraw %}{{ "' }} " ~ """, """{%- raw -%}{# " {%endraw%}{{ '#}' ~ """,
    ],
)  # fmt: skip
def test_what_only_looks_like_the_end_of_a_tag_does_not_hide_the_rest(opening: str) -> None:
    assert compile_work(template(body="text " * 100 + opening + "1 ~ " * 1_900 + "1 }}")) > COMPILE_WORK_MAX


@pytest.mark.parametrize("piece", NASTY.values(), ids=list(NASTY))
def test_what_is_compiled_in_place_takes_little(piece: str) -> None:
    few = template("a", "b", body=piece * 10)
    count = int(10 * COMPILE_WORK_MAX / (compile_work(few) or 1))
    one = template("a", "b", body=(piece * count)[: 262_144 // len(piece) * len(piece)])
    taken = []
    for _ in range(3):
        began = time.thread_time()
        JinjaRenderer().check(one)
        taken.append(time.thread_time() - began)
    assert min(taken) < 0.05 * slowness()


def test_many_small_texts_within_parts_are_not_compiled_in_place() -> None:
    def many(count: int) -> Template:
        return template("a", body="x", parts={"data": {f"k{n}": "{{ a }}" for n in range(count)}})

    most = next(count for count in range(200) if compile_work(many(count)) > COMPILE_WORK_MAX) - 1
    taken = []
    for _ in range(3):
        began = time.thread_time()
        JinjaRenderer().check(many(most))
        taken.append(time.thread_time() - began)
    assert min(taken) < 0.05 * slowness()


def test_a_text_within_parts_may_come_to_so_much_and_no_more(renderer: Renderer) -> None:
    long = template("a", body="x", parts={"preheader": "{{ a }}"})
    with pytest.raises(Invalid, match="/parts/preheader: comes out too long"):
        renderer.render(long, {"a": "x" * 65_537, "recipient": ADA})


@pytest.mark.parametrize(
    "source",
    [
        "{{ xs }}", "{{ x }}", "{{ xs ~ 'a' }}", "{{ 1 / 0 }}", "{{ 'a' * 3 }}", "{{ xs + xs }}",
        "{{ 1 < 'a' }}", "{{ xs == xs }}", "{{ x in xs }}", "{{ 1 in 'abc' }}", "{{ -'a' }}",
        "{{ 'a'|round }}", "{{ 1|length }}",
        "{{ 1|join }}", "{{ xs|items }}", "{{ 'a' is even }}", "{% for c in 'abc' %}{% endfor %}",
        "{% for i in 3 %}{% endfor %}", "{{ 'x'|date }}", "{{ 'abc'|truncate(0, '…') }}", "{{ 1|round(99) }}",
        "{% for a, b in xs %}{% endfor %}", "{{ x[xs] }}", "{{ 1|money('EURO') }}", "{{ 1|money(xs) }}",
        "{{ ('a' if false).x }}",
    ],
)  # fmt: skip
def test_nonsense_is_refused_without_repeating_the_data(source: str) -> None:
    (fault,) = faults(source, xs=[4711], x={"secret": 4711})
    assert fault.pointer == "/data"
    assert "4711" not in fault.detail
    assert "secret" not in fault.detail


@given(st.text(max_size=40))
def test_html_is_escaped_and_text_is_not(words: str) -> None:
    both = template("words", body="{{ words }}", html_body='<i title="{{ words }}">{{ words }}</i>')
    made = JinjaRenderer().render(both, {"words": words})
    assert made.body == words
    safe = html.escape(words)
    assert made.html_body == f'<i title="{safe}">{safe}</i>'


@pytest.mark.parametrize(
    "source",
    ["{{ '<b>' }}", "{{ '<' ~ 'b>' }}", "{{ x|upper }}", "{{ x|default('y') }}", "{{ xs|join('<') }}"],
)
def test_no_way_of_printing_gets_round_the_escaping(source: str) -> None:
    made = JinjaRenderer().render(template("x", "xs", html_body=source), {"x": "<b>", "xs": ["<b>", "<b>"]})
    assert made.html_body is not None
    assert "<" not in made.html_body


@pytest.mark.parametrize(
    "end", ["\n", "\r\n", "\r", " \x0b\t", "\x85", "\u2028", "\u2029", "\0", "\x1b", "\n\n \n"]
)
def test_what_ends_a_line_is_a_space_in_a_subject(end: str) -> None:
    subject = f"{{% if x %}}{end}Hello {{{{ x }}}}{{% endif %}}{end}"
    made = JinjaRenderer().render(template("x", subject=subject), {"x": f"Ada{end}Bcc: eve@example.com{end}"})
    assert made.subject == "Hello Ada Bcc: eve@example.com"


@pytest.mark.parametrize("kind", ["10\u00a0€", "👩\u200d👧", "soft\u00adhyphen", "a\tb", "שלום"])
def test_a_subject_takes_all_scripts(kind: str) -> None:
    assert JinjaRenderer().render(template("x", subject="{{ x }}"), {"x": kind}).subject == kind


@pytest.mark.parametrize(("part", "size"), [("subject", 501), ("body", 262_145), ("html_body", 524_289)])
def test_output_is_bounded(part: str, size: int) -> None:
    renderer = JinjaRenderer()
    source = template("x", **{part: "{{ x }}"})
    assert getattr(renderer.render(source, {"x": "a" * (size - 1)}), part)
    with pytest.raises(Invalid, match="too long"):
        renderer.render(source, {"x": "a" * size})


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("{{ a", "syntax", "line 1"),
        ("\n\n{% if a %}", "syntax", "line 3"),
        ("{{ a }}\n{{ b }} {{ c }}", "undeclared_variable", "line 2: the variable 'b' is not declared"),
        ("{{ 1e400 }}", "forbidden", "a number is too large"),
        ("{{ -1e400 }}", "forbidden", "a number is too large"),
        ("{{ 1e999999999 }}", "forbidden", "a number is too large"),
        ("{% set x = [1e400] %}", "forbidden", "a number is too large"),
        ("{{ 1|round(1e400) }}", "forbidden", "a number is too large"),
        ("{{ 9999999999999999999 }}", "forbidden", "a number is too large"),
        ("{{ 0x" + "f" * 5_000 + " }}", "forbidden", "a number is too large"),
        ("{{ " + "9" * 5_000 + " }}", "syntax", "cannot be read"),
        ("{% if a %}" * 50 + "{% endif %}" * 50, "too_large", "nested too deep"),
        ("{{ a|nosuch }}", "forbidden", "there is no filter 'nosuch' (there are: capitalize, date"),
        ("{{ a is nosuch }}", "forbidden", "there is no test 'nosuch'"),
        ("{{ a|money(1, 2, 3) }}", "forbidden", "filter 'money': too many positional arguments"),
        ("{{ a|upper(shout=1) }}", "forbidden", "filter 'upper': got an unexpected keyword argument 'shout'"),
        ("{{ range(10) }}", "forbidden", "calling a function or method"),
        ("{{ loop.index }}", "undeclared_variable", "'loop'"),
        ("{{ '\\ud800' }}", "forbidden", "cannot be sent"),
        ("{{ '\\u0000' }}", "forbidden", "cannot be sent"),
        ("a" * 262_145, "too_large", "262144 characters"),
        ("{{a}}" * 5_000, "too_large", "too many"),
        ("{{ 1" + " + 1" * 41 + " }}", "too_large", "nested too deep"),
        ("{% for i in a %}" * 5 + "{% endfor %}" * 5, "forbidden", "loops nested"),
    ],
)  # fmt: skip
def test_check_says_what_is_wrong_and_where(renderer: Renderer, source: str, code: str, says: str) -> None:
    found = renderer.check(template("a", html_body=source))
    assert found
    assert (found[0].pointer, found[0].code) == ("/htmlBody", code)
    assert says in found[0].detail


@pytest.mark.parametrize(
    ("source", "faults"),
    [("x" * 501, 1), ("x" * 500 + " \n", 0), ("{% if a %}" + "x" * 501 + "{% endif %}", 0)],
)
def test_text_that_is_always_too_long_is_known_when_it_is_saved(
    renderer: Renderer, source: str, faults: int
) -> None:
    assert [fault.code for fault in renderer.check(template("a", subject=source))] == ["too_large"] * faults


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("{{ 4514.275 * 1 }} {{ (4514.275 * 1)|money }}", "4514.275 €4,514.28"),
        ("{{ 0.1 + 0.2 }} {{ 1.1 * 3 }} {{ 0.3 - 0.1 }}", "0.3 3.3 0.2"),
        ("{{ p * q }} {{ (p * q)|money }}", "3703703670370.369695 €3,703,703,670,370.37"),
        ("{{ p }} {{ p + 0 }} {{ -p }}", "1234567890123456.565 1234567890123456.565 -1234567890123456.565"),
        ("{{ -7.5 // 2 }} {{ -7.5 % 2 }} {{ -7 // 2 }} {{ 1 / 4 }}", "-4.0 0.5 -4 0.25"),
        ("{{ 2.675|round(2) }} {{ 1.005|round(2) }} {{ 0.5|round }} {{ -0.01|round(1) }}", "2.68 1.01 0 0.0"),
        ("{% if p > 1234567890123456.5 and p is number and 0.1 < p and p != 0.5 %}ok{% endif %}", "ok"),
    ],
)  # fmt: skip
def test_numbers_are_what_their_digits_say(source: str, printed: str) -> None:
    assert body(source, p=Decimal("1234567890123456.565"), q=0.003) == printed


@pytest.mark.parametrize(
    "source",
    ["{{ 1e18 / 1e-300 }}", "{{ big * 10 }}", "{{ nan + 1 }}", "{{ inf - inf }}", "{{ 1.5 % 0 }}",
     "{{ 1 // 0 }}", "{{ tiny / 1e18 * nan }}", "{{ inf|round }}", "{{ nan|date }}", "{{ huge|date }}",
     "{{ huge|round(2) * 2 }}"],
)  # fmt: skip
def test_numbers_that_grow_beyond_reason_are_refused(source: str) -> None:
    data = {"big": 1e300, "nan": float("nan"), "inf": float("inf"), "tiny": 1e-300, "huge": 10**4000}
    assert faults(source, **data)[0].code == "cannot_render"


LINKS = [
    "https://shop.example", "http://shop.example:8080/a?b=c&d=%20#e", " https://shop.example/a ",
    "HTTPS://SHOP.EXAMPLE/", "https://münchen.example/straße?q='x'", "https://shop.example?a=1",
]  # fmt: skip
NO_LINKS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
    "\x01javascript:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "blob:https://a",
    "view-source:https://a", "//evil.example", "/orders/1", "shop.example", "", "https:/shop.example", "https://",
    "https:\\\\evil.example", "https://shop.example\\@evil.example", "https://shop.example@evil.example",
    "https://a b", "https://a/\nb", 'https://a/"onclick="x', "https://a/<b>", "https://a/\u202eb",
    "https://a/\0",
    "https:javascript:alert(1)", "http://javascript:alert(1)", "https://a/" + "b" * 2_048,
    "mailto:a@b.example", "tel:+491", None, 1, True, [], {},
]  # fmt: skip


@pytest.mark.parametrize("url", LINKS)
def test_a_link_from_data_is_taken(url: str) -> None:
    source = '{% if url is link %}<a href="{{ url|link }}">{% endif %}'
    made = JinjaRenderer().render(template("url", html_body=source), {"url": url})
    assert made.html_body == f'<a href="{html.escape(url.strip())}">'


@pytest.mark.parametrize("url", NO_LINKS)
def test_what_is_no_link_is_refused_or_left_out(url: object) -> None:
    assert body("{{ 'a link' if url is link else 'none' }}", url=url) == "none"
    assert "link: none with http or https" in faults("{{ url|link }}", url=url)[0].detail


@pytest.mark.parametrize(
    ("url", "schemes", "fine"),
    [
        ("mailto:help@shop.example?subject=a", "'mailto'", True),
        ("mailto:javascript:x", "'tel'", False),
        ("tel:+49-30-901820", "'tel'", True),
        ("tel:+49²", "'tel'", False),
        ("https://a", "'mailto'", False),
        ("https://a", "'https', 'mailto'", True),
        ("http://a", "'https'", False),
    ],
)
def test_other_schemes_are_named(url: str, schemes: str, fine: bool) -> None:
    assert body(f"{{{{ url is link({schemes}) }}}}", url=url) == str(fine)


def test_no_other_schemes_than_those_can_be_named() -> None:
    assert (
        "the schemes are http, https, mailto, tel"
        in faults("{{ 'javascript:x'|link('javascript') }}")[0].detail
    )


def test_check_reports_every_part_and_every_variable(renderer: Renderer) -> None:
    found = renderer.check(template(subject="{{ a }}{{ b }}", body="{{ c", html_body="{{ d }}"))
    assert [fault.pointer for fault in found] == ["/subject", "/subject", "/body", "/htmlBody"]


@pytest.mark.parametrize("name", ["recipient", "loop", "__class__", "order-id", "1st", ""])
def test_check_refuses_names_that_cannot_be_used(renderer: Renderer, name: str) -> None:
    assert [fault.code for fault in renderer.check(template(name, body="x"))] == ["bad_name"]


def test_declared_but_unused_is_fine(renderer: Renderer) -> None:
    assert renderer.check(template("a", "b", body="{{ a }}")) == []


def test_what_check_refuses_render_refuses_too() -> None:
    with pytest.raises(Invalid) as caught:
        JinjaRenderer().render(template(body="{{ ''.__class__ }}"), {})
    assert caught.value.faults[0].pointer == "/body"


def test_a_draft_with_the_number_of_another_is_not_mistaken_for_it() -> None:
    renderer = JinjaRenderer()
    assert renderer.render(template(body="one"), {}).body == "one"
    assert renderer.render(template(body="two"), {}).body == "two"


def test_compiled_templates_are_kept_and_bounded_by_bytes() -> None:
    renderer = JinjaRenderer(kept=200_000)
    made = [template(version=version, body="x" * 1_000) for version in range(20)]
    for one in made:
        renderer.render(one, {})
    kept = [one for one in made if renderer.kept(one)]
    assert kept == made[-len(kept) :]
    assert 2 <= len(kept) < 10
    assert renderer.kept(made[-1]) is renderer.kept(made[-1])
    large = template(version=99, body="x" * 100_000)
    assert renderer.render(large, {}).body == "x" * 100_000
    assert renderer.kept(large) is None


def test_what_is_dropped_is_freed_without_a_collector() -> None:
    renderer = JinjaRenderer(kept=0)
    program = renderer.keep(
        one := template("x", body="{% for i in x %}{{ i }}{% endfor %}"), renderer.compile(one)
    )
    ((_, root, _),) = program.parts
    root = weakref.ref(root)
    gc.disable()
    try:
        del program
        assert root() is None
    finally:
        gc.enable()


def test_memory_settles_with_5000_templates_in_rotation() -> None:
    """Whatever the collector's thresholds are: it does not run at all."""
    renderer = JinjaRenderer(kept=2_000_000)
    process = psutil.Process()
    gc.collect()
    gc.disable()
    try:
        for number in range(5_000):
            one = template("x", version=number, body=f"{{{{ x }}}} {number} ")
            assert renderer.render(one, {"x": 1}).body == f"1 {number} "
            if number == 1_000:
                before = process.memory_info().rss
        assert process.memory_info().rss - before < 10 * 1024 * 1024
    finally:
        gc.enable()

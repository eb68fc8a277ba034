"""Styles put inline, with the template's own tags where they were."""

import pytest

from adapters.rendering.styles import CannotInline, with_styles_inline

STYLE = "<style>.a{color:red}p{margin:0}</style>"


@pytest.mark.parametrize(
    ("html", "made"),
    [
        ('<p class="a">Hi {{ name }}</p>', '<p class="a" style="margin: 0;color: red;">Hi {{ name }}</p>'),
        (
            '{% for item in items %}<p>{{ item.name ~ "}}" }}</p>{% endfor %}',
            '{% for item in items %}<p style="margin: 0;">{{ item.name ~ "}}" }}</p>{% endfor %}',
        ),
        (
            '<a class="a" href="https://x.test/?a=1&amp;b={{ id }}">o</a>'
            "<p title='{% if x %}y{% endif %}'></p>",
            '<a class="a" href="https://x.test/?a=1&amp;b={{ id }}" style="color: red;">o</a>'
            '<p title="{% if x %}y{% endif %}" style="margin: 0;"></p>',
        ),
        (
            "<table>{% for r in rows %}<tr><td class='a'>{{ r }}</td></tr>{% endfor %}</table>",
            '<table>{% for r in rows %}<tr><td class="a" style="color: red;">{{ r }}</td></tr>'
            "{% endfor %}</table>",
        ),
        ("<!-- {{ x }} --><p>{# note #}</p>", '<!-- {{ x }} --><p style="margin: 0;">{# note #}</p>'),
    ],
)
def test_tags_stay_where_they_are(html: str, made: str) -> None:
    assert with_styles_inline(STYLE + html) == made


def test_a_whole_document_keeps_its_frame_and_its_media_queries() -> None:
    html = (
        "<!DOCTYPE html><html><head><title>{{ shop }}</title><style>p{margin:0}"
        "@media (max-width:600px){p{margin:1px}}</style></head><body><p>x</p></body></html>"
    )
    made = with_styles_inline(html)
    assert made.startswith("<!DOCTYPE html><html><head><style>@media (max-width:600px){p{margin:1px}}")
    assert "<title>{{ shop }}</title></head>" in made
    assert '<p style="margin: 0;">x</p></body></html>' in made


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ("<p {% if x %}class='a'{% endif %}>x</p>", "between attributes"),
        ("<p class={{ x }}>x</p>", "between attributes"),
        ("<style>p{color:{{ color }}}</style>", "stands in a <style>"),
        ("{% if x %}<div class='a'>{% else %}<div>{% endif %}x</div>", "every end tag"),
        ("<p>one<p>two", "every end tag"),
    ],
)
def test_what_would_come_out_changed_is_refused(html: str, why: str) -> None:
    with pytest.raises(CannotInline, match=why):
        with_styles_inline(STYLE + html)


def test_nothing_is_loaded() -> None:
    html = '<link rel="stylesheet" href="http://127.0.0.1:1/x.css"><p>x</p>'
    assert with_styles_inline(STYLE + html) == html.replace("<p>", '<p style="margin: 0;">')


def test_elements_within_elements_are_bounded() -> None:
    """The inliner ends the whole process where its stack does."""
    style = "<style>p { color: red }</style>"
    wide = f"{style}{'<div>x</div><br>' * 2_000}"
    assert with_styles_inline(wide)
    assert with_styles_inline(f"{style}{'<div>' * 400}{'</div>' * 400}")
    with pytest.raises(CannotInline, match="within each other"):
        with_styles_inline(f"{style}{'<div>' * 20_000}")

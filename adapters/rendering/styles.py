"""Styles of an HTML template, put inline: many mail programs read `style` attributes and no `<style>`.

Done once, when a template is saved, on its source: tags of the template language are replaced by marks that
an HTML parser leaves where they are, and put back afterwards.  A parser repairs what it reads; whatever would
come out changed beside its styles is refused.  Nothing is loaded from elsewhere.
"""

import re
from collections.abc import Iterator

from css_inline import CSSInliner, InlineError
from jinja2 import Environment, TemplateSyntaxError

_IN_TEXT = re.compile(r"<!--|<(/?[a-zA-Z][^\s/>]*)")
_IN_TAG = re.compile(r"""["'>]""")
_BEGIN = ("variable_begin", "block_begin", "comment_begin")
_END = ("variable_end", "block_end", "comment_end")
_RAW = {"style", "script", "title", "textarea"}
"""Elements whose content is text for a parser, tags or not."""
_QUOTES = {'"', "'"}
_ENDS = {
    **{mark: re.compile(mark) for mark in _QUOTES},
    **{name: re.compile(f"</{name}", re.IGNORECASE) for name in _RAW},
    "comment": re.compile("-->"),
}
"""Where each place ends."""
_MAY_COME = {"html", "head", "body", "tbody", "style"}
"""What a parser adds where it was left out, or what inlining removes."""
_INLINER = CSSInliner(keep_at_rules=True, keep_link_tags=True, load_remote_stylesheets=False)
_TBODY = re.compile(r"</?tbody>")
_WRAPPED = re.compile(r"<html><head>(.*?)</head><body>(.*)</body></html>", re.DOTALL)


_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
"""Elements without an end tag."""
DEPTH_MAX = 500
"""Elements within each other: the inliner goes down into each, and its stack ends at some ten thousand."""


class CannotInline(ValueError):
    """The styles cannot be put inline; the text says why."""


def with_styles_inline(html: str) -> str:
    """The same template with its styles in `style` attributes; media queries stay in a `<style>`.

    Raises:
        CannotInline: it would come out changed.
    """
    scan, marks = _Scan(), _Marks(html)
    marked = "".join(
        marks.mark(text, scan) if is_tag else scan.through(text) for is_tag, text in _pieces(html)
    )
    if _depth(scan.elements) > DEPTH_MAX:
        raise CannotInline(f"more than {DEPTH_MAX} elements stand within each other")
    try:
        made = _INLINER.inline(marked)
    except InlineError as error:
        raise CannotInline(str(error)[:200]) from None
    if "<html" not in html.lower() and (parts := _WRAPPED.search(made)):
        made = made[: parts.start()] + parts[1] + parts[2]
    if "<tbody" not in html.lower():
        made = _TBODY.sub("", made)  # the first would come out within a loop over rows
    after = _Scan()
    after.through(made)
    for before, now in zip([*scan.elements, "the end"], [*after.elements, "the end"], strict=False):
        if before != now:
            raise CannotInline(
                f"<{before}> would come out as <{now}>: write every end tag, also around conditions"
            )
    return marks.unmark(made)


def _depth(elements: list[str]) -> int:
    deepest = depth = 0
    for each in elements:
        if each not in _VOID:
            depth = max(depth - 1, 0) if each.startswith("/") else depth + 1
            deepest = max(deepest, depth)
    return deepest


def _pieces(html: str) -> Iterator[tuple[bool, str]]:
    """The source in pieces: whether it is a tag of the template language, and its text.

    Raises:
        CannotInline: it is no template.
    """
    tag: list[str] = []
    try:
        for _, kind, text in Environment(keep_trailing_newline=True).lex(html):  # noqa: S701  nothing is rendered
            if kind in {"raw_begin", "raw_end"}:
                yield True, text
            elif tag or kind in _BEGIN:
                tag.append(text)
                if kind in _END:
                    yield True, "".join(tag)
                    tag = []
            else:
                yield False, text
    except TemplateSyntaxError as error:
        raise CannotInline(f"line {error.lineno}: {error.message}") from None


class _Scan:
    """Follows HTML: where it is, and which elements began and ended."""

    def __init__(self) -> None:
        self.elements: list[str] = []
        self.place = "text"
        """text, tag, a quotation mark (within a value), comment, or the name of an element of `_RAW`."""
        self._open = ""

    def through(self, text: str) -> str:
        """Go through a piece of HTML, and return it."""
        at = 0
        while at < len(text):
            at = self._step(text, at)
        return text

    def _step(self, text: str, at: int) -> int:
        match self.place:
            case "text":
                if (found := _IN_TEXT.search(text, at)) is None:
                    return len(text)
                if found[1] is None:
                    self.place = "comment"
                else:
                    self._open, self.place = found[1].lower(), "tag"
                    if self._open.lstrip("/") not in _MAY_COME:
                        self.elements.append(self._open)
                return found.end()
            case "tag":
                if (found := _IN_TAG.search(text, at)) is None:
                    return len(text)
                self.place = found[0] if found[0] != ">" else self._open if self._open in _RAW else "text"
                return found.end()
            case place:
                if (found := _ENDS[place].search(text, at)) is None:
                    return len(text)
                self.place = "tag" if place in _QUOTES else "text"
                return found.start() if place in _RAW else found.end()


class _Marks:
    """Stand in for tags of the template language: comments within text, words where those would be text."""

    def __init__(self, html: str) -> None:
        self._tags: list[str] = []
        self._word = "jinjatag"
        while self._word in html:
            self._word += "x"
        self._found = re.compile(rf"<!--{self._word}(\d+)z-->|{self._word}(\d+)z")

    def mark(self, tag: str, scan: _Scan) -> str:
        """The mark of a tag at this place.

        Raises:
            CannotInline: no mark can stand there.
        """
        if scan.place == "tag":
            raise CannotInline(f"{tag[:60]} stands between attributes: put it into a quoted value")
        if scan.place in {"style", "script"}:
            raise CannotInline(f"{tag[:60]} stands in a <{scan.place}>: write it into a style attribute")
        self._tags.append(tag)
        word = f"{self._word}{len(self._tags) - 1}z"
        return f"<!--{word}-->" if scan.place == "text" else word

    def unmark(self, html: str) -> str:
        """The tags in their places again.

        Raises:
            CannotInline: one is somewhere else, or not there.
        """
        found = list(self._found.finditer(html))
        in_text = [int(each[1]) for each in found if each[1]]  # attributes may change their order, texts not
        there = sorted(int(each[1] or each[2]) for each in found)
        if there != list(range(len(self._tags))) or in_text != sorted(in_text):
            raise CannotInline("its tags would not stay where they are")
        return self._found.sub(lambda found: self._tags[int(found[1] or found[2])], html)

"""Texts of others, as names of nets and of classes are, on their way into what we write.

A control character moves the cursor of a terminal, a quote ends a text of a program, a bracket
begins a tag; nothing goes anywhere without the escape of that place.
"""

from __future__ import annotations

import html
import re

__all__ = ["documented", "first_sentence", "markup", "plain", "quoted"]


def plain(text: str, keep: str = "") -> str:
    r"""The text for a terminal or a line: characters that do not print are shown escaped, but
    for those of `keep`.

    >>> print(plain("a\x1b[31m\n"))
    a\x1b[31m\n
    """
    if text.isprintable():
        return text
    return "".join(
        [c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text]
    )


def markup(text: str) -> str:
    """The text inside SVG or HTML, in an attribute too.

    >>> markup('<b title="a">')
    '&lt;b title=&quot;a&quot;&gt;'
    """
    return html.escape(plain(text, keep="\n\t"))


def quoted(text: str) -> str:
    r"""The text as Python writes one, between double quotes.

    >>> print(quoted('say "no"'))
    "say \"no\""
    """
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain(inner)}"'


def documented(text: str) -> str:
    """The text inside a docstring, which no quotes in it end."""
    lines = plain(text, keep="\n").replace("\\", "\\\\")
    return re.sub('"(?="|$)', r'\\"', lines, flags=re.MULTILINE)


def first_sentence(docstring: str | None) -> str:
    r"""What a docstring says first, in one line and without what is in brackets, such as papers.

    >>> first_sentence("Up, and\nup again (White et al. 2020). Then down.")
    'Up, and up again'
    """
    words = re.sub(r" *\([^)]*\)", "", " ".join((docstring or "").split()))
    return re.split(r"\.(?: |$)", words, maxsplit=1)[0]

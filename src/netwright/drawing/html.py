"""One HTML document that needs nothing else: no network, light and dark, print.

A script sorts its tables and scrolls wide diagrams to their start; without it everything is
there as well.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from netwright.core.files import write_text
from netwright.core.text import markup
from netwright.drawing.blocks_svg import SCRIPT as START
from netwright.drawing.blocks_svg import STYLE as BLOCKS
from netwright.drawing.sortable import SCRIPT as SORTING
from netwright.drawing.sortable import STYLE as SORTABLE
from netwright.drawing.svg import STYLE as CHARTS
from netwright.drawing.svg import THEME

__all__ = ["Page", "code", "facts", "gallery", "pairs", "paragraph", "table"]

STYLE = """
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 80rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.2rem; }
header p, .note { color: var(--soft); margin: .3rem 0; }
.note { font-size: .875rem; max-width: 46rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: .75rem 0; margin: .75rem 0 0;
  list-style: none; border-block: 1px solid var(--line); }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: .2em; }
p { max-width: 46rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .5rem .25rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); white-space: pre; }
.scroll table { font-size: .8125rem; }
.scroll .long { white-space: normal; min-width: 9rem; }
.scroll .name { white-space: normal; min-width: 15rem; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; }
tfoot td { font-weight: 600; }
.pairs td { white-space: normal; }
.n { text-align: right; }
.facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.facts div { flex: 1 1 8rem; padding: .6rem .9rem; border-radius: .5rem; background: var(--tint); }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.3;
  overflow-wrap: anywhere; }
.gallery { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.gallery figure { margin: 0; max-width: 100%; }
.gallery img { display: block; max-width: 100%; height: auto; border-radius: .25rem;
  image-rendering: pixelated; }
.gallery figcaption { font-size: .75rem; line-height: 1.3; color: var(--soft);
  overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .75rem 1rem; border-radius: .5rem; background: var(--tint);
  font: .8125rem/1.45 ui-monospace, monospace; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } nav { display: none; }
  figure, svg, tr, .facts { break-inside: avoid; } h2 { break-after: avoid; }
  .scroll { overflow: visible; } }
"""

LONG, NAME = 16, 30
"""Letters of a cell, and of a row's name, that need not stand in one line."""

SORT = ' class="sortable"'
"""What makes a table one that the script looks for."""


class Page:
    """A document in sections, written as one file that opens anywhere.

    >>> page = Page("resnet50").add("Totals", facts([("parameters", "25.6M")]))
    >>> "<h2>Totals</h2>" in page.render()
    True
    """

    def __init__(self, title: str, subtitle: str = "") -> None:
        self.title = title
        self.subtitle = subtitle
        self._sections: list[tuple[str, str]] = []

    def add(self, heading: str, *pieces: str, note: str = "") -> Page:
        """A section of HTML or SVG fragments, and a note in small print; returns the page."""
        small = f'<p class="note">{markup(note)}</p>' if note else ""
        self._sections.append((heading, "\n".join([*pieces, small])))
        return self

    def render(self) -> str:
        """The whole document."""
        links = [
            f'<li><a href="#part{i}">{markup(heading)}</a></li>'
            for i, (heading, _) in enumerate(self._sections, 1)
        ]
        contents = f'<nav aria-label="Contents"><ul>{"".join(links)}</ul></nav>'
        subtitle = f"<p>{markup(self.subtitle)}</p>" if self.subtitle else ""
        sections = [
            f'<section id="part{i}">\n<h2>{markup(heading)}</h2>\n{body}\n</section>'
            for i, (heading, body) in enumerate(self._sections, 1)
        ]
        wanted = ((SORT, SORTING), ('<div class="blocks"', START))
        scripts = [text for sign, text in wanted if any(sign in body for _, body in self._sections)]
        script = f"<script>{''.join(scripts)}</script>" if scripts else ""
        return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{markup(self.title)}</title>
<style>{THEME}{STYLE}{CHARTS}{BLOCKS}{SORTABLE}</style>
</head>
<body>
<header>
<h1>{markup(self.title)}</h1>
{subtitle}
{contents if len(links) > 1 else ""}
</header>
<main>
{chr(10).join(sections)}
</main>
{script}
</body>
</html>
"""

    def write(self, path: Path | str) -> None:
        """Writes the document, whole or not at all."""
        write_text(path, self.render())


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    numeric: Collection[int] = (),
    *,
    foot: Sequence[Sequence[object]] = (),
    sortable: bool = False,
) -> str:
    """A table of anything that prints; columns whose index is in `numeric` stand right.

    Rows of the `foot` stay where they are when the table is sorted.
    """
    kinds = [' class="n"' if i in numeric else "" for i in range(len(head))]
    top = "".join(
        f'<th scope="col"{kind}>{markup(word)}</th>' for word, kind in zip(head, kinds, strict=True)
    )
    end = f"<tfoot>\n{_rows(foot, kinds)}\n</tfoot>\n" if foot else ""
    return (
        f'<div class="scroll"><table{SORT if sortable else ""}>\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{_rows(rows, kinds)}\n</tbody>\n"
        f"{end}</table></div>"
    )


def _rows(rows: Iterable[Sequence[object]], kinds: Sequence[str]) -> str:
    return "\n".join(
        "<tr>"
        + "".join(
            _cell(i, cell, kind) for i, (cell, kind) in enumerate(zip(row, kinds, strict=True))
        )
        + "</tr>"
        for row in rows
    )


def _cell(column: int, cell: object, kind: str) -> str:
    """A cell; where it is long, the name of a row more so, it may go on in another line."""
    text = str(cell)
    if not kind and len(text) > (LONG if column else NAME):
        kind = f' class="{"long" if column else "name"}"'
    return f"<td{kind}>{markup(text)}</td>"


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and texts of them, in as many lines as it takes."""
    body = "\n".join(
        f'<tr><th scope="row">{markup(name)}</th><td>{markup(text)}</td></tr>'
        for name, text in rows
    )
    return f'<table class="pairs">\n<tbody>\n{body}\n</tbody>\n</table>'


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """A row of cards: a small label and a large value each."""
    cards = "".join(
        f"<div><dt>{markup(label)}</dt><dd>{markup(str(value))}</dd></div>"
        for label, value in pairs
    )
    return f'<dl class="facts">{cards}</dl>'


def gallery(items: Iterable[tuple[bytes, str]], width: int = 64) -> str:
    """Pictures (PNG or JPEG files as bytes) with captions, `width` pixels wide, inside the
    document.
    """
    figures = "".join(
        f'<figure style="width:{width}px">'
        f'<img src="data:image/{_kind(file)};base64,{b64encode(file).decode()}" width="{width}" '
        f'alt="{markup(caption)}"><figcaption>{markup(caption)}</figcaption></figure>'
        for file, caption in items
    )
    return f'<div class="gallery">{figures}</div>'


def _kind(file: bytes) -> str:
    return "jpeg" if file.startswith(b"\xff\xd8") else "png"


def paragraph(text: str) -> str:
    """Plain text as a paragraph."""
    return f"<p>{markup(text)}</p>"


def code(text: str) -> str:
    """Text kept as it is, in a fixed-width font."""
    return f"<pre><code>{markup(text)}</code></pre>"

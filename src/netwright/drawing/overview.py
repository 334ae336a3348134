"""The page of all nets: accuracy against operations, a table, a timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from netwright.core.cost import CONVENTION
from netwright.core.shape import Shape, show
from netwright.drawing.bubbles import Bubble, bubbles, timeline
from netwright.drawing.charts import bars
from netwright.drawing.html import Page, table
from netwright.report.numbers import UNITS, human

__all__ = ["HEAD", "NetFacts", "cells", "overview_page"]

DATASET = "ImageNet-1k"

HEAD = ("net", "input", "params", "MACs", "field", "year", "top-1", "top-5")
MORE = ("data set", "category", "source")

PUBLISHED = (
    "Errors in per cent, as they were published for one net and mostly one crop; training, and so "
    "the comparison, differs from source to source. Parameters and MACs are Netwright's own, at "
    "the net's own input."
)

TIMELINE = "A paper each, under the shortest name of its nets."


class NetFacts(NamedTuple):
    """A net: what it costs, and what was published about it; empty where nothing was."""

    name: str
    input: Shape
    params: int
    macs: int
    field: str
    year: int
    top1_error: float | None
    top5_error: float | None
    dataset: str
    category: str
    source: str
    paper: str


def cells(net: NetFacts) -> list[str]:
    """A net as a line of a table under `HEAD`."""
    errors = ["" if error is None else f"{error:.2f}" for error in (net.top1_error, net.top5_error)]
    return [net.name, show(net.input), human(net.params, even=True),
            human(net.macs, even=True), net.field, str(net.year), *errors]  # fmt: skip


def overview_page(
    nets: Sequence[NetFacts], kinds: Sequence[str], contest: Sequence[tuple[str, float, str]]
) -> Page:
    """All about `nets`, whose categories are made of `kinds`; `contest` has names, top-5 errors
    and sources of entries of the ImageNet challenge.
    """
    rated = [net for net in nets if net.dataset == DATASET and net.top1_error is not None]
    page = Page("Nets", f"{len(nets)} nets, {len(rated)} with a published error on {DATASET}")
    if rated:
        page.add("Accuracy and operations", _bubbles(rated, kinds), note=PUBLISHED)
    rows = [[*cells(net), net.dataset, net.category, net.source] for net in nets]
    listed = table([*HEAD, *MORE], rows, range(2, len(HEAD)), sortable=True)
    page.add("All nets", listed, note=f"{CONVENTION} {UNITS}")
    page.add("Timeline", _timeline(nets, kinds), note=TIMELINE)
    errors = bars([(name, error) for name, error, _ in contest], unit="%",
                  title="Top-5 errors in the ImageNet challenge, test images")  # fmt: skip
    sources = table(["entry", "top-5", "source"], contest, (1,), sortable=True)
    return page.add("Challenge", errors, sources)


def _bubbles(nets: Sequence[NetFacts], kinds: Sequence[str]) -> str:
    points = [
        Bubble(net.macs, 100 - (net.top1_error or 0), net.params, net.name, _main(net), _hint(net))
        for net in nets
    ]
    return bubbles(
        points, kinds, title="Top-1 accuracy on ImageNet; areas are parameters",
        x="multiply-adds", y="top-1 accuracy, %", named=_outstanding(points),
    )  # fmt: skip


def _outstanding(points: Iterable[Bubble]) -> list[str]:
    """Names of those that nothing cheaper surpasses, then of the others, the best first."""
    front, rest, best = list[Bubble](), list[Bubble](), 0.0
    for point in sorted(points, key=lambda point: (point.x, -point.y)):
        (front if point.y > best else rest).append(point)
        best = max(best, point.y)
    return [point.name for point in (*front, *sorted(rest, key=lambda point: -point.y))]


def _hint(net: NetFacts) -> str:
    return (
        f"{net.name} ({net.year}): {net.top1_error:g}% top-1 error\n"
        f"{human(net.params)} parameters, {human(net.macs)} MACs, {net.category}\n{net.source}"
    )


def _timeline(nets: Iterable[NetFacts], kinds: Sequence[str]) -> str:
    """Every paper under the shortest name of its nets, in the column of its main category."""
    papers = defaultdict[str, list[NetFacts]](list)
    for net in nets:
        if net.category:
            papers[net.paper].append(net)
    columns = defaultdict[tuple[int, str], list[tuple[str, str]]](list)
    for paper, own in papers.items():
        first = min(own, key=lambda net: (len(net.name), net.name))
        many = f"\n{len(own)} nets" if len(own) > 1 else ""
        name = first.name.removesuffix("_cifar10")
        columns[first.year, _main(first)].append((name, f"{first.name}: {paper}{many}"))
    return timeline(
        {place: sorted(names) for place, names in columns.items()},
        kinds,
        title="Papers by year and by what they are better in",
    )


def _main(net: NetFacts) -> str:
    return net.category.partition(" + ")[0]

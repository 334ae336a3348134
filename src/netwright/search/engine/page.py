"""The page of a study: its curve against random, the front, the best net drawn, all trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from netwright.core.net import Net
from netwright.drawing.blocks_svg import block_diagram, cell_diagram
from netwright.drawing.charts import lines, scatter
from netwright.drawing.html import Page, code, facts, paragraph, table
from netwright.nets.catalogue import from_json
from netwright.report.numbers import counted, duration, human
from netwright.report.outline import cells, outline
from netwright.report.table import plan_table
from netwright.search.engine.measure import Measure, after, training
from netwright.search.engine.summary import (
    compared,
    curves,
    gain,
    supernet_lines,
    supernet_of,
    timed_by,
)
from netwright.search.fronts import front
from netwright.search.strategy import complete, longest
from netwright.search.study import best_trial, strategies
from netwright.search.timing import LATENCY
from netwright.search.trial import Trial

__all__ = ["study_page"]

DAY = 86_400
SHOWN = 200
"""Trials in the table: the best ones."""
LUCK = (" Scores are of the images that chose the net: the test images were not looked at, and the "
        "best of many is a little lucky.")  # fmt: skip


def study_page(name: str, record: dict[str, Any], trials: Sequence[Trial]) -> Page:
    """The page of a study of which a trial is complete; `SearchError` where none is."""
    best = best_trial(trials)
    identity = record.get("identity", {})
    net, measure = from_json(best.record["net"]), Measure.of(best)
    subject = f"{identity.get('space', '')} on {identity.get('data', '')}"
    if "recipe" in identity:
        subject += f", {counted(int(identity['epochs']), 'epoch')} by {identity['recipe']}"
    page = Page(f"Search: {name}", subject)
    _result(page, record, trials, best)
    _curve(page, trials, measure)
    _front(page, trials, measure)
    _latency(page, record, trials, measure)
    _best(page, net, best)
    _all(page, record, trials)
    return page


def _result(page: Page, record: dict[str, Any], trials: Sequence[Trial], best: Trial) -> None:
    gains, lines = gain(trials), supernet_lines(supernet_of(record, trials))
    measure = Measure.of(best)
    cards = [
        (f"{measure.name}{after(training(best))}", measure.text(best.points)),
        ("parameters", human(best.costs["params"])),
        ("MACs an image", human(best.costs["macs"])),
        ("trials", f"{len(complete(trials))} of {len(trials)}"),
        ("evaluation", duration(sum(trial.seconds for trial in trials))),
        *[(f"over {word}", measure.gain(points)) for word, points in gains.items()],
    ]
    page.add("Result", facts(cards),
             note=f"Strategy {_strategies(record, trials)}, seed {record.get('seed', 0)}, "
             f"budget {record.get('identity', {}).get('budget', 'none')}.{LUCK * measure.accuracy}"
             + "".join([f" {line.capitalize()}." for line in lines]))  # fmt: skip


def _strategies(record: dict[str, Any], trials: Sequence[Trial]) -> str:
    return strategies(trials, record.get("strategy", ""))


def _curve(page: Page, trials: Sequence[Trial], measure: Measure) -> None:
    shown = {word: [(n, measure.value(score)) for n, score in points]
             for word, points in curves(trials).items()}  # fmt: skip
    drawn, count = len(shown.get("random", ())), compared(trials)
    gained = f" The gain is between the best of {count} nets each." if count else ""
    page.add("Against random search", lines(shown, title="Best so far", x="nets", y=measure.unit),
             note="Search: the nets that the strategy proposed by what it knew. Random: the best "
             f"of so many on average, by the {drawn} nets that were drawn at random among those "
             f"not tried.{gained}")  # fmt: skip


def _front(page: Page, trials: Sequence[Trial], measure: Measure) -> None:
    page.add(f"{measure.lack.capitalize()} against cost",
             _scattered(trials, "macs", 1e-6, "million MACs", measure))  # fmt: skip


def _latency(page: Page, record: dict[str, Any], trials: Sequence[Trial], measure: Measure) -> None:
    measured = timed_by(record, trials)
    if measured:
        page.add(f"{measure.lack.capitalize()} against measured latency",
                 _scattered(measured, LATENCY, 1e3, "ms an image", measure),
                 note=f"One image in inference on {record[LATENCY]['setting']}, the first quartile "
                 "of its runs; of the nets that may be on the front.")  # fmt: skip


def _scattered(
    trials: Sequence[Trial], cost: str, scale: float, unit: str, measure: Measure
) -> str:
    """What the trials of the longest training lack against one cost, the front by number."""
    best = front(trials, (cost,))
    dots = [(scale * trial.costs[cost], measure.lacking(trial.points),
             str(trial.number) if trial in best else "")
            for trial in sorted(longest(trials), key=best.__contains__)]  # fmt: skip
    title = "Every trial a dot; a number where no other is as good and as cheap"
    return scatter(dots, title=title, x=unit, y=measure.lacking_unit)


def _best(page: Page, net: Net, best: Trial) -> None:
    tree = outline(net)
    pieces = [paragraph(f"Code {best.code}, {net.name}.")]
    for cell in cells(tree):
        pieces += [paragraph(f"Its cell {cell.group.path}:"), cell_diagram(replace(cell, count=1))]
    pieces += [paragraph("All of it:")] * (len(pieces) > 1)
    page.add(f"The best net: trial {best.number}", *pieces, block_diagram(tree),
             code(plan_table(net.plan(), 2)))  # fmt: skip


def _all(page: Page, record: dict[str, Any], trials: Sequence[Trial]) -> None:
    """As tables of papers have them: error, parameters, days of search, method."""
    done = sorted(complete(trials), key=lambda trial: (-trial.share, -trial.points))
    measure, short = Measure.of(done[0]), len(done) > len(longest(trials))
    supernet = supernet_of(record, trials) or {"seconds": 0.0}
    days = (sum(trial.seconds for trial in trials) + supernet["seconds"]) / DAY
    rows = [
        (f"trial {trial.number}: {trial.code}", measure.lacking_text(trial.points),
         f"{trial.costs['params'] / 1e6:.3g}", f"{trial.costs['macs'] / 1e6:.4g}",
         f"{trial.seconds:.1f}", f"{days:.2g}",
         trial.note.get("from") or _strategies(record, [trial]), *[training(trial)] * short)
        for trial in done[:SHOWN]
    ]  # fmt: skip
    error = "validation error" if measure.accuracy else measure.lack
    head = ["architecture", error, "params M", "MACs M", "seconds", "search days",
            "method", *["training"] * short]  # fmt: skip
    failed = [(trial.number, trial.code, trial.reason) for trial in trials if trial.reason]
    pieces = [table(head, rows, range(1, 6), sortable=True)]
    if failed:
        pieces.append(table(["failed", "code", "because"], failed, (0,)))
    page.add("Trials", *pieces)

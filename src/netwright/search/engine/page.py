"""The page of a study: its curve against random, the front, the best net drawn, all trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netwright.core.net import Net
from netwright.drawing.blocks_svg import block_diagram
from netwright.drawing.charts import lines, scatter
from netwright.drawing.html import Page, code, facts, paragraph, table
from netwright.nets.catalogue import from_json
from netwright.report.numbers import duration, human
from netwright.report.outline import outline
from netwright.report.table import plan_table
from netwright.search.engine.summary import curves, gain, supernet_lines, supernet_of, timed_by
from netwright.search.fronts import front
from netwright.search.strategy import complete
from netwright.search.study import best_trial
from netwright.search.timing import LATENCY
from netwright.search.trial import Trial

__all__ = ["study_page"]

DAY = 86_400
SHOWN = 200
"""Trials in the table: the best ones."""


def study_page(name: str, record: dict[str, Any], trials: Sequence[Trial]) -> Page:
    """The page of a study of which a trial is complete; `SearchError` where none is."""
    best = best_trial(trials)
    identity = record.get("identity", {})
    net = from_json(best.record["net"])
    page = Page(f"Search: {name}", f"{identity.get('space', '')} on {identity.get('data', '')}")
    _result(page, record, trials, best)
    _curve(page, trials)
    _front(page, trials)
    _latency(page, record, trials)
    _best(page, net, best)
    _all(page, record, trials)
    return page


def _result(page: Page, record: dict[str, Any], trials: Sequence[Trial], best: Trial) -> None:
    gains, lines = gain(trials), supernet_lines(supernet_of(record, trials))
    cards = [
        ("accuracy on validation", f"{100 * (best.score or 0):.2f}%"),
        ("parameters", human(best.costs["params"])),
        ("MACs an image", human(best.costs["macs"])),
        ("trials", f"{len(complete(trials))} of {len(trials)}"),
        ("evaluation", duration(sum(trial.seconds for trial in trials))),
        *[(f"over {word}", f"{100 * points:+.2f} points") for word, points in gains.items()],
    ]
    page.add("Result", facts(cards),
             note=f"Strategy {record.get('strategy', '')}, seed {record.get('seed', 0)}, budget "
             f"{record.get('identity', {}).get('budget', 'none')}. Scores are of the images that "
             "chose the net: the test images were not looked at, and the best of many is a "
             "little lucky." + "".join([f" {line.capitalize()}." for line in lines]))  # fmt: skip


def _curve(page: Page, trials: Sequence[Trial]) -> None:
    percent = {word: [(n, 100 * score) for n, score in points]
               for word, points in curves(trials).items()}  # fmt: skip
    drawn = len(percent.get("random", ()))
    page.add("Against random search", lines(percent, title="Best so far", x="trials", y="%"),
             note=f"Random: the best of so many on average, by the {drawn} nets that were drawn at "
             "random among those not tried.")  # fmt: skip


def _front(page: Page, trials: Sequence[Trial]) -> None:
    page.add("Error against cost", _scattered(trials, "macs", 1e-6, "million MACs"))


def _latency(page: Page, record: dict[str, Any], trials: Sequence[Trial]) -> None:
    measured = timed_by(record, trials)
    if measured:
        page.add("Error against measured latency",
                 _scattered(measured, LATENCY, 1e3, "ms an image"),
                 note=f"One image in inference on {record[LATENCY]['setting']}, the first quartile "
                 "of its runs; of the nets that may be on the front.")  # fmt: skip


def _scattered(trials: Sequence[Trial], cost: str, scale: float, unit: str) -> str:
    """Error against one cost, the trials of the front by number."""
    best = front(trials, (cost,))
    dots = [(scale * trial.costs[cost], 100 * (1 - trial.points),
             str(trial.number) if trial in best else "")
            for trial in sorted(complete(trials), key=best.__contains__)]  # fmt: skip
    title = "The trials; those that none beats by number"
    return scatter(dots, title=title, x=unit, y="error in %")


def _best(page: Page, net: Net, best: Trial) -> None:
    page.add(f"The best net: trial {best.number}", paragraph(f"Code {best.code}, {net.name}."),
             block_diagram(outline(net)), code(plan_table(net.plan(), 2)))  # fmt: skip


def _all(page: Page, record: dict[str, Any], trials: Sequence[Trial]) -> None:
    """As tables of papers have them: error, parameters, days of search, method."""
    done = sorted(complete(trials), key=lambda trial: -(trial.score or 0))
    supernet = supernet_of(record, trials) or {"seconds": 0.0}
    days = (sum(trial.seconds for trial in trials) + supernet["seconds"]) / DAY
    rows = [
        (f"trial {trial.number}: {trial.code}", f"{100 * (1 - (trial.score or 0)):.2f}",
         f"{trial.costs['params'] / 1e6:.3g}", f"{trial.costs['macs'] / 1e6:.4g}",
         f"{trial.seconds:.1f}", f"{days:.2g}",
         trial.note.get("from") or record.get("strategy", ""))
        for trial in done[:SHOWN]
    ]  # fmt: skip
    head = ["architecture", "validation error", "params M", "MACs M", "seconds", "search days",
            "method"]  # fmt: skip
    failed = [(trial.number, trial.code, trial.reason) for trial in trials if trial.reason]
    pieces = [table(head, rows, range(1, 6), sortable=True)]
    if failed:
        pieces.append(table(["failed", "code", "because"], failed, (0,)))
    page.add("Trials", *pieces)

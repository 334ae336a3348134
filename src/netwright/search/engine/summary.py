"""What a study has come to so far, as a record and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netwright.errors import SearchError
from netwright.report.numbers import counted, duration, human
from netwright.search.engine.beside import at_random, best_of, given, proposed
from netwright.search.engine.measure import Measure, after, training
from netwright.search.fronts import front
from netwright.search.shared.correlation import agreement
from netwright.search.strategy import complete
from netwright.search.study import best_so_far, best_trial, strategies
from netwright.search.timing import LATENCY, timed
from netwright.search.trial import Trial

__all__ = [
    "compared",
    "curves",
    "gain",
    "gain_words",
    "numbered",
    "summary",
    "summary_text",
    "supernet_lines",
    "supernet_of",
    "timed_by",
]  # fmt: skip


def numbered(trials: Sequence[Trial], number: int) -> Trial:
    """The trial of that number; `SearchError` where there is none."""
    for trial in trials:
        if trial.number == number:
            return trial
    last = f"0 to {trials[-1].number}" if trials else "none so far"
    raise SearchError(f"the study has no trial {number}; there are {last}")


def curves(trials: Sequence[Trial]) -> dict[str, list[tuple[float, float]]]:
    """The best score after each net that the strategy proposed, and that of random search on
    average, as far as nets were drawn at random.
    """
    scores = [trial.points for trial in at_random(trials)]
    lines: dict[str, list[tuple[float, float]]] = {
        "search": [*enumerate(best_so_far(proposed(trials)), 1)],
        "random": [(n, best_of(scores, n)) for n in range(1, len(scores) + 1)],
    }
    return {word: points for word, points in lines.items() if points}


def compared(trials: Sequence[Trial]) -> int:
    """How many nets of the strategy are compared with as many at random."""
    return min(len(proposed(trials)), len(at_random(trials)))


def gain(trials: Sequence[Trial]) -> dict[str, float]:
    """How much better the best net is than the default, and how much better the best of the nets
    that the strategy proposed is than the best of as many at random, on average over which ones;
    each if there are any.
    """
    best, gains = best_trial(trials).points, dict[str, float]()
    for trial in given(trials):
        gains["default"] = best - trial.points
    if count := compared(trials):
        own, drawn = ([trial.points for trial in some]
                      for some in (proposed(trials), at_random(trials)))  # fmt: skip
        gains["random"] = best_of(own, count) - best_of(drawn, count)
    return gains


def gain_words(gains: dict[str, float], count: int, measure: Measure) -> list[str]:
    """The same for people, with how many nets each best is of.

    >>> gain_words({"random": -0.3}, 1, Measure(True))
    ['-30.00 points over random search, each the best of 1 net']
    """
    best = f"each the best of {counted(count, 'net')}"
    than = {"default": "the default", "random": f"random search, {best}"}
    return [f"{measure.gain(points)} over {than[word]}" for word, points in gains.items()]


def summary(
    name: str, record: dict[str, Any], trials: Sequence[Trial], stopped: str = ""
) -> dict[str, Any]:
    """The state of a study as JSON's own types; `best` is null where no trial is complete yet.

    stopped: why the search ended, where it just did
    """
    done = complete(trials)
    counts = {state: sum(trial.state == state for trial in trials)
              for state in ("complete", "failed", "running")}  # fmt: skip
    return {
        "study": name,
        **record.get("identity", {}),
        "strategy": strategies(trials, record.get("strategy", "")),
        "seed": record.get("seed", 0),
        "trials": len(trials),
        **counts,
        "wanted": record.get("trials"),
        "stopped": stopped,
        "seconds": round(sum(trial.seconds for trial in trials), 1),
        "accuracy": bool(done) and Measure.of(best_trial(trials)).accuracy,
        "best": _row(best_trial(trials)) if done else None,
        "gain": gain(trials) if done else {},
        "random": len(at_random(trials)),
        "compared": compared(trials),
        "supernet": supernet_of(record, trials),
        "front": [_row(trial) for trial in front(done, ("macs",))] if done else [],
        "latency": _latency(record, done),
        "reasons": _reasons(trials),
    }


def summary_text(state: dict[str, Any]) -> str:
    """The same for people."""
    parts = [f"{state[word]} {word}" for word in ("complete", "failed", "running") if state[word]]
    asked, wanted = state["trials"], state["wanted"] or 0
    count = f"{asked} of {counted(wanted, 'trial')}" if wanted >= asked else counted(asked, "trial")
    lines = [
        f"{state['study']}: {state['space']} on {state['data']}, {state['strategy']}",
        f"{count}: {', '.join(parts) or 'none yet'}; {duration(state['seconds'])} of evaluation",
    ]
    if state["stopped"] and state["trials"] != state["wanted"]:
        lines.append(f"ended: {state['stopped']}")
    best, measure = state["best"], Measure(state["accuracy"])
    if best is not None:
        lines.append(f"best: {_row_text(best, measure)}, {_costs(best)}, code {best['code']}")
    lines += _gain_lines(state, measure)
    lines += supernet_lines(state["supernet"])
    lines += [f"cheaper: {_row_text(row, measure)}, {_costs(row)}"
              for row in state["front"] if row != best]  # fmt: skip
    if state["latency"]:
        lines.append(f"measured on {state['latency']['setting']}:")
        lines += [f"  {_row_text(row, measure)}, {1e3 * row['latency']:.3g} ms"
                  for row in state["latency"]["front"]]  # fmt: skip
    lines += [f"failed: {count} x {why}" for why, count in state["reasons"].items()]
    return "\n".join(lines)


def _gain_lines(state: dict[str, Any], measure: Measure) -> list[str]:
    """What the search gained, or why nothing can be said of that yet."""
    lines = gain_words(state["gain"], state["compared"], measure)
    if state["random"] and not state["compared"]:
        lines.append("no gain over random search to tell of: so far the strategy has drawn nets "
                     "at random only")  # fmt: skip
    return lines


def timed_by(record: dict[str, Any], trials: Sequence[Trial]) -> list[Trial]:
    """The trials whose latency the study has measured, with it among their costs."""
    return timed(trials, record.get(LATENCY, {}).get("seconds", {}))


def _latency(record: dict[str, Any], trials: Sequence[Trial]) -> dict[str, Any] | None:
    """The front of score and measured latency, and where that was measured."""
    measured = timed_by(record, trials)
    if not measured:
        return None
    return {"setting": record[LATENCY]["setting"],
            "front": [_row(trial) for trial in front(measured, (LATENCY,))]}  # fmt: skip


def supernet_lines(supernet: dict[str, Any] | None) -> list[str]:
    """What was trained before the first trial, and what its ranking was worth."""
    if supernet is None:
        return []
    lines = [f"supernet: {supernet['stopped']} in {duration(supernet['seconds'])}"]
    if supernet["tau"] is not None:
        nets = counted(supernet["compared"], "net")
        lines.append(f"rank correlation of shared weights with training alone "
                     f"{supernet['tau']:+.2f} over {nets}")  # fmt: skip
    return lines


def supernet_of(record: dict[str, Any], trials: Sequence[Trial]) -> dict[str, Any] | None:
    """The supernet of a study whose strategy trained one: its epochs, its seconds, and the rank
    correlation of what it said of nets with their scores.
    """
    learnt = record.get("learnt", {})
    if "ranking" not in learnt:  # other strategies learn other things
        return None
    tau, count = agreement(trials, learnt["of"]) or (None, 0)
    return {"stopped": learnt["stopped"], "seconds": round(learnt["seconds"], 1),
            "epochs": len(learnt["history"]), "tau": tau, "compared": count}  # fmt: skip


def _row(trial: Trial) -> dict[str, Any]:
    return {"trial": trial.number, "code": trial.code, "hash": trial.hash, "score": trial.score,
            "training": training(trial), "params": trial.costs.get("params"),
            "macs": trial.costs.get("macs"), "latency": trial.costs.get(LATENCY),
            "seed": trial.seed, "seconds": round(trial.seconds, 2)}  # fmt: skip


def _reasons(trials: Sequence[Trial]) -> dict[str, int]:
    """How many trials failed for each reason."""
    counts = dict[str, int]()
    for trial in trials:
        if trial.reason:
            counts[trial.reason] = counts.get(trial.reason, 0) + 1
    return counts


def _costs(row: dict[str, Any]) -> str:
    return f"{human(row['params'])} parameters, {human(row['macs'])} MACs"


def _row_text(row: dict[str, Any], measure: Measure) -> str:
    where = " on validation" if measure.accuracy else ""
    return f"trial {row['trial']}, {measure.text(row['score'])}{where}{after(row['training'])}"

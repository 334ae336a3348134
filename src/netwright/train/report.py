"""The page that a run leaves: data, candidates, training, test, net, and how to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from shlex import quote
from typing import Any

from torch import nn

from netwright.data.dataset import Dataset
from netwright.drawing.charts import lines, scatter
from netwright.drawing.html import Page, code, facts, paragraph, table
from netwright.report.numbers import counted, duration, exact, human, human_bytes
from netwright.report.table import plan_table
from netwright.train.evaluation import Evaluation
from netwright.train.insight import insight_section
from netwright.train.job import Job
from netwright.train.outcome import Outcome
from netwright.train.run import Run
from netwright.train.sections import class_section, image_section, mistake_section, score_facts
from netwright.train.settings import Settings
from netwright.train.trials import Trials

__all__ = ["write_report"]


def write_report(
    run: Run, metrics: dict[str, Any], winner: Outcome, trials: Trials, dataset: Dataset,
    result: Evaluation, planned: Sequence[Mapping[str, Any]], model: nn.Module,
) -> None:  # fmt: skip
    """Writes report.html of a run; `result` is the winner's test, `model` its net with its weights,
    `planned` the nets there were to choose from, if they are still known.
    """
    test, net = metrics["test"], winner.approach.net
    page = Page(f"{net.name} on {dataset.source}", f"{test['images']} test images, "
                f"{len(dataset.classes)} classes, {run.record['began'][:10]}")  # fmt: skip
    _result(page, run, metrics)
    image_section(page, dataset, net.input)
    if planned:
        _candidates(page, planned, run.record["settings"]["budget"] or "none")
    _training(page, metrics["why"], trials, winner)
    class_section(page, "Test, class by class", test, dataset.classes)
    mistake_section(page, dataset, result)
    if not dataset.signals:
        insight_section(page, model, winner.approach.preprocessing, dataset, result,
                        run.record["seconds"])  # fmt: skip
    page.add("The net", code(plan_table(net.plan(), 2)))
    _again(page, run, dataset)
    page.write(run.path / "report.html")


def _result(page: Page, run: Run, metrics: dict[str, Any]) -> None:
    test, net = metrics["test"], metrics["net"]
    spared = (" The time was up before the schedule was through: the best net so far was taken."
              if metrics["cut"] else "")  # fmt: skip
    page.add(
        "Result",
        facts(
            [
                *score_facts(test),
                ("parameters", human(net["params"])),
                ("MACs an image", human(net["macs"])),
                ("memory", human_bytes(net["memory"])),
                ("time", duration(run.record["seconds"])),
            ]
        ),
        note=f"{test['correct']} of {test['images']} test images right; the net had not seen them, "
        f"nor were they used to choose it. The interval is Wilson's. Validation: "
        f"{100 * metrics['val']['accuracy']:.2f}%.{spared}",
    )


def _candidates(page: Page, planned: Sequence[Mapping[str, Any]], budget: str) -> None:
    kept = [row for row in planned if not row["reason"]]
    reasons: dict[str, int] = {}
    for row in planned:
        if row["reason"]:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    rows = [
        (row["name"], exact(row["params"]), exact(row["macs"]), human_bytes(row["memory"]),
         f"{row['field']} px", f"{row['last_map']}x{row['last_map']}")
        for row in kept
    ]  # fmt: skip
    dots = [(row["macs"] / 1e6, row["params"] / 1e6, row["name"]) for row in kept]
    page.add(
        "Nets to choose from",
        paragraph(f"{len(planned)} nets were planned, none built; {len(kept)} were trained."),
        table(["net", "params", "MACs", "memory", "field", "last map"], rows, numeric=range(1, 6)),
        scatter(dots, title="The nets that were trained", x="million MACs", y="million parameters"),
        table(["nets left out", "because"], [(n, why) for why, n in reasons.items()], numeric=(0,)),
        note=f"Budget: {budget}. The name says family, width of the first stage, depth of a "
        "stage, and number of stages; the field is that of the last map.",
    )


def _training(page: Page, why: Sequence[str], trials: Trials, winner: Outcome) -> None:
    job = trials.job
    rows = [
        (o.name, _method(o), _epochs(o),
         f"{o.last['train_loss']:.3f}", f"{100 * o.last['val_accuracy']:.2f}%",
         f"{o.last['val_loss']:.3f}", "winner" if o.name == winner.name else "")
        for o in trials.outcomes
    ]  # fmt: skip
    curves = {
        rung: {o.name: [(row["epoch"], 100 * row["val_accuracy"]) for row in o.history]
               for o in trials.outcomes if o.rung == rung and o.approach.epochs}
        for rung in sorted({o.rung for o in trials.outcomes})
    }  # fmt: skip
    charts = [
        lines(own, title=f"Rung {rung + 1}: accuracy on validation", x="epoch", y="%")
        for rung, own in curves.items()
        if own
    ]
    page.add(
        "Training",
        paragraph(". ".join(f"{reason[0].upper()}{reason[1:]}" for reason in why) + "."),
        table(
            ["approach", "method", "epochs", "loss", "validation", "its loss", ""],
            rows,
            numeric=(2, 3, 4, 5),
        ),
        *charts,
        note=f"{_schedule(job)}{_recipe(winner)}{_once_more(winner)}",
    )


def _method(outcome: Outcome) -> str:
    folds = f", mean of {outcome.folds} folds" if outcome.folds > 1 else ""
    return f"{outcome.approach.method}{folds}"


def _epochs(outcome: Outcome) -> str:
    done, planned = outcome.last["epoch"], outcome.approach.epochs
    if done > planned > 0:  # there was more time than was planned with
        return f"{done}, {planned} planned"
    return f"{done} of {planned}" if planned else ""


def _schedule(job: Job) -> str:
    if len(job.rungs) < 2:
        return ""
    steps = ", then ".join(f"{rung.nets} for {rung.epochs}" for rung in job.rungs)
    return f"Successive halving: {steps} epochs, every rung from the start. "


def _recipe(winner: Outcome) -> str:
    approach = winner.approach
    if approach.method == "probe":
        model = {"logistic": "Logistic regression", "svm": "A support vector machine"}
        return (f"{model[approach.linear]} on the features of {approach.layer}, strength "
                f"{approach.strength:g}, chosen by cross-validation.")  # fmt: skip
    recipe = approach.recipe
    names = ", ".join(type(operation).__name__ for operation in recipe.operations) or "none"
    return (f"Recipe {recipe.name}: {recipe.optimiser}, batch {recipe.batch}, rate "
            f"{recipe.rate:g}, augmentation {names}, labels smoothed by {recipe.smoothing:g}, "
            f"{approach.precision}.")  # fmt: skip


def _once_more(winner: Outcome) -> str:
    if winner.final is None:
        return ""
    return (" What is tested and kept learnt once more in the same way, from the images of "
            "training and validation together.")  # fmt: skip


def _again(page: Page, run: Run, dataset: Dataset) -> None:
    settings = run.record["settings"]
    corrupt = "" if dataset.signals else "--corrupt "
    defaults = {word.name: word.default for word in fields(Settings)}
    words = [
        _option(name, value)
        for name, value in settings.items()
        if name != "data" and value != defaults[name]
    ]
    machine, versions = run.record["machine"], run.record["versions"]
    page.add(
        "Use it, repeat it",
        code(
            f"netwright predict {quote(str(run.path))} IMAGES...\n"
            f"netwright evaluate {quote(str(run.path))} {quote(settings['data'])} "
            f"{corrupt}--html evaluation.html\n"
            f"netwright summary {quote(str(run.path / 'net.json'))}\n"
            f"netwright fit {quote(settings['data'])} {' '.join(words)} --out ANOTHER"
        ),
        code(
            "import netwright as nw\n"
            f"run = nw.Run.load({str(run.path)!r})\n"
            'run.predict(["image.png"])[0].top(3)\n'
            "run.model()  # an ordinary torch.nn.Module with the weights"
        ),
        note=f"netwright {versions['netwright']}, Python {versions['python']}, "
        f"torch {machine['torch']}, {machine['device']}, {counted(machine['threads'], 'thread')}. "
        "The same command gives the same numbers on the same machine with as many threads; data "
        f"fingerprint {run.record['data']['fingerprint']}.",
    )


def _option(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    return f"--{name} {quote(str(value))}"

"""The page that a run leaves: data, candidates, training, test, net, and how to go on."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote
from typing import Any

import numpy as np
from PIL import Image

from netwright.core.net import Net
from netwright.data.dataset import Dataset
from netwright.data.found import SPLITS
from netwright.drawing.charts import bars, grouped_bars, heat, lines, scatter
from netwright.drawing.html import Page, code, facts, gallery, paragraph, table
from netwright.report.numbers import duration, exact, human, human_bytes, share
from netwright.report.table import plan_table
from netwright.train.job import Job
from netwright.train.run import Run
from netwright.train.trials import Outcome

__all__ = ["write_report"]

THUMB = 64
SAMPLES = 24
MISTAKES = 24
MANY = 40
"""Classes beyond which lists are cut."""


def write_report(
    run: Run, metrics: dict[str, Any], net: Net, outcomes: Sequence[Outcome], dataset: Dataset,
    made: np.ndarray, planned: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Writes report.html of a run; `made` are the winner's probabilities of the test images,
    `planned` the nets there were to choose from, if they are still known.
    """
    test = metrics["test"]
    page = Page(f"{net.name} on {dataset.source}", f"{test['images']} test images, "
                f"{len(dataset.classes)} classes, {run.record['began'][:10]}")  # fmt: skip
    _result(page, run, metrics)
    _data(page, dataset)
    if planned:
        _candidates(page, planned, run.record["settings"]["budget"])
    _training(page, outcomes, Job.from_json(run.record["job"]), metrics)
    _test(page, test, dataset, made)
    page.add("The net", code(plan_table(net.plan())))
    _again(page, run)
    page.write(run.path / "report.html")


def _result(page: Page, run: Run, metrics: dict[str, Any]) -> None:
    test, net = metrics["test"], metrics["net"]
    low, high = test["interval"]
    spared = (" The time was up before the schedule was through: the best net so far was taken."
              if metrics["cut"] else "")  # fmt: skip
    page.add(
        "Result",
        facts(
            [
                ("test accuracy", f"{100 * test['accuracy']:.2f}%"),
                ("95% interval", f"{100 * low:.1f} to {100 * high:.1f}%"),
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


def _data(page: Page, dataset: Dataset) -> None:
    counts = {part: dataset.counts(part) for part in SPLITS}
    found = dataset.found
    pieces = [
        facts([(f"images to {part}", exact(sum(counts[part]))) for part in SPLITS]
              + [("classes", len(dataset.classes)), ("as", "x".join(map(str, dataset.shape)))]),
        paragraph(_seen(dataset)),
    ]  # fmt: skip
    if len(dataset.classes) <= MANY:
        pieces.append(
            grouped_bars(list(dataset.classes), counts, title="Images of each class", format=exact)
        )
    else:
        total = sorted(
            zip(dataset.classes, counts["train"], strict=True), key=lambda pair: -pair[1]
        )
        ends = [*total[: MANY // 2], *total[-MANY // 2 :]]
        pieces.append(
            bars(
                ends, title="Training images of the largest and the smallest classes", format=exact
            )
        )
    pieces.append(gallery(_samples(dataset), THUMB))
    if found["unreadable"]:
        pieces.append(
            paragraph(f"{len(found['unreadable'])} files could not be read and were left out:")
        )
        pieces.append(code(_cut(found["unreadable"])))
    if found["notes"]:
        pieces += [paragraph("Notes:"), code(_cut(found["notes"]))]
    page.add("Images", *pieces)


def _cut(rows: Sequence[str]) -> str:
    more = len(rows) - MANY
    return "\n".join([*rows[:MANY], *([f"and {more} more"] if more > 0 else [])])


def _seen(dataset: Dataset) -> str:
    found = dataset.found
    sizes = ", ".join(f"{size} ({exact(count)})" for size, count in found["sizes"].items())
    modes = ", ".join(f"{mode} ({exact(count)})" for mode, count in found["modes"].items())
    said = [f"Sizes: {sizes}. Modes: {modes}."]
    if dataset.imbalance >= 1.5:
        said.append(
            f"The largest class has {dataset.imbalance:.1f} times the training images of the "
            "smallest."
        )
    if dataset.duplicates:
        said.append(f"{dataset.duplicates} images of validation and test are also in training, "
                    "pixel by pixel: the accuracy is flattered by them.")  # fmt: skip
    if found["ignored"]:
        said.append(f"{found['ignored']} files that are hidden or no images were passed over.")
    return " ".join(said)


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


def _training(page: Page, outcomes: Sequence[Outcome], job: Job, metrics: dict[str, Any]) -> None:
    rows = [
        (o.trial.rung + 1, o.trial.net.name, f"{len(o.history)} of {o.trial.epochs}",
         f"{o.history[-1]['train_loss']:.3f}", f"{100 * o.history[-1]['val_accuracy']:.2f}%",
         f"{o.history[-1]['val_loss']:.3f}", "winner" if o.trial.name == metrics["winner"] else "")
        for o in outcomes
    ]  # fmt: skip
    charts = [
        lines(
            {o.trial.net.name: [(row["epoch"], 100 * row["val_accuracy"]) for row in o.history]
             for o in outcomes if o.trial.rung == rung},
            title=f"Rung {rung + 1}: accuracy on validation", x="epoch", y="%",
        )
        for rung in sorted({o.trial.rung for o in outcomes})
    ]  # fmt: skip
    recipe = job.recipe
    steps = ", then ".join(f"{rung.nets} for {rung.epochs}" for rung in job.rungs)
    page.add(
        "Training",
        table(
            ["rung", "net", "epochs", "loss", "validation", "its loss", ""],
            rows,
            numeric=(0, 2, 3, 4, 5),
        ),
        *charts,
        note=f"Successive halving: {steps} epochs, every rung from the start. SGD, batch "
        f"{recipe.batch}, rate {recipe.rate:g}, shifts of up to {recipe.shift} px, "
        f"{'mirrored at random, ' if recipe.flip else ''}labels smoothed by {recipe.smoothing:g}, "
        f"{job.precision}.",
    )


def _test(page: Page, test: dict[str, Any], dataset: Dataset, made: np.ndarray) -> None:
    rows = [
        (
            row["class"],
            row["images"],
            f"{row['precision']:.3f}",
            f"{row['recall']:.3f}",
            f"{row['f1']:.3f}",
        )
        for row in test["classes"]
    ]
    page.add(
        "Test, class by class",
        heat(test["confusion"], list(dataset.classes), title="Confusion", x="said", y="is"),
        table(["class", "images", "precision", "recall", "F1"], rows, numeric=range(1, 5)),
        note=f"Mean of the F1 of all classes: {test['macro_f1']:.3f}.",
    )
    wrong = _mistakes(dataset, made)
    page.add(
        "Mistakes it was surest of",
        gallery(wrong, 2 * THUMB) if wrong else paragraph("It made none on the test images."),
        note=f"{test['images'] - test['correct']} of {test['images']} "
        f"({share(test['images'] - test['correct'], test['images'])}) are wrong.",
    )


def _again(page: Page, run: Run) -> None:
    settings = run.record["settings"]
    words = [f"--budget \"{settings['budget']}\"", f"--minutes {settings['minutes']:g}",
             f"--seed {settings['seed']}"]  # fmt: skip
    words += [
        f"--{name} {settings[name]}" for name in ("epochs", "size") if settings[name] is not None
    ]
    words += ["--flip"] if settings["flip"] else []
    machine, versions = run.record["machine"], run.record["versions"]
    page.add(
        "Use it, repeat it",
        code(
            f"netwright predict {quote(str(run.path))} IMAGES...\n"
            f"netwright summary {quote(str(run.path / 'net.json'))}\n"
            f"netwright fit {quote(settings['data'])} {' '.join(words)} --out ANOTHER"
        ),
        code(
            "from netwright.train import Run\n"
            f"run = Run.load({str(run.path)!r})\n"
            'run.predict(["image.png"])[0].top(3)\n'
            "run.model  # an ordinary torch.nn.Module with the weights"
        ),
        note=f"netwright {versions['netwright']}, Python {versions['python']}, "
        f"torch {machine['torch']}, {machine['device']}, {machine['threads']} threads. The same "
        "command gives the same numbers on the same machine; data fingerprint "
        f"{run.record['data']['fingerprint']}.",
    )


def _samples(dataset: Dataset) -> list[tuple[bytes, str]]:
    """Training images of every class in turn."""
    train = dataset.splits["train"]
    labels = dataset.labels[train]
    every = [train[labels == label] for label in range(len(dataset.classes))]
    turns = [own[turn] for turn in range(SAMPLES) for own in every if turn < len(own)][:SAMPLES]
    chosen = sorted(turns, key=lambda i: dataset.labels[i])
    return [(_png(dataset.pixels[i]), dataset.classes[dataset.labels[i]]) for i in chosen]


def _mistakes(dataset: Dataset, made: np.ndarray) -> list[tuple[bytes, str]]:
    """The wrong test images, those it was surest of first."""
    test = dataset.splits["test"]
    said, sure = made.argmax(1), made.max(1)
    wrong = np.flatnonzero(said != dataset.labels[test])
    worst: Iterable[int] = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]

    def caption(i: int) -> str:
        truth = dataset.classes[dataset.labels[test[i]]]
        taken = f"{dataset.classes[said[i]]} ({100 * sure[i]:.0f}%)"
        return f"{truth} taken for {taken}, {dataset.names[test[i]]}"

    return [(_png(dataset.pixels[test[i]]), caption(i)) for i in worst]


def _png(pixels: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(held, "PNG")
    return held.getvalue()

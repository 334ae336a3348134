"""The page that a run leaves: data, candidates, training, test, net, and how to go on."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from shlex import quote
from typing import Any

import numpy as np
from PIL import Image

from netwright.data.dataset import Dataset
from netwright.data.listing import SPLITS
from netwright.drawing.charts import bars, grouped_bars, heat, lines, scatter
from netwright.drawing.html import Page, code, facts, gallery, paragraph, table
from netwright.report.numbers import duration, exact, human, human_bytes, share
from netwright.report.table import plan_table
from netwright.train.evaluation import Evaluation
from netwright.train.job import Job
from netwright.train.outcome import Outcome
from netwright.train.run import Run
from netwright.train.settings import Settings
from netwright.train.trials import Trials

__all__ = ["evaluation_page", "write_report"]

THUMB = 64
SAMPLES = 24
MISTAKES = 24
MANY = 40
"""Classes beyond which lists are cut."""


def write_report(
    run: Run, metrics: dict[str, Any], winner: Outcome, trials: Trials, dataset: Dataset,
    shares: np.ndarray, planned: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    """Writes report.html of a run; `shares` are the winner's probabilities of the test images,
    `planned` the nets there were to choose from, if they are still known.
    """
    test, net = metrics["test"], winner.approach.net
    page = Page(f"{net.name} on {dataset.source}", f"{test['images']} test images, "
                f"{len(dataset.classes)} classes, {run.record['began'][:10]}")  # fmt: skip
    _result(page, run, metrics)
    _data(page, dataset, winner)
    if planned:
        _candidates(page, planned, run.record["settings"]["budget"] or "none")
    _training(page, trials, winner)
    _test(page, test, dataset, shares)
    page.add("The net", code(plan_table(net.plan(), 2)))
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


def _data(page: Page, dataset: Dataset, winner: Outcome) -> None:
    counts = {part: dataset.counts(part) for part in SPLITS}
    shape = "x".join(map(str, winner.approach.net.input))
    pieces = [
        facts([(f"images to {part}", exact(sum(counts[part]))) for part in SPLITS]
              + [("classes", len(dataset.classes)), ("as", shape)]),
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
    if dataset.unreadable:
        pieces.append(
            paragraph(f"{len(dataset.unreadable)} files could not be read and were left out:")
        )
        pieces.append(code(_cut(dataset.unreadable)))
    if dataset.black:
        pieces.append(
            paragraph(f"{len(dataset.black)} more could not be read when they were learnt from, "
                      "and counted as black:")
        )  # fmt: skip
        pieces.append(code(_cut(dataset.black)))
    if dataset.notes:
        pieces += [paragraph("Notes:"), code(_cut(dataset.notes))]
    page.add("Images", *pieces)


def _cut(rows: Sequence[str]) -> str:
    more = len(rows) - MANY
    return "\n".join([*rows[:MANY], *([f"and {more} more"] if more > 0 else [])])


def _seen(dataset: Dataset) -> str:
    common = dataset.survey.common()
    sizes, modes = (", ".join(f"{name} ({exact(count)})" for name, count in common[word].items())
                    for word in ("sizes", "modes"))  # fmt: skip
    sentences = [f"Sizes: {sizes}. Modes: {modes}."]
    looked = len(dataset.survey.looked)
    if looked < dataset.size():
        sentences.append(f"A sample of {exact(looked)} images was looked at.")
    if dataset.imbalance >= 1.5:
        sentences.append(
            f"The largest class has {dataset.imbalance:.1f} times the training images of the "
            "smallest."
        )
    equal, close = (len(dataset.twins[kind]) for kind in ("equal", "close"))
    if equal:
        sentences.append(f"{equal} images of validation and test are also in training: the "
                         "accuracy is flattered by them.")  # fmt: skip
    if close:
        sentences.append(f"{close} more look much like one in training.")
    if dataset.listing.ignored:
        sentences.append(f"{dataset.listing.ignored} files that are hidden or no images were "
                         "passed over.")  # fmt: skip
    return " ".join(sentences)


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


def _training(page: Page, trials: Trials, winner: Outcome) -> None:
    job = trials.job
    rows = [
        (o.name, o.approach.method, _epochs(o),
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
        paragraph(". ".join(f"{reason[0].upper()}{reason[1:]}" for reason in job.why) + "."),
        table(
            ["approach", "method", "epochs", "loss", "validation", "its loss", ""],
            rows,
            numeric=(2, 3, 4, 5),
        ),
        *charts,
        note=f"{_schedule(job)}{_recipe(winner)}",
    )


def _epochs(outcome: Outcome) -> str:
    whole = outcome.approach.epochs
    return f"{outcome.last['epoch']} of {whole}" if whole else ""


def _schedule(job: Job) -> str:
    if len(job.rungs) < 2:
        return ""
    steps = ", then ".join(f"{rung.nets} for {rung.epochs}" for rung in job.rungs)
    return f"Successive halving: {steps} epochs, every rung from the start. "


def _recipe(winner: Outcome) -> str:
    approach = winner.approach
    if approach.method == "probe":
        return (f"Logistic regression on the features of {approach.layer}, strength "
                f"{approach.strength:g}, chosen by cross-validation.")  # fmt: skip
    recipe = approach.recipe
    names = ", ".join(type(operation).__name__ for operation in recipe.operations) or "none"
    return (f"Recipe {recipe.name}: {recipe.optimiser}, batch {recipe.batch}, rate "
            f"{recipe.rate:g}, augmentation {names}, labels smoothed by {recipe.smoothing:g}, "
            f"{approach.precision}.")  # fmt: skip


def _test(page: Page, test: dict[str, Any], dataset: Dataset, shares: np.ndarray) -> None:
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
    wrong = _mistakes(dataset, shares)
    page.add(
        "Mistakes it was surest of",
        gallery(wrong, 2 * THUMB) if wrong else paragraph("It made none on the test images."),
        note=f"{test['images'] - test['correct']} of {test['images']} "
        f"({share(test['images'] - test['correct'], test['images'])}) are wrong.",
    )


def evaluation_page(record: dict[str, Any], found: Evaluation, dataset: Dataset) -> Page:
    """The page of an evaluation: figures, classes, calibration, bad photos, mistakes."""
    page = Page(f"{', '.join(record['runs'])} on {record['data']}",
                f"{record['images']} images, {len(found.classes)} classes")  # fmt: skip
    low, high = record["interval"]
    page.add("Result", facts([
        ("accuracy", f"{100 * record['accuracy']:.2f}%"),
        ("95% interval", f"{100 * low:.1f} to {100 * high:.1f}%"),
        ("macro F1", f"{record['macro_f1']:.4f}"),
        ("log loss", f"{record['loss']:.4f}"),
        ("calibration error", f"{100 * record['calibration_error']:.1f}%"),
    ]))  # fmt: skip
    rows = [(row["class"], row["images"], *(f"{row[word]:.3f}" for word in
             ("precision", "recall", "f1"))) for row in record["classes"]]  # fmt: skip
    page.add(
        "Class by class",
        heat(record["confusion"], list(found.classes), title="Confusion", x="said", y="is"),
        table(["class", "images", "precision", "recall", "F1"], rows, numeric=range(1, 5)),
    )
    if "corrupted" in record:
        curves = {name: [(i + 1, 100 * value) for i, value in enumerate(values)]
                  for name, values in record["corrupted"].items()}  # fmt: skip
        page.add("Bad photos", lines(curves, title="Accuracy by strength", x="strength", y="%"))
    places = {name: i for i, name in enumerate(dataset.names)}
    wrong = [row for row in record["worst"] if row["class"] != row["predicted"]]
    pictures = [(_png(dataset, places[row["image"]]), _caption(row)) for row in wrong]
    none = paragraph("There are none.")
    page.add("Surest mistakes", gallery(pictures, 2 * THUMB) if pictures else none)
    return page


def _caption(row: dict[str, Any]) -> str:
    taken = f"{row['predicted']} ({100 * row['probability']:.0f}%)"
    return f"{row['class']} taken for {taken}, {row['image']}"


def _again(page: Page, run: Run) -> None:
    settings = run.record["settings"]
    defaults = {word.name: word.default for word in fields(Settings)}
    words = [
        f"--{name}" if value is True else f"--{name} {quote(str(value))}"
        for name, value in settings.items()
        if name != "data" and value != defaults[name]
    ]
    machine, versions = run.record["machine"], run.record["versions"]
    page.add(
        "Use it, repeat it",
        code(
            f"netwright predict {quote(str(run.path))} IMAGES...\n"
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
        f"torch {machine['torch']}, {machine['device']}, {machine['threads']} threads. The same "
        "command gives the same numbers on the same machine; data fingerprint "
        f"{run.record['data']['fingerprint']}.",
    )


def _samples(dataset: Dataset) -> list[tuple[bytes, str]]:
    """Training images of every class in turn."""
    train = dataset.indices("train")
    labels = dataset.labels[train]
    every = [train[labels == label] for label in range(len(dataset.classes))]
    turns = [own[turn] for turn in range(SAMPLES) for own in every if turn < len(own)][:SAMPLES]
    chosen = sorted(turns, key=lambda i: dataset.labels[i])
    return [(_png(dataset, i), dataset.classes[dataset.labels[i]]) for i in chosen]


def _mistakes(dataset: Dataset, shares: np.ndarray) -> list[tuple[bytes, str]]:
    """The wrong test images, those it was surest of first."""
    test = dataset.indices("test")
    predicted, sure = shares.argmax(1), shares.max(1)
    wrong = np.flatnonzero(predicted != dataset.labels[test])
    worst: Iterable[int] = wrong[np.argsort(-sure[wrong], kind="stable")][:MISTAKES]

    def caption(i: int) -> str:
        truth = dataset.classes[dataset.labels[test[i]]]
        taken = f"{dataset.classes[predicted[i]]} ({100 * sure[i]:.0f}%)"
        return f"{truth} taken for {taken}, {dataset.names[test[i]]}"

    return [(_png(dataset, int(test[i])), caption(i)) for i in worst]


def _png(dataset: Dataset, i: int) -> bytes:
    """Image i as a small PNG."""
    side = min(2 * THUMB, max(8, dataset.survey.side))
    pixels = dataset.thumbnail(int(i), side)
    page = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(page, "PNG")
    return page.getvalue()

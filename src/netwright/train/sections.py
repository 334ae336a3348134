"""Sections of the pages of runs and evaluations: the images, the classes, the mistakes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from netwright.core.shape import Shape, show
from netwright.data.dataset import Dataset
from netwright.data.listing import SPLITS
from netwright.drawing.charts import bars, grouped_bars, heat
from netwright.drawing.html import Page, code, facts, gallery, paragraph, table
from netwright.report.numbers import counted, exact, share
from netwright.train.evaluation import Evaluation

__all__ = ["class_section", "image_section", "mistake_section", "score_facts"]

THUMB = 64
SAMPLES = 24
MANY = 40
"""Classes beyond which lists are cut."""


def image_section(page: Page, dataset: Dataset, shape: Shape) -> None:
    """What images there are, and how the net sees them."""
    counts = {part: dataset.counts(part) for part in SPLITS}
    pieces = [
        facts([(f"images to {part}", exact(sum(counts[part]))) for part in SPLITS]
              + [("classes", len(dataset.classes)), ("as", show(shape))]),
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
            paragraph(f"{counted(len(dataset.unreadable), 'file')} left out, because unreadable:")
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
        sentences.append(f"In validation or test, but also in training: {counted(equal, 'image')}; "
                         "the accuracy is flattered by them.")  # fmt: skip
    if close:
        sentences.append(f"Much like one in training: {counted(close, 'more image')}.")
    if dataset.listing.ignored:
        sentences.append(f"Passed over, because hidden or no images: "
                         f"{counted(dataset.listing.ignored, 'file')}.")  # fmt: skip
    return " ".join(sentences)


def score_facts(scores: dict[str, Any]) -> list[tuple[str, str]]:
    """How good a run is on labelled images, from `netwright.train.scores`."""
    low, high = scores["interval"]
    return [
        ("accuracy", f"{100 * scores['accuracy']:.2f}%"),
        ("95% interval", f"{100 * low:.1f} to {100 * high:.1f}%"),
        ("log loss", f"{scores['loss']:.4f}"),
        ("its interval", "{:.3f} to {:.3f}".format(*scores["intervals"]["loss"])),
        ("calibration error", f"{100 * scores['calibration_error']:.1f}%"),
    ]


def class_section(
    page: Page, title: str, figures: Mapping[str, Any], classes: Sequence[str]
) -> None:
    """Which classes are taken for which, and precision and recall of each."""
    rows = [(row["class"], row["images"], *(f"{row[word]:.3f}" for word in
             ("precision", "recall", "f1"))) for row in figures["classes"]]  # fmt: skip
    page.add(
        title,
        heat(figures["confusion"], list(classes), title="Confusion", x="said", y="is"),
        table(["class", "images", "precision", "recall", "F1"], rows, numeric=range(1, 5)),
        note=f"Mean of the F1 of all classes: {figures['macro_f1']:.3f}.",
    )


def mistake_section(page: Page, dataset: Dataset, result: Evaluation) -> None:
    """The images that are taken for another class, with the largest loss first."""
    places = {name: i for i, name in enumerate(dataset.names)}
    pictures = [
        (_png(dataset, places[row["image"]]),
         (f"{row['class']} taken for {row['predicted']} ({100 * row['probability']:.0f}%), "
         f"{row['image']}"))
        for row in result.mistakes()
    ]  # fmt: skip
    wrong, images = int((~result.right).sum()), len(result.truth)
    page.add(
        "Worst mistakes",
        gallery(pictures, 2 * THUMB) if pictures else paragraph("There are none."),
        note=f"{wrong} of {images} ({share(wrong, images)}) are wrong.",
    )


def _samples(dataset: Dataset) -> list[tuple[bytes, str]]:
    """Training images of every class in turn."""
    train = dataset.indices("train")
    labels = dataset.labels[train]
    every = [train[labels == label] for label in range(len(dataset.classes))]
    turns = [own[turn] for turn in range(SAMPLES) for own in every if turn < len(own)][:SAMPLES]
    chosen = sorted(turns, key=lambda i: dataset.labels[i])
    return [(_png(dataset, i), dataset.classes[dataset.labels[i]]) for i in chosen]


def _png(dataset: Dataset, i: int) -> bytes:
    """Image i as a small PNG."""
    side = min(2 * THUMB, max(8, dataset.survey.side))
    pixels = dataset.thumbnail(int(i), side)
    page = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(page, "PNG")
    return page.getvalue()

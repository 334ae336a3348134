"""The page that `netwright evaluate` writes."""

from __future__ import annotations

from typing import Any

from netwright.data.dataset import Dataset
from netwright.drawing.charts import lines
from netwright.drawing.html import Page, facts
from netwright.train.evaluation import Evaluation
from netwright.train.sections import class_section, mistake_section, score_facts

__all__ = ["evaluation_page"]


def evaluation_page(record: dict[str, Any], result: Evaluation, dataset: Dataset) -> Page:
    """The page of an evaluation: figures, classes, calibration, bad photos, mistakes."""
    page = Page(f"{', '.join(record['runs'])} on {record['data']}",
                f"{record['images']} images, {len(result.classes)} classes")  # fmt: skip
    page.add("Result", facts(score_facts(record)))
    class_section(page, "Class by class", record, result.classes)
    if "corrupted" in record:
        curves = {name: [(i + 1, 100 * value) for i, value in enumerate(values)]
                  for name, values in record["corrupted"].items()}  # fmt: skip
        page.add("Bad photos", lines(curves, title="Accuracy by strength", x="strength", y="%"))
    mistake_section(page, dataset, result)
    return page

"""The end of a run: the winner's test, and the files that stay."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

from netwright.core.files import write_bytes, write_text
from netwright.data.augment import Mirroring, Shift
from netwright.data.dataset import Dataset
from netwright.errors import RunError
from netwright.train.asking import quick
from netwright.train.evaluation import Evaluation
from netwright.train.job import Job
from netwright.train.learner import probabilities
from netwright.train.outcome import Outcome, on_validation
from netwright.train.report import write_report
from netwright.train.run import Run
from netwright.train.scores import cooled, temperature
from netwright.train.trials import Trials
from netwright.train.views import Views

__all__ = ["finish", "packed", "unheeded"]

CALIBRATED = 100
"""Validation images from which the temperature is more than chance."""
ENOUGH = 1000
"""So many of them are looked at."""


def finish(
    run: Run,
    trials: Trials,
    winner: Outcome,
    dataset: Dataset,
    planned: Sequence[Mapping[str, Any]],
) -> Run:
    """Tests the winner, once, and writes net, weights, predictions, report and metrics.

    `planned` are the rows of candidates.json, none where nobody knows them any more.
    """
    if winner.diverged:
        raise RunError(f"{run.path}: no net learnt, the loss of each grew without bound; "
                       "begin a new run with another --seed or --size")  # fmt: skip
    approach = winner.approach
    chosen = winner.model()
    views, heat = _asked(trials, winner, quick(chosen))
    model = winner.final() if winner.final else chosen
    shares = probabilities(quick(model), trials.split("test", approach.preprocessing), views=views,
                           tell=trials.watch.steps("testing"))  # fmt: skip
    test = cooled(shares, heat)
    indices = dataset.indices("test")
    names = [dataset.names[i] for i in indices]
    result = Evaluation(dataset.classes, names, dataset.labels[indices], test)
    why = [*trials.job.why, *unheeded(run, trials.job, winner)]
    metrics = _metrics(trials, winner, result, why) | {"temperature": round(heat, 4)}
    write_text(run.path / "net.json", approach.net.to_json(indent=1))
    write_bytes(run.path / "weights.safetensors", packed(model))
    write_text(run.path / "predictions.csv", _predictions(result))
    record: dict[str, Any] = {
        **run.record,
        "seconds": round(trials.clock.spent, 1),
        "preprocessing": approach.preprocessing.to_json(),
        **views._asdict(),
        "temperature": heat,
    }
    write_text(run.path / "run.json", json.dumps(record, indent=1))
    done = Run.load(run.path)
    write_report(done, metrics, winner, trials, dataset, result, planned, model)
    write_text(run.path / "metrics.json", json.dumps(metrics, indent=1, allow_nan=False))
    shutil.rmtree(run.path / "checkpoints", ignore_errors=True)
    return done


def unheeded(run: Run, job: Job, winner: Outcome) -> list[str]:
    """What was asked for, but plays no part in what won."""
    if not run.record["settings"].get("recipe") or winner.approach.method != "probe":
        return []
    unused = (f"the recipe {job.recipe.name} was not used by what won, a linear model on frozen "
              "features; --transfer head, stages or full uses it")  # fmt: skip
    return [unused]


def _asked(trials: Trials, winner: Outcome, twin: nn.Module) -> tuple[Views, float]:
    """The views whose outputs are averaged, of those that were learnt from, and the temperature:
    what has the least loss on images of validation, where there are enough.
    """
    approach, dataset = winner.approach, trials.dataset
    mirrored, shifts = (any(isinstance(operation, kind) for operation in approach.recipe.operations)
                        for kind in (Mirroring, Shift))  # fmt: skip
    plain = Views(mirrored=approach.method == "probe" or mirrored)
    if approach.method == "probe" or dataset.size("val") < CALIBRATED:
        return plain, 1.0
    chosen = np.random.default_rng(0).permutation(dataset.indices("val"))[:ENOUGH]
    images = trials.images(np.sort(chosen), approach.preprocessing)
    truth = images.labels.cpu().numpy()

    def tried(views: Views) -> tuple[float, Views, float]:
        shares = probabilities(twin, images, views=views)
        heat = temperature(truth, shares)
        return on_validation(truth, cooled(shares, heat))["val_loss"], views, heat

    choices = [plain, plain._replace(shifted=True)] if shifts else [plain]
    _, views, heat = min(map(tried, choices))
    return views, heat


def packed(model: nn.Module) -> bytes:
    """The weights of a model in the format of safetensors, which refuses tensors that share
    memory: of shared ones every name has a copy.
    """
    whole = torch.contiguous_format
    state = model.state_dict()
    return save({name: value.cpu().clone(memory_format=whole) for name, value in state.items()})


def _metrics(trials: Trials, winner: Outcome, result: Evaluation, why: list[str]) -> dict[str, Any]:
    """Numbers only that follow from images, settings and seed: no times."""
    net = winner.approach.net
    plan = net.plan()
    last = winner.last
    return {
        "winner": winner.name,
        "method": winner.approach.method,
        "weights": winner.approach.weights,
        "why": why,
        "net": {"name": net.name, "hash": net.hash, "params": plan.params, "macs": plan.macs,
                "memory": plan.memory},
        "epochs": len(winner.history) if winner.approach.epochs else 0,
        "cut": trials.cut,
        "all_images": winner.final is not None,
        "val": {"accuracy": last["val_accuracy"], "loss": last["val_loss"]},
        "test": result.scores(),
        "trials": [
            {"name": outcome.name, "method": outcome.approach.method, "rung": outcome.rung + 1,
             "net": outcome.approach.net.name, "epochs": outcome.last["epoch"],
             "complete": outcome.complete, "folds": outcome.folds,
             "val_accuracy": outcome.last["val_accuracy"],
             "val_loss": outcome.last["val_loss"]}
            for outcome in trials.outcomes
        ],
    }  # fmt: skip


def _predictions(result: Evaluation) -> str:
    page = io.StringIO()
    table = csv.writer(page, lineterminator="\n")
    table.writerow(["image", "class", "predicted", "probability"])
    for name, truth, row in zip(result.names, result.truth, result.shares, strict=True):
        best = int(row.argmax())
        table.writerow([name, result.classes[truth], result.classes[best], f"{row[best]:.6f}"])
    return page.getvalue()

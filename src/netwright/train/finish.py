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
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support
from torch import nn

from netwright.core.files import write_bytes, write_text
from netwright.data.dataset import Dataset
from netwright.errors import RunError
from netwright.train.learner import probabilities
from netwright.train.report import write_report
from netwright.train.run import Run
from netwright.train.trials import Outcome, Trials, split_of

__all__ = ["finish", "packed", "wilson"]


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
    model = trials.learner(winner.trial).model
    made = probabilities(model, split_of(dataset, "test"))
    metrics = _metrics(trials, winner, dataset, made)
    write_text(run.path / "net.json", winner.trial.net.to_json(indent=1))
    write_bytes(run.path / "weights.safetensors", packed(model))
    write_text(run.path / "predictions.csv", _predictions(dataset, made))
    record = {**run.record, "seconds": round(trials.clock.spent, 1)}
    write_text(run.path / "run.json", json.dumps(record, indent=1))
    done = Run(run.path, record)
    write_report(done, metrics, winner.trial.net, trials.outcomes, dataset, made, planned)
    write_text(run.path / "metrics.json", json.dumps(metrics, indent=1, allow_nan=False))
    shutil.rmtree(run.path / "checkpoints", ignore_errors=True)
    return done


def packed(model: nn.Module) -> bytes:
    """The weights of a model in the format of safetensors, which refuses tensors that share
    memory: of shared ones every name has a copy.
    """
    whole = torch.contiguous_format
    state = model.state_dict()
    return save({name: value.cpu().clone(memory_format=whole) for name, value in state.items()})


def _metrics(trials: Trials, winner: Outcome, dataset: Dataset, made: np.ndarray) -> dict[str, Any]:
    """Numbers only that follow from images, settings and seed: no times."""
    net = winner.trial.net
    plan = net.plan()
    last = winner.history[-1]
    return {
        "winner": winner.trial.name,
        "net": {"name": net.name, "hash": net.hash, "params": plan.params, "macs": plan.macs,
                "memory": plan.memory},
        "epochs": len(winner.history),
        "cut": trials.cut,
        "val": {"accuracy": last["val_accuracy"], "loss": last["val_loss"]},
        "test": _scores(dataset, made),
        "trials": [
            {"name": outcome.trial.name, "rung": outcome.trial.rung + 1,
             "net": outcome.trial.net.name, "epochs": len(outcome.history),
             "complete": outcome.complete,
             "val_accuracy": outcome.history[-1]["val_accuracy"],
             "val_loss": outcome.history[-1]["val_loss"]}
            for outcome in trials.outcomes
        ],
    }  # fmt: skip


def _scores(dataset: Dataset, made: np.ndarray) -> dict[str, Any]:
    truth = dataset.labels[dataset.splits["test"]]
    said = made.argmax(1)
    every = range(len(dataset.classes))
    correct = int((said == truth).sum())
    figures: Any = precision_recall_fscore_support(truth, said, labels=every, zero_division=0)  # type: ignore[arg-type]
    precision, recall, f1, counts = figures
    columns = zip(dataset.classes, precision, recall, f1, counts, strict=True)
    seen = counts > 0
    return {
        "accuracy": correct / len(truth),
        "correct": correct,
        "images": len(truth),
        "interval": wilson(correct, len(truth)),
        "loss": float(log_loss(truth, made, labels=every)),
        "macro_f1": float(f1[seen].mean()),
        "classes": [
            {
                "class": name,
                "precision": float(p),
                "recall": float(r),
                "f1": float(f),
                "images": int(n),
            }
            for name, p, r, f, n in columns
        ],
        "confusion": confusion_matrix(truth, said, labels=every).tolist(),
    }


def wilson(correct: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95% interval of a share by Wilson 1927.

    >>> [round(bound, 3) for bound in wilson(9, 10)]
    [0.596, 0.982]
    """
    share = correct / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / (4 * count**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _predictions(dataset: Dataset, made: np.ndarray) -> str:
    held = io.StringIO()
    table = csv.writer(held, lineterminator="\n")
    table.writerow(["image", "class", "predicted", "probability"])
    for i, row in zip(dataset.splits["test"], made, strict=True):
        said = int(row.argmax())
        table.writerow([dataset.names[i], dataset.classes[dataset.labels[i]], dataset.classes[said],
                        f"{row[said]:.6f}"])  # fmt: skip
    return held.getvalue()

"""Parts of a model that do not learn, and the order in which they begin to.

What is frozen asks for no gradient and stays in evaluation mode, also after `model.train()`:
its batch norms neither use nor update the statistics of the batch, so its weights and buffers
are the same to the bit for as long as it is frozen.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from torch import nn

__all__ = ["frozen", "layer_rates", "sections"]


@contextmanager
def frozen(model: nn.Module, paths: Sequence[str]) -> Generator[None]:
    """Freezes the modules at these paths for as long as the block lasts.

    >>> model = nn.Sequential(nn.BatchNorm2d(3), nn.Linear(3, 2))
    >>> with frozen(model, ["0"]):
    ...     _ = model.train()
    ...     model[0].training, model[0].weight.requires_grad, model[1].weight.requires_grad
    (False, False, True)
    >>> _ = model.train()
    >>> model[0].training, model[0].weight.requires_grad
    (True, True)
    """
    modules = [model.get_submodule(path) for path in paths]
    learning = [p for module in modules for p in module.parameters() if p.requires_grad]
    before = [(module, module.training) for root in modules for module in root.modules()]
    try:
        for parameter in learning:
            parameter.requires_grad_(False)
        for module in modules:
            module.eval()
            module.train = _stays(module)  # type: ignore[method-assign]
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
        for module in modules:
            vars(module).pop("train", None)
        for module, training in before:
            module.training = training


def _stays(module: nn.Module):  # noqa: ANN202
    def train(mode: bool = True) -> nn.Module:
        return module

    return train


def sections(model: nn.Module) -> list[str]:
    """Paths of the parts with weights in the order in which images pass them, the head last:
    the children of the model, and of a child that holds nearly everything, its own.

    >>> sections(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 2)))
    ['0', '2']
    """
    total = sum(p.numel() for p in model.parameters())
    paths = list[str]()

    def walk(module: nn.Module, path: str) -> None:
        for name, child in module.named_children():
            size = sum(p.numel() for p in child.parameters())
            if not size:
                continue
            inside = f"{path}.{name}" if path else name
            if size > 0.7 * total and len(list(child.children())) > 1:
                walk(child, inside)
            else:
                paths.append(inside)

    walk(model, "")
    return paths


def layer_rates(paths: Sequence[str], factor: float = 0.7) -> dict[str, float]:
    """The share of the learning rate of every section: the head's is 1, each before it has
    `factor` of the next (Howard & Ruder 2018, arXiv:1801.06146, section 3.2).

    >>> layer_rates(["stem", "body", "head"], 0.5)
    {'stem': 0.25, 'body': 0.5, 'head': 1.0}
    """
    return {path: factor ** (len(paths) - 1 - i) for i, path in enumerate(paths)}

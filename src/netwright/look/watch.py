"""Running a model to look at it, and leaving it as it was."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwright.core.shape import show
from netwright.errors import LookError, NetwrightError, nearest
from netwright.look.geometry import of_call
from netwright.look.picture import channels_of

__all__ = ["Watch", "watching"]

TOLERANCE = 1e-4
"""How far numbers may be from those of an image that passes alone, of the largest."""


class Watch:
    """A model that is being looked at: call it with a batch for its logits (N, classes); then
    `outputs` has what each watched layer gave, by path.
    """

    def __init__(
        self, model: nn.Module, paths: Iterable[str], unit: tuple[int, ...] | None = None
    ) -> None:
        self.model, self.unit = model, unit
        self.paths = tuple(paths)
        self.outputs: dict[str, Tensor] = {}
        self._calls: dict[str, int] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """The logits, or the value (N, 1) of the unit of the first watched layer that was asked
        for; `LookError` where a watched layer did not run or gave no tensor.
        """
        result = self.run(x)
        if self.unit is None:
            return logits(result)
        return self.outputs[self.paths[0]][(slice(None), *self.unit)][:, None]

    def run(self, x: Tensor) -> Any:
        """What the model returns, whatever it is."""
        self.outputs.clear()
        self._calls.clear()
        try:
            result = self.model(x)
        except (torch.OutOfMemoryError, MemoryError, NetwrightError):
            raise
        except Exception as error:  # what anybody's forward pass raises
            raise LookError(_refused(self.model, x, error)) from error
        for path in self.paths:
            if path not in self.outputs:
                hidden = opaque(self.model)
                why = f"; {hidden}, which hides its layers" if hidden else ""
                raise LookError(f"{path} did not run, or gave no tensor{why}; choose another layer")
        return result

    def note(self, module_path: str, output: Any) -> Any:
        """Keeps a copy of an output, so that no operation in place, before or behind, overwrites
        what was kept; with gradients a copy of that is sent on, so that they pass through it.
        """
        count = self._calls[module_path] = self._calls.get(module_path, 0) + 1
        path = of_call(module_path, count)
        if path not in self.paths or not isinstance(output, Tensor):
            return output
        self.outputs[path] = output.clone()
        return self.outputs[path].clone() if torch.is_grad_enabled() else output


def opaque(model: nn.Module) -> str | None:
    """Which part of a model hides its calls, in words; None where all can be seen."""
    for path, part in model.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            return f"{path or 'the model'} is a TorchScript module"
    return None


def _refused(model: nn.Module, x: Tensor, error: Exception) -> str:
    """That a model did not take a batch of images, and what to try."""
    fault = " ".join(str(error).split())[:200] or type(error).__name__
    message = f"the model did not take images {show(tuple(x.shape[1:]))}: {fault}"
    wanted = channels_of(model)
    if wanted is None or x.dim() != 4 or x.shape[1] == wanted:
        return message
    height, width = x.shape[2:]
    if wanted == width:
        return f"{message}; a tensor is (C, H, W), this looks like (H, W, C): permute(2, 0, 1)"
    if wanted == height:
        return f"{message}; an array is (H, W, C), this looks like (C, H, W): transpose(1, 2, 0)"
    return f"{message}; images of {wanted} channels are wanted"


def mixes(compute: Callable[[Tensor], Tensor], x: Tensor) -> bool:
    """Whether what is computed of an image (1, C, H, W) depends on the others of its batch, as
    behind norms that take their statistics of it; also where only one image at a time is taken.
    """
    with torch.no_grad():
        alone = compute(x)[0]
        try:
            beside = compute(torch.cat([x, torch.zeros_like(x)]))[0]
        except LookError:
            return True
    return float((beside - alone).abs().max()) > TOLERANCE * float(alone.abs().max())


def paths_of(layers: str | Iterable[str]) -> tuple[str, ...]:
    """The layers that were asked for, each once."""
    paths = (layers,) if isinstance(layers, str) else tuple(dict.fromkeys(layers))
    if not paths:
        raise LookError("layers is empty; wanted the path of one, or of several")
    return paths


@contextmanager
def watching(
    model: nn.Module, paths: Iterable[str] = (), unit: tuple[int, ...] | None = None
) -> Generator[Watch]:
    """Within the block the model is in evaluation, its parameters ask for no gradient, gradients
    of inputs are recorded, the layers at `paths` are watched, and what is compiled runs as it was
    written, so that its calls can be seen. With a `unit` (channel, y, x) of the first of these
    layers its value is the one score, in place of the classes.

    Afterwards, also after an exception, hooks, modes, flags and random generators are those of
    before; no parameter's `.grad` is touched. `UnknownName` for a layer that is not there.
    """
    watch = Watch(model, paths, unit)
    modules = dict(model.named_modules())
    modes = [(module, module.training) for module in modules.values()]
    flags = [(p, p.requires_grad) for p in model.parameters()]
    with ExitStack() as stack:
        stack.enter_context(_generators_kept())
        if "torch._dynamo" in sys.modules:  # nothing is compiled without it, and it loads slowly
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.callback(_restore, modes, flags)
        for module, _ in modes:
            module.training = False
        for parameter, _ in flags:
            parameter.requires_grad_(False)
        for path in dict.fromkeys(module_of(path, modules) for path in watch.paths):
            if isinstance(modules[path], torch.jit.ScriptModule):
                raise LookError(f"{path} is a TorchScript module, which hides what its layers "
                                "give; look at the module it was made of")  # fmt: skip
            hook = modules[path].register_forward_hook(
                lambda _module, _inputs, output, path=path: watch.note(path, output)
            )
            stack.callback(hook.remove)
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        yield watch


def logits(output: Any) -> Tensor:
    """The scores of the classes (N, classes) in what a model returned; those of a map
    (N, classes, H, W) are averaged over its positions.
    """
    if isinstance(output, dict) and "out" in output:
        output = output["out"]
    output = getattr(output, "logits", output)
    if isinstance(output, tuple | list) and output and isinstance(output[0], Tensor):
        output = output[0]
    if not isinstance(output, Tensor):
        raise LookError(f"the model returned a {type(output).__name__}, wanted the scores of "
                        "classes (N, classes); a detector has none, wrap the part to look "
                        "at")  # fmt: skip
    if output.dim() < 2 or not output.is_floating_point():
        raise LookError(f"the model returned {output.dtype} of shape {tuple(output.shape)}, wanted "
                        "the scores of classes (N, classes)")  # fmt: skip
    return output.flatten(2).mean(2) if output.dim() > 2 else output


def gradient(watch: Watch, x: Tensor, target: int) -> Tensor:
    """Slopes d logit / d x for a batch; each image's own where none looks at another."""
    x = x.detach().requires_grad_()
    return slope_of(watch, watch(x)[:, target].sum(), x)


def slope_of(watch: Watch, value: Tensor, x: Tensor) -> Tensor:
    """The slope d value / d x, zeros where x has no part in it."""
    try:
        (slope,) = torch.autograd.grad(value, x, allow_unused=True)
    except RuntimeError as error:
        if "inplace" not in str(error):
            raise
        names = [path for path, part in watch.model.named_modules()
                 if getattr(part, "inplace", False) is True]  # fmt: skip
        where = ", ".join(names) or "the functions called"
        raise LookError("an operation in place overwrote what the gradient needs; set inplace to "
                        f"False, in {where}") from error  # fmt: skip
    return torch.zeros_like(x) if slope is None else slope


def module_of(path: str, modules: dict[str, nn.Module]) -> str:
    """The path of the module whose call a layer's path names."""
    if path in modules and path:
        return path
    stem, _, count = path.rpartition("_")
    if stem in modules and count.isdigit() and int(count) > 1:
        return stem
    raise nearest("layer", path, modules)


def _restore(modes: list[tuple[nn.Module, bool]], flags: list[tuple[nn.Parameter, bool]]) -> None:
    for module, mode in modes:
        module.training = mode
    for parameter, flag in flags:
        parameter.requires_grad_(flag)


@contextmanager
def _generators_kept() -> Generator[None]:
    """The states of PyTorch's, Python's and NumPy's generators are those of before."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002

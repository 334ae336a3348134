"""A plan leaves a module, and the world, as it found them: byte for byte."""

from __future__ import annotations

import copy
import pickle
import random
import types
import typing
from collections import OrderedDict, defaultdict, deque

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from peers import peer


class Meddler(nn.Module):
    """Does in its forward pass everything a module should not."""

    calls_of_all = 0
    log: typing.ClassVar[list[str]] = []

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.standardised = nn.utils.spectral_norm(nn.Conv2d(8, 8, 1))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(8))
        self.seen, self.table, self.calls, self.last = [], {"n": 0}, 0, None
        self.ordered = OrderedDict(a=1)
        self.deep = {"a": [deque([1]), {"b": defaultdict(list, c=[2])}], "t": (set("x"),)}
        self.state = types.SimpleNamespace(steps=0, inner=types.SimpleNamespace(names=["a"]))
        self.own = Holder()
        self.constant, self.array = torch.zeros(3), np.zeros(3)
        self.draws = {
            "torch": torch.Generator().manual_seed(1),
            "numpy": np.random.default_rng(1),
            "python": random.Random(1),
        }
        self.outside = [nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))]

    def forward(self, x):
        self.train()
        self.calls += 1
        self.steps += 1
        self.steps.add_(1)
        x = self.norm(self.conv(x))
        self.mean.mul_(0.9).add_(x.mean((0, 2, 3)), alpha=0.1)
        self.mean = self.mean * 2
        self.conv.weight.data.zero_()
        self.conv.stride = (2, 2)
        self.late = nn.ReLU()
        self.last = x
        self.seen.append(x)
        self.table["n"] = x.shape
        self._meddle()
        noise = torch.rand(3) * random.random() * np.random.rand()  # noqa: NPY002
        return F.dropout(self.standardised(x), training=self.training) + noise.sum()

    def _meddle(self):
        self.register_forward_hook(_hook)
        self.conv.register_forward_pre_hook(_hook)
        self.norm.register_full_backward_hook(_hook)
        self.norm.register_buffer("late", torch.ones(2))
        self.register_parameter("more", nn.Parameter(torch.ones(2)))
        self.conv._forward_hooks_with_kwargs[1] = True
        self.ordered.move_to_end("a")
        self.ordered["b"] = 2
        self.deep["a"][0].append(2)
        self.deep["a"][1]["b"]["c"].append(3)
        self.deep["t"][0].add("y")
        self.state.steps += 1
        self.state.inner.names.append("b")
        self.own.count += 1
        self.own.more = [1]
        self.constant.add_(1)
        self.constant[0] = 5
        self.array[1] = 7
        torch.rand(1, generator=self.draws["torch"])
        self.draws["numpy"].random()
        self.draws["python"].random()
        self.outside[0](torch.ones(2, 3, 4, 4))
        self.outside[0].added = True
        type(self).calls_of_all += 1
        type(self).log.append("called")
        type(self).added = 3
        nn.ReLU.forward = lambda self, x: x
        nn.Hardtanh.extra_repr = lambda self: ""
        nn.Bilinear.added = 3
        del nn.CELU.forward
        nn.modules.module._global_forward_hooks[-1] = _hook
        torch.set_default_dtype(torch.float64)


class Holder:
    def __init__(self):
        self.count = 0


def _hook(module, *_):
    return None


def everything(module):
    """What can be read of a module, its class and what its attributes hold, as one number: a
    failing comparison of the texts themselves takes minutes to print."""
    seen = {}

    states = {
        torch.Generator: lambda g: g.get_state().tolist(),
        np.random.Generator: lambda g: g.bit_generator.state,
        random.Random: lambda g: g.getstate(),
    }

    def text(value):
        if isinstance(value, torch.Tensor):
            content = hash(value.detach().numpy().tobytes())
            return f"{type(value)}{id(value)}{content}{value._version}{vars(value)}"
        if isinstance(value, np.ndarray | int | float | str | type(None)):
            return repr(value)
        if type(value) in states:
            return repr(states[type(value)](value))
        if id(value) in seen:
            return seen[id(value)]
        seen[id(value)] = f"{type(value)}{id(value)}"
        if isinstance(value, dict):
            return f"{seen[id(value)]}{[(k, text(v)) for k, v in value.items()]}"
        if isinstance(value, list | tuple | set | deque):
            return f"{seen[id(value)]}{[text(v) for v in value]}"
        if type(value).__module__.startswith(("torch._C", "builtins")):
            return seen[id(value)]
        return f"{seen[id(value)]}{text(getattr(value, '__dict__', None))}"

    kinds = {kind for m in module.modules() for kind in type(m).__mro__[:-1]}
    own = [(kind.__name__, k, id(v)) for kind in kinds for k, v in vars(kind).items()]
    return hash((text(module), *sorted(own), text(getattr(type(module), "log", None))))


def snapshot(module):
    return {
        path: {
            "training": m.training,
            "attributes": {k: id(v) for k, v in vars(m).items()},
            "order": list(vars(m)),
            "children": {k: id(v) for k, v in m._modules.items()},
            "tensors": {
                k: (
                    id(t),
                    t._version,
                    t.data_ptr(),
                    t.requires_grad,
                    t.grad,
                    pickle.dumps(t.detach().numpy()),
                )
                for k, t in {**m._parameters, **m._buffers}.items()
                if t is not None
            },
            "plain": pickle.dumps(
                {k: v for k, v in vars(m).items() if isinstance(v, int | list | tuple | str)}
            ),
        }
        for path, m in module.named_modules()
    }


def world():
    hooks = nn.modules.module
    return (
        torch.get_rng_state().tolist(),
        random.getstate(),
        pickle.dumps(np.random.get_state()),  # noqa: NPY002
        torch.is_grad_enabled(),
        nn.Module.__call__,
        *[dict(vars(kind)) for kind in vars(nn).values() if isinstance(kind, type)],
        len(hooks._global_forward_hooks),
        len(hooks._global_forward_pre_hooks),
        torch.get_default_dtype(),
    )


def mixed_flags(module):
    for i, part in enumerate(module.modules()):
        part.training = i % 3 != 0
    return module


@pytest.mark.parametrize(
    "make", [Meddler, lambda: peer("torchvision", "resnet18"), lambda: peer("timm", "resnest14d")]
)
@pytest.mark.parametrize("values", [False, True])
def test_nothing_is_left_behind(make, values):
    module = mixed_flags(make())
    calls = []
    module.register_forward_hook(lambda *_: calls.append(1))
    before, around, keys = snapshot(module), world(), list(module.state_dict())
    whole = everything(module)
    plan = nw.plan(module, (3, 32, 32), values=values)
    assert snapshot(module) == before
    assert everything(module) == whole
    assert world() == around
    assert list(module.state_dict()) == keys
    assert not calls
    assert any("test_nothing_is_left_behind" in hook for hook in plan.hooks)


def test_a_failed_trace_leaves_nothing_either():
    class Failing(Meddler):
        def forward(self, x):
            super().forward(x)
            raise ValueError("too late")

    module = mixed_flags(Failing())
    before, around, whole = snapshot(module), world(), everything(module)
    for values in (False, True):
        with pytest.raises(nw.TraceError, match=r"ValueError: too late \(.*raise ValueError"):
            nw.plan(module, (3, 32, 32), values=values)
        assert snapshot(module) == before
        assert everything(module) == whole
        assert world() == around


def test_tensors_that_are_given_are_not_written_to():
    class Writing(nn.Module):
        def forward(self, x, words):
            x.mul_(2)
            words[0] = 3
            return x + words.sum()

    x, words = torch.ones(2, 3, 4, 4), torch.zeros(5, dtype=torch.long)
    for values in (False, True):
        nw.plan(Writing(), (x, words), values=values)
        assert (x._version, words._version) == (0, 0)
        assert torch.equal(x, torch.ones(2, 3, 4, 4))


def test_a_planned_module_computes_what_it_did():
    torch.manual_seed(0)
    module = peer("torchvision", "resnet18").eval()
    x = torch.randn(2, 3, 64, 64)
    twin = copy.deepcopy(module)
    nw.plan(module, (3, 64, 64))
    with torch.no_grad():
        assert torch.equal(module(x), twin(x))


def test_other_threads_run_as_ever():
    from threading import Thread

    inner, results = nn.Conv2d(3, 4, 1), []

    class Spawning(nn.Module):
        def forward(self, x):
            thread = Thread(target=lambda: results.append(inner(torch.ones(1, 3, 2, 2))))
            thread.start()
            thread.join()
            return F.relu(x)

    nw.plan(Spawning(), (3, 8, 8))
    assert type(results[0]) is torch.Tensor
    assert results[0].shape == (1, 4, 2, 2)

"""A plan leaves a module, and the world, as it found them: byte for byte."""

from __future__ import annotations

import copy
import pickle
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from peers import peer


class Meddler(nn.Module):
    """Does in its forward pass everything a module should not."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.standardised = nn.utils.spectral_norm(nn.Conv2d(8, 8, 1))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(8))
        self.seen, self.table, self.calls, self.last = [], {"n": 0}, 0, None

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
        noise = torch.rand(3) * random.random() * np.random.rand()  # noqa: NPY002
        return F.dropout(self.standardised(x), training=self.training) + noise.sum()


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
        len(hooks._global_forward_hooks),
        len(hooks._global_forward_pre_hooks),
    )


def mixed_flags(module):
    for i, part in enumerate(module.modules()):
        part.training = i % 3 != 0
    return module


@pytest.mark.parametrize(
    "make", [Meddler, lambda: peer("torchvision", "resnet18"), lambda: peer("timm", "resnest14d")]
)
def test_nothing_is_left_behind(make):
    module = mixed_flags(make())
    calls = []
    module.register_forward_hook(lambda *_: calls.append(1))
    before, around, keys = snapshot(module), world(), list(module.state_dict())
    nw.plan(module, (3, 32, 32))
    assert snapshot(module) == before
    assert world() == around
    assert list(module.state_dict()) == keys
    assert not calls


def test_a_failed_trace_leaves_nothing_either():
    class Failing(Meddler):
        def forward(self, x):
            super().forward(x)
            raise ValueError("too late")

    module = mixed_flags(Failing())
    before, around = snapshot(module), world()
    with pytest.raises(nw.TraceError, match=r"ValueError: too late \(.*raise ValueError"):
        nw.plan(module, (3, 32, 32))
    assert snapshot(module) == before
    assert world() == around


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

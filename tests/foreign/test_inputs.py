"""What enters and leaves: tensors as they are, shapes, types, odd modules, hooks."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from oracles import counted_macs


class Follow(nn.Module):
    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *xs, **kwargs):
        return self.function(self, *xs, **kwargs)


# ------------------------------------------------------------------- tensors


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize(("module", "x", "macs"), [
    (nn.LSTM(20, 32), torch.rand(10, 1, 20), 66_560),
    (nn.LSTM(20, 32), torch.rand(10, 4, 20), 4 * 66_560),
    (nn.GRU(20, 32, batch_first=True), torch.rand(4, 10, 20), 4 * 49_920),
    (nn.Conv2d(3, 8, 3), torch.rand(8, 3, 10, 10), 8 * 27 * 8 * 64),
    (nn.Linear(6, 5), torch.rand(7, 6), 7 * 30),
    (nn.TransformerEncoderLayer(16, 2, 32), torch.rand(9, 2, 16),
     2 * 9 * (4 * 256 + 2 * 512) + 2 * 2 * 81 * 16),
])  # fmt: skip
def test_tensors_are_taken_and_counted_as_they_are(module, x, macs, values):
    assert nw.plan(module, x, values=values).macs == macs


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize(("module", "x", "dim", "macs"), [
    (nn.LSTM(20, 32), torch.rand(10, 4, 20), 1, 66_560),
    (nn.Conv2d(3, 8, 3), torch.rand(4, 3, 10, 10), 0, 27 * 8 * 64),
    (nn.Linear(6, 5), torch.rand(6, 4).mT, -2, 30),
])  # fmt: skip
def test_along_batch_dim_one_image_is_counted_and_all_are_in_the_bytes(
    module, x, dim, macs, values
):
    plan = nw.plan(module, x, batch_dim=dim, values=values)
    assert (plan.macs, plan.batch) == (macs, 4)
    assert nw.plan(module, x, batch_dim=dim, batch=9).batch == 9


def _messages(m, x, edges):
    sent = m.fc(x)[edges[0]]
    return torch.zeros(x.shape[0], 8).index_add(0, edges[1], sent)


@pytest.mark.parametrize("values", [False, True])
def test_edges_of_a_graph_are_no_batch(values):
    module = Follow(_messages, fc=nn.Linear(4, 8))
    x, edges = torch.rand(5, 4), torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])
    plan = nw.plan(module, (x, edges), values=values)
    assert (plan.macs, plan.output) == (5 * 32, (8,))
    module = Follow(lambda m, x, edges: m.fc(x)[:, edges], fc=nn.Linear(4, 8))
    plan = nw.plan(module, {"x": x, "edges": edges}, batch_dim={"x": 0}, values=values)
    assert (plan.macs, plan.output, plan.batch) == (32, (2, 4), 5)


def test_batch_dims_that_do_not_fit_are_told():
    two = Follow(lambda m, x, y: x + y)
    with pytest.raises(nw.ShapeError, match="the inputs hold 2 and 3 images along batch_dim"):
        nw.plan(two, (torch.rand(2, 4), torch.rand(3, 4)), batch_dim=0)
    with pytest.raises(nw.ShapeError, match="batch_dim is 2, and a tensor of"):
        nw.plan(nn.Linear(4, 2), torch.rand(2, 4), batch_dim=2)
    with pytest.raises(nw.ShapeError, match="batch_dim has 3 values for 2 inputs"):
        nw.plan(two, (torch.rand(2, 4), torch.rand(2, 4)), batch_dim=(0, 0, 0))


def test_a_number_given_as_a_tensor_stays_one():
    module = Follow(lambda m, x, t: m.conv(x) if t > 0.5 else x, conv=nn.Conv2d(3, 4, 1))
    assert nw.plan(module, (torch.rand(1, 3, 4, 4), torch.tensor(0.7))).output == (4, 4, 4)
    assert nw.plan(module, (torch.rand(1, 3, 4, 4), torch.tensor(0.3))).output == (3, 4, 4)


def test_squeezing_a_given_batch_of_one_drops_it():
    module = Follow(lambda m, x: F.adaptive_avg_pool2d(x, 1).squeeze())
    assert nw.plan(module, torch.rand(1, 3, 4, 4), values=True).output == ()
    assert nw.plan(module, torch.rand(1, 3, 4, 4)).output == ()
    assert nw.plan(module, (3, 4, 4)).output == (3,)


# --------------------------------------------------------------------- types


def test_words_are_integers():
    table = nn.Embedding(100, 16)
    with pytest.raises(nw.TraceError, match=r"wants integers, got float32.*--input-dtype int64"):
        nw.plan(table, (10,))
    for plan in (
        nw.plan(table, (10,), input_dtype="int64"),
        nw.plan(table, (10,), input_dtype=torch.int64, values=True),
        nw.plan(table, torch.zeros(1, 10, dtype=torch.long)),
    ):
        assert (plan.output, plan.params) == ((10, 16), 1600)
    both = Follow(lambda m, x, words: m.fc(x) + m.table(words).mean(1), fc=nn.Linear(3, 16),
                  table=table)  # fmt: skip
    plan = nw.plan(both, ((3,), (10,)), input_dtype=(None, "int64"))
    assert (plan.output, plan.macs) == ((16,), 48)
    with pytest.raises(nw.SpecError, match="input dtype 'int46' is unknown"):
        nw.plan(table, (10,), input_dtype="int46")


def test_bags_of_words():
    assert nw.plan(nn.EmbeddingBag(100, 16), (10,), input_dtype="int64").output == (16,)


@dataclass
class Result:
    loss: object
    maps: list
    size: int = 3


@pytest.mark.parametrize("wrap", [
    lambda y: Result(None, [y]),
    lambda y: {"a": Result({"b": y}, [])},
    lambda y: SimpleNamespace(out=y),
    lambda y: OrderedDict(out=(y, 3)),
    lambda y: [None, "text", y],
])  # fmt: skip
def test_outputs_are_seen_in_whatever_holds_them(wrap):
    module = Follow(lambda m, x: wrap(m.conv(x)), conv=nn.Conv2d(3, 4, 3))
    assert nw.plan(module, (3, 8, 8)).output == (4, 6, 6)


# --------------------------------------------------------------- odd modules


def _net():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())


def _compiled_function():
    double = torch.compile(lambda x: torch.relu(x) * 2, backend="eager")
    return Follow(lambda m, x: double(m.net(x)), net=_net())


def _compiled_method():
    module = Follow(lambda m, x: m.inner(m.net(x)), net=_net())
    module.inner = torch.compile(lambda x: x.flatten(1), backend="eager")
    return module


def _halved(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x) / 2


def _scripted_function():
    halved = torch.jit.script(_halved)
    return Follow(lambda m, x: halved(m.net(x)), net=_net())


def _quietly(make):
    def made():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make()

    return made


ODD = {
    "traced": lambda: torch.jit.trace(_net().eval(), torch.rand(1, 3, 8, 8)),
    "a traced part": lambda: nn.Sequential(
        nn.Conv2d(3, 3, 1), torch.jit.trace(_net().eval(), torch.rand(1, 3, 8, 8))
    ),
    "traced in training": lambda: torch.jit.trace(
        _net(), torch.rand(1, 3, 8, 8), check_trace=False),
    "scripted": lambda: torch.jit.script(_net()),
    "a scripted part": lambda: nn.Sequential(nn.Conv2d(3, 3, 1), torch.jit.script(_net())),
    "a scripted function": _scripted_function,
    "a compiled function": _compiled_function,
    "a compiled function as an attribute": _compiled_method,
    "compiled": lambda: torch.compile(_net(), backend="eager"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ODD)
def test_traced_scripted_and_compiled(kind):
    module = _quietly(ODD[kind])()
    before = {k: v.clone() for k, v in module.state_dict().items()}
    macs = counted_macs(Follow(lambda m, x: m.net(x), net=nn.Sequential(_net())),
                        torch.rand(1, 3, 8, 8)) + (9 * 64 if "part" in kind else 0)  # fmt: skip
    for values in (False, True):
        plan = nw.plan(module, (3, 8, 8), values=values)
        assert plan.macs == macs
        assert plan.params == sum(p.numel() for p in module.parameters())
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


@pytest.mark.slow
def test_a_function_may_be_compiled_in_the_first_forward_pass_of_all():
    code = """
import sys, torch, netwright as nw
class Net(torch.nn.Module):
    def forward(self, x):
        return torch.compile(lambda y: torch.relu(y) + torch.zeros(1), backend="eager")(x)
class Plain(torch.nn.Module):
    def forward(self, x):
        return torch.abs(x + torch.zeros(3, 1, 1))
assert len(nw.plan(Plain(), (3, 8, 8))) == 2
assert "torch._dynamo" not in sys.modules, "a plan imports the compiler"
print([row.unit.label for row in nw.plan(Net(), (3, 8, 8))])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['ReLU', 'add']\n"


def test_lazy_modules_are_told():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LazyBatchNorm2d(), nn.LazyLinear(3))
    with pytest.raises(nw.SpecError, match=r"1 \(LazyBatchNorm2d\) has no weights yet: it is lazy"):
        nw.plan(module, (3, 8, 8))


@pytest.mark.parametrize(("pool", "size", "output"), [
    (nn.AvgPool2d(32, ceil_mode=True), 14, 1),
    (nn.MaxPool2d(32, ceil_mode=True), 14, 1),
    (nn.MaxPool2d(5, 3, ceil_mode=True), 3, 1),
    (nn.AvgPool2d(9, 8, 2, ceil_mode=True), 2, 1),
    (nn.AvgPool2d(3, 3, ceil_mode=True), 4, 2),
])  # fmt: skip
def test_pools_larger_than_the_map(pool, size, output):
    plan = nw.plan(pool, (3, size, size))
    assert plan.output == (3, output, output) == pool(torch.rand(1, 3, size, size)).shape[1:]
    assert nw.plan(Follow(lambda m, x: pool(x)), (3, size, size)).output == plan.output
    unit = plan.rows[0].unit
    built = nw.Net(unit, (3, size, size), "pool").build()
    assert built(torch.rand(1, 3, size, size)).shape[1:] == plan.output


@pytest.mark.parametrize("pool", [nn.MaxPool2d(32, 8, ceil_mode=True), nn.AvgPool2d(32)])
def test_pools_that_pytorch_refuses_are_refused(pool):
    with pytest.raises(RuntimeError):
        pool(torch.rand(1, 3, 14, 14))
    with pytest.raises(nw.ShapeError, match="a window of 32 does not fit a map of 14"):
        nw.plan(pool, (3, 14, 14))


def test_values_need_weights_with_numbers():
    with torch.device("meta"):
        module = nn.Linear(3, 2)
    with pytest.raises(nw.SpecError, match="values=True runs the module, and its weights are on"):
        nw.plan(module, (3,), values=True)


# --------------------------------------------------------------------- hooks


class Doubling:
    def __call__(self, module, args, output):
        return torch.cat([output, output], 1)


def _before(module, args, kwargs):
    return args, kwargs


def test_hooks_are_left_out_and_named_or_run():
    module = nn.Sequential(OrderedDict(a=nn.Conv2d(3, 4, 1), b=nn.ReLU()))
    module.a.register_forward_hook(Doubling())
    module.register_forward_pre_hook(_before, with_kwargs=True)
    plan = nw.plan(module, (3, 8, 8))
    assert plan.hooks == ("Sequential: _before", "a: Doubling")
    assert plan.output == (4, 8, 8)
    assert "hooks not run" in plan.table()
    run = nw.plan(module, (3, 8, 8), hooks=True)
    assert (run.output, run.hooks) == ((8, 8, 8), ())


def test_hooks_of_all_modules_are_named():
    handle = nn.modules.module.register_module_forward_hook(Doubling())
    try:
        assert nw.plan(nn.ReLU(), (3, 8, 8)).hooks == ("every module: Doubling",)
    finally:
        handle.remove()


def test_hooks_that_the_forward_pass_registers_run_and_are_gone():
    def forward(m, x):
        seen = []
        m.conv.register_forward_hook(lambda _, args, out: seen.append(out))
        m.conv.register_forward_pre_hook(lambda _, args: (args[0] + 1,))
        m.conv.register_forward_hook(lambda _, args, kwargs, out: out * 2, with_kwargs=True)
        m.conv(x)
        return seen[0]

    module = Follow(forward, conv=nn.Conv2d(3, 4, 1))
    for values in (False, True):
        plan = nw.plan(module, (3, 8, 8), values=values)
        assert [row.unit.label for row in plan] == ["add", "Conv", "mul"]
        assert plan.output == (4, 8, 8)
    assert not module.conv._forward_hooks
    assert not module.conv._forward_pre_hooks

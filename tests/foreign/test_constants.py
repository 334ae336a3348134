"""Constants beside values that depend on the input: they keep their numbers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import netwright as nw
from oracles import counted_macs


class Beside(nn.Module):
    """A convolution, then a function of the module and the map (1, 4, 8, 8)."""

    def __init__(self, function):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        self.register_buffer("mask", torch.tensor([True, False, True, True]))
        self.sizes = [torch.tensor(2), torch.tensor([4, 16])]
        self.plain = torch.arange(4.0)
        self.function = function

    def forward(self, x):
        return self.function(self, self.conv(x))


def _set(m, x):
    y = torch.zeros(x.shape, device=x.device)
    y[:, :2] = x[:, :2]
    return y


def _set_sibling(m, x):
    y = x.new_zeros(x.shape)
    y[:, m.mask] = x[:, m.mask]
    y[..., 0] += 1
    return y


def _set_plain(m, x):
    table = m.plain.view(1, 4, 1, 1).repeat(1, 1, 8, 8)
    table[:, 1:3] += x[:, 1:3]
    return table


def _centred(m, x):
    n = x.shape[2] * x.shape[3]
    centre = (torch.eye(n) / n - torch.ones(n, n) / n**2).to(x.device)
    flat = x.flatten(2)
    return (flat @ centre @ flat.transpose(1, 2)).unsqueeze(1)


def _newton(m, x):
    """Of the iterative square root of a pooled covariance (Li et al. 2018)."""
    flat = x.flatten(2)
    a = flat @ flat.transpose(1, 2)
    eye3 = 3 * torch.eye(4, device=x.device).view(1, 4, 4).repeat(x.size(0), 1, 1)
    norm = (1 / 3) * a.mul(eye3).sum(dim=1).sum(dim=1)
    a = a.div(norm.view(-1, 1, 1).expand_as(a))
    ys = torch.zeros(x.size(0), 2, 4, 4, requires_grad=False, device=x.device)
    zs = torch.eye(4, device=x.device).view(1, 4, 4).repeat(x.size(0), 2, 1, 1)
    ys[:, 0] = a.bmm(0.5 * (eye3 - a))
    zs[:, 0] = 0.5 * (eye3 - a)
    step = 0.5 * (eye3 - zs[:, 0].bmm(ys[:, 0]))
    ys[:, 1] = ys[:, 0].bmm(step)
    return ys[:, 1].unsqueeze(1)


def _branch(m, x):
    if m.mask.all() or m.scale.sum() < 0 or (m.scale * 2 + m.plain).max().item() != 11:
        return x
    return F.max_pool2d(x, int(m.sizes[0]))


def _masks(m, x):
    causal = torch.ones(8, 8, dtype=torch.bool, device=x.device).tril()
    return x.masked_fill(~causal, float("-inf")).softmax(-1)


SAME = {
    "ones, expanded": lambda m, x: x + torch.ones(1, 4, 1, 1).expand_as(x),
    "zeros, set": _set,
    "new_zeros, set by a mask": _set_sibling,
    "a table, set": _set_plain,
    "new_tensor": lambda m, x: x * x.new_tensor([1.0, 2.0, 3.0, 4.0]).view(1, -1, 1, 1),
    "new_full": lambda m, x: x + x.new_full((4, 1, 1), 2),
    "full_like": lambda m, x: x + torch.full_like(x, 1),
    "zeros_like, another type": lambda m, x: x + torch.zeros_like(x, dtype=torch.float64),
    "arange": lambda m, x: x * torch.arange(x.shape[-1], device=x.device),
    "linspace": lambda m, x: x * torch.linspace(0, 1, x.shape[-1], dtype=x.dtype)[:, None],
    "where": lambda m, x: torch.where(m.mask[:, None, None], x, torch.tensor(float("-inf"))),
    "a causal mask": _masks,
    "chosen by a buffer": lambda m, x: x[:, m.mask],
    "chosen by positions": lambda m, x: x[:, :, torch.arange(8) % 2 == 0],
    "chosen by a list": lambda m, x: x[:, [0, 2]],
    "a size": lambda m, x: x.view(1, *m.sizes[1].tolist(), -1),
    "an index": lambda m, x: x[..., : m.sizes[0]],
    "a branch": _branch,
    "a centred covariance": _centred,
    "Newton's iteration": _newton,
    "a grid": lambda m, x: F.grid_sample(
        x, F.affine_grid(torch.eye(2, 3)[None], (1, 4, 5, 5), align_corners=False),
        align_corners=False,
    ),
    "cat": lambda m, x: torch.cat([x, torch.zeros(x.shape[0], 1, *x.shape[2:])], 1),
    "products": lambda m, x: x @ (torch.arange(8.0)[:, None] @ torch.ones(1, 8)),
    "products of weights": lambda m, x: x
    * (m.scale[:, None] @ m.plain[None]).sum(0)[:, None, None],
    "one hot": lambda m, x: x * F.one_hot(torch.arange(8), 8),
    "out": lambda m, x: torch.add(x, 1, out=torch.empty(1, 4, 8, 8)),
    "meshgrid": lambda m, x: x + torch.stack(torch.meshgrid(
        torch.arange(8.0), torch.arange(8.0), indexing="ij")).sum(0),
    "repeat_interleave": lambda m, x: x.repeat_interleave(torch.tensor([1, 2, 0, 1]), 1),
    "numpy": lambda m, x: x + torch.from_numpy(m.plain.numpy()[::1].copy())[:, None, None],
    "bincount": lambda m, x: x[:, : torch.bincount(torch.tensor([0, 1, 1])).max()],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("case", SAME)
def test_shapes_types_and_macs_are_those_of_execution(case):
    module, outs = Beside(SAME[case]).eval(), []
    x = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        executed = module(x)
    macs = counted_macs(module, x)
    function = module.function
    module.function = lambda m, x: outs.append(function(m, x)) or outs[-1]
    plans = [nw.plan(module, (3, 8, 8), strict=True), nw.plan(module, x, values=True, strict=True)]
    for plan, out in zip(plans, outs, strict=True):
        assert (plan.macs, plan.output) == (macs, executed.shape[1:])
        assert (tuple(out.full), out.kind) == (tuple(executed.shape), executed.dtype)
    assert plans[0].rows == plans[1].rows
    assert torch.equal(outs[1].actual, executed)


def test_what_the_input_was_written_into_is_no_constant():
    def forward(m, x):
        y = torch.zeros(1, 4, 8, 8)
        view = y[:, 1]
        y[:, :2] = x[:, :2]
        return m.conv(y[:, :3]), view.sum() > 0

    for values in (False, True):
        plan = nw.plan(Beside(forward), (3, 8, 8), values=values)
        assert plan.macs == 2 * 27 * 4 * 64
        assert plan.rows[-1].field.axes is None
    with pytest.raises(nw.TraceError, match=r"bool needs the numbers.*values=True.*if y"):
        nw.plan(Beside(_asks_what_was_written), (3, 8, 8))


def _asks_what_was_written(m, x):
    y = torch.zeros(4)
    view = y[:2]
    y += x.mean((0, 2, 3))
    if y.sum() > 0 or view.sum() > 0:
        return x
    return -x


def test_a_view_of_what_was_written_into_has_no_numbers_either():
    def forward(m, x):
        y = torch.zeros(4)
        view = y[:2]
        y += x.mean((0, 2, 3))
        return x if view.sum() > 0 else -x

    with pytest.raises(nw.TraceError, match="bool needs the numbers"):
        nw.plan(Beside(forward), (3, 8, 8))


def test_weights_that_were_written_to_have_no_numbers_any_more():
    def forward(m, x):
        m.scale.data.zero_()
        return x if m.scale.sum() > 0 else x[:, :1]

    with pytest.raises(nw.TraceError, match="bool needs the numbers"):
        nw.plan(Beside(forward), (3, 8, 8))
    module = Beside(forward)
    assert nw.plan(module, (3, 8, 8), values=True).output == (1, 8, 8)
    assert module.scale.tolist() == [1, 2, 3, 4]


def test_numbers_of_weights_are_not_computed_unless_asked_for(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "netwright.foreign.numbers._computed", lambda *_: calls.append(1), raising=True
    )
    nw.plan(Beside(lambda m, x: x * (m.scale - m.scale.mean())[:, None, None]), (3, 8, 8))
    assert not calls


def test_arguments_that_distributions_check_are_taken_to_be_right():
    normal = torch.distributions.Normal

    def forward(m, x):
        return normal(x, x.exp()).rsample(), torch.distributions.Categorical(logits=x).entropy()

    plan = nw.plan(Beside(forward), (3, 8, 8))
    assert plan.output == nw.plan(Beside(forward), (3, 8, 8), values=True).output


def test_lengths_that_are_known_pack_a_sequence():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(4, 8, batch_first=True)

        def forward(self, x):
            packed = self.lstm(pack_padded_sequence(x, [5, 3], batch_first=True))[0]
            return pad_packed_sequence(packed, batch_first=True)[0]

    x = torch.rand(2, 5, 4)
    plan, run = (nw.plan(Packed(), x, values=values) for values in (False, True))
    assert (plan.macs, plan.output) == (8 * (4 + 8) * 4 * 8, (5, 8))
    assert (run.rows, run.output) == (plan.rows, plan.output)


@pytest.mark.parametrize("function", [
    lambda x: torch.where(x > 0)[0],
    lambda x: x[x > 0],
    lambda x: x.nonzero(),
    lambda x: x.masked_select(x > 0),
    lambda x: x if (x > 0).all() else -x,
    lambda x: x[:, : int(x.max() > 9) + 1],
    lambda x: x if bool(torch.isnan(x).any()) else -x,
    lambda x: torch.unique((x * 3).long()),
    lambda x: torch.tensor([x.sum(), 1.0]),
    lambda x: x * float(x.sum()),
    lambda x: x + torch.from_numpy(x.numpy()),
    lambda x: torch.bincount((x > 0).long().flatten()),
])  # fmt: skip
def test_what_asks_for_numbers_of_the_input_needs_values(function):
    module = Beside(lambda m, x: function(x)).eval()
    with pytest.raises(nw.TraceError, match=r"needs the numbers in a tensor.*values=True"):
        nw.plan(module, (3, 8, 8))
    x = torch.rand(1, 3, 8, 8)
    plan = nw.plan(module, x, values=True)
    with torch.no_grad():
        assert plan.output == module(x).shape[1:]
    assert plan.macs == 27 * 4 * 64

"""Fields of values that were written to by way of a view, or by one of their views."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw


class Between(nn.Module):
    """A convolution, a step on its map x and a copy y of it, and another convolution."""

    def __init__(self, step):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.step = step

    def forward(self, x):
        x = self.a(x)
        return self.b(self.step(x, x.clone()))


def seen(step):
    """What a plan says, with and without numbers."""
    module = Between(step)
    plan, run = (nw.plan(module, (3, 32, 32), values=values) for values in (False, True))
    assert plan.rows == run.rows
    field = plan.field
    return "unknown" if field.status == "unknown" else field.size


def pooled(x):
    return F.avg_pool2d(x, 5, 1, 2)


def half(x, y):
    y[:, :2].add_(pooled(x)[:, :2])
    return y


def chain(x, y):
    y[:, :3][:, 1:].mul_(pooled(x)[:, :2])
    return y


def permuted(x, y):
    y.permute(0, 2, 3, 1)[..., :2].add_(pooled(x).permute(0, 2, 3, 1)[..., :2])
    return y


def split(x, y):
    y.view(1, 2, 2, 32, 32)[:, 1].sub_(pooled(x)[:, 2:])
    return y


def tokens(x, y):
    y.flatten(2).add_(pooled(x).flatten(2))
    return y


def copied(x, y):
    y[:, 2:].copy_(pooled(x)[:, 2:])
    return y


def assigned(x, y):
    y[:, 1] = pooled(x)[:, 0]
    return y


def out(x, y):
    torch.add(x, pooled(x), out=y)
    return y


def out_of_a_view(x, y):
    torch.hypot(x[:, :2], pooled(x)[:, :2], out=y[:, :2])
    return y


def masked(x, y):
    y[:, :2].masked_fill_(pooled(x)[:, :2] > 0, 0.0)
    return y


def base_seen_by_its_view(x, y):
    view = y[:, :]
    y.add_(pooled(x))
    return view.view(1, 4, 32, 32)


def detached(x, y):
    y.detach().add_(pooled(x))
    return y


def of_the_fallback(x, y):
    y.real.add_(pooled(x))
    return y


def zeros_filled(x, y):
    z = torch.zeros_like(x)
    z[:, ::2], z[:, 1::2] = pooled(x)[:, ::2], x[:, 1::2]
    return z


def data(x, y):
    y.data.add_(pooled(x))
    return y


def view_of_a_constant(x, y):
    z = torch.zeros(x.shape)
    view = z[:, :2]
    view.copy_(pooled(x)[:, :2])
    return x + z


def views_of_views_of_a_constant(x, y):
    z = x.new_ones(1, 32, 32, 4).permute(0, 3, 1, 2)
    for part in z.unbind(1)[::2]:
        part.unsqueeze(0).mul_(pooled(x)[:, :1])
    return x * z


def view_of_a_buffer(x, y):
    z = torch.arange(4.0).view(1, 4, 1, 1).repeat(1, 1, 32, 32)
    rows = z.flatten(1)
    rows += pooled(x).flatten(1)
    return x + z


def constant_seen_by_its_view(x, y):
    z = torch.ones(1, 4, 32, 32)
    view = z.view(4, 32, 32)
    z.copy_(pooled(x))
    return view.unsqueeze(0) + x


def out_of_a_constant(x, y):
    z = torch.empty(1, 4, 32, 32)
    torch.add(x[:, :2], pooled(x)[:, :2], out=z[:, 2:])
    z[:, :2] = 0
    return z


def out_and_read(x, y):
    torch.mul(y, pooled(x), out=y)
    return y


@pytest.mark.parametrize(
    "step",
    [half, chain, permuted, split, tokens, copied, assigned, out, out_of_a_view, out_and_read,
     masked, base_seen_by_its_view, detached, data, of_the_fallback, zeros_filled,
     view_of_a_constant, views_of_views_of_a_constant, view_of_a_buffer, constant_seen_by_its_view,
     out_of_a_constant],
    ids=lambda step: step.__name__,
)  # fmt: skip
def test_writing_to_a_view_reaches_its_base(step):
    assert seen(step) == (9, 9)


def the_other_half(x, y):
    a, b = y.chunk(2, 1)
    a.add_(pooled(x)[:, :2])
    return torch.cat([b, b], 1)


def a_copy(x, y):
    y.permute(0, 2, 3, 1).contiguous().add_(pooled(x).permute(0, 2, 3, 1))
    return y


def channels_last_half(x, y):
    a, b = y.permute(0, 2, 3, 1).chunk(2, 3)
    a.add_(pooled(x).permute(0, 2, 3, 1)[..., :2])
    return torch.cat([b, b], 3).permute(0, 3, 1, 2)


def zeroed_channels(x, y):
    y[:, :2] = 0
    return y


def the_other_half_of_a_constant(x, y):
    z = torch.zeros(1, 4, 32, 32)
    a, b = z.chunk(2, 1)
    a += pooled(x)[:, :2]
    return x[:, :2].repeat(1, 2, 1, 1) + torch.cat([b, b], 1)


def a_copy_of_a_constant(x, y):
    z = torch.ones(1, 4, 32, 32)
    z.clone().mul_(pooled(x))
    return x * z


def numbers_out(x, y):
    torch.ones(y.shape, out=y)
    return x * y


@pytest.mark.parametrize("step", [the_other_half_of_a_constant, a_copy_of_a_constant, numbers_out,
                                  the_other_half, a_copy, channels_last_half, zeroed_channels],
                         ids=lambda step: step.__name__)  # fmt: skip
def test_what_shares_no_element_stays(step):
    assert seen(step) == (5, 5)


def some_positions(x, y):
    y[:, :, 1:].add_(pooled(x)[:, :, :-1])
    return y


def zeroed_positions(x, y):
    y[:, :, 1:] = 0
    return y


def indexed(x, y):
    y.index_put_((torch.tensor([0]), torch.tensor([1])), pooled(x)[:, 1])
    return y


def diagonal(x, y):
    y.diagonal(dim1=2, dim2=3).add_(pooled(x).diagonal(dim1=2, dim2=3))
    return y


@pytest.mark.parametrize("step", [some_positions, zeroed_positions, indexed, diagonal],
                         ids=lambda step: step.__name__)  # fmt: skip
def test_what_differs_from_place_to_place_is_unknown(step):
    assert seen(step) == "unknown"


def zeroed_channel(x, y):
    x[:, 0] = 0
    return x


def zeroed_by_a_tensor(x, y):
    x[:, 1:3] = torch.zeros(4, 1)[2]
    return x


def zeroed_whole(x, y):
    x[:] = 0
    return x


def zeroed_in_place(x, y):
    x[:, 0].zero_()
    return x


@pytest.mark.parametrize(
    "step", [zeroed_channel, zeroed_by_a_tensor, zeroed_whole, zeroed_in_place],
    ids=lambda step: step.__name__,
)  # fmt: skip
def test_numbers_that_are_written_keep_the_row_a_value_is_from(step):
    a, b = nw.plan(Between(step), (3, 32, 32)).rows
    assert (a.sources, b.sources) == ((-1,), (0,))

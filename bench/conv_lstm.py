"""ConvLSTM against a loop over time with one convolution a gate: forward and backward.

Both have the same weights and give the same outputs. Runs are interleaved, two threads,
medians in milliseconds. `bare` is the fused cell's convolutions alone, forward and backward,
on states that are there already, `gates` its element-wise equations alone: nothing that is made
of these convolutions and of PyTorch's element-wise kernels takes less than both, so that
loop / (bare + gates) bounds the ratio. Where cells are wide both are bound by the same
multiply-adds, and what is saved is calls, passes over memory and small batches.
"""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor, nn

from netwright.layers import ConvLSTM

RUNS = 15
SETTINGS = (  # batch, steps, channels, width, kernel, map
    (4, 10, 8, 8, 3, 16),
    (1, 20, 8, 16, 3, 16),
    (8, 16, 4, 16, 3, 8),
    (4, 10, 16, 32, 3, 16),
    (2, 10, 16, 64, 5, 16),
)


class Loop(nn.Module):
    """The paper's equations as they stand, a convolution for each of their products."""

    def __init__(self, fused: ConvLSTM) -> None:
        super().__init__()
        self.width = fused.width
        self.x = nn.ModuleList(split(fused.input))
        self.h = nn.ModuleList(split(fused.state))
        self.peepholes = nn.ParameterList(fused.peepholes.detach().clone().unbind(0))

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(x.shape[0], self.width, *x.shape[3:])
        pi, pf, po = self.peepholes
        outputs = []
        for t in range(x.shape[1]):
            i, f, g, o = (wx(x[:, t]) + wh(h) for wx, wh in zip(self.x, self.h, strict=True))
            i, f = torch.sigmoid(i + pi * c), torch.sigmoid(f + pf * c)
            c = f * c + i * torch.tanh(g)
            h = torch.sigmoid(o + po * c) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, 1)


class Bare(nn.Module):
    """The convolutions of the fused cell and nothing else."""

    def __init__(self, fused: ConvLSTM, x: Tensor) -> None:
        super().__init__()
        self.input, self.state = fused.input, fused.state
        state = torch.randn(x.shape[1], len(x), fused.width, *x.shape[3:])
        self.states = nn.ParameterList(state.unbind(0))
        self.slope = torch.randn(len(x), 4 * fused.width, *x.shape[3:])
        self.slopes = self.slope.repeat(x.shape[1], 1, 1, 1)

    def forward(self, x: Tensor) -> None:
        ys = [self.input(x.flatten(0, 1)), *map(self.state, self.states)]
        torch.autograd.backward(ys, [self.slopes, *[self.slope] * len(self.states)])


class Gates(nn.Module):
    """The paper's element-wise equations and nothing else, on products that are there already,
    without peepholes: ten kernels a step forward, and their gradients.
    """

    def __init__(self, width: int, x: Tensor) -> None:
        super().__init__()
        products = torch.randn(x.shape[1], len(x), 4 * width, *x.shape[3:])
        self.products = nn.ParameterList(products.unbind(0))
        self.slopes = torch.randn(x.shape[1], len(x), width, *x.shape[3:]).unbind(0)
        self.width = width

    def forward(self, x: Tensor) -> None:
        c = x.new_zeros(len(x), self.width, *x.shape[3:])
        outputs = []
        for product in self.products:
            gates, new = product.split((3 * self.width, self.width), 1)
            i, f, o = torch.sigmoid(gates).chunk(3, 1)
            c = torch.addcmul(f * c, i, torch.tanh(new))
            outputs.append(o * torch.tanh(c))
        torch.autograd.backward(outputs, list(self.slopes))


def split(conv: nn.Conv2d) -> list[nn.Conv2d]:
    """A convolution for each quarter of the output channels."""
    width, bias = conv.out_channels // 4, conv.bias is not None
    made = []
    for i, weight in enumerate(conv.weight.detach().chunk(4)):
        gate = nn.Conv2d(conv.in_channels, width, conv.kernel_size, 1, conv.padding, bias=bias)
        gate.weight = nn.Parameter(weight.clone())
        if bias:
            gate.bias = nn.Parameter(conv.bias.detach().chunk(4)[i].clone())
        made.append(gate)
    return made


def timed(model: nn.Module, x: Tensor) -> float:
    """Milliseconds of one forward and backward pass."""
    model.zero_grad()
    start = time.perf_counter()
    y = model(x)
    if y is not None:
        y.square().mean().backward()
    return (time.perf_counter() - start) * 1e3


def row(batch: int, steps: int, channels: int, width: int, kernel: int, size: int) -> str:
    """One Markdown row."""
    torch.manual_seed(0)
    ours = ConvLSTM(channels, width, (kernel, kernel), (size, size))
    nn.init.normal_(ours.peepholes, std=0.1)
    loop, x = Loop(ours), torch.randn(batch, steps, channels, size, size)
    torch.testing.assert_close(ours(x), loop(x), rtol=1e-4, atol=1e-5)
    models = (ours, loop, Bare(ours, x), Gates(width, x))
    rounds = [[timed(model, x) for model in models] for _ in range(RUNS + 1)][1:]
    mine, theirs, bare, gates = (statistics.median(times) for times in zip(*rounds, strict=True))
    shape = f"{batch}x{steps}x{channels}x{size}x{size}"
    return (
        f"| {shape} | {width} | {kernel} | {mine:.1f} | {theirs:.1f} | {bare:.1f} "
        f"| {gates:.1f} | {theirs / mine:.2f}x | {theirs / (bare + gates):.2f}x |"
    )


if __name__ == "__main__":
    torch.set_num_threads(2)
    print("| input | width | kernel | ConvLSTM ms | loop ms | bare ms | gates ms "
          "| loop / ConvLSTM | loop / (bare + gates) |")  # fmt: skip
    print("| --- |" + " --- |" * 8)
    for setting in SETTINGS:
        print(row(*setting), flush=True)

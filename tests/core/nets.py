"""Random wirings for hypothesis: any of them is a valid net."""

from __future__ import annotations

from hypothesis import strategies as st

import netwright as nw
from netwright.core.interpret import output_shape
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.errors import ShapeError

WIDTH = 4


def convs(rank: int = 2) -> st.SearchStrategy[Spec]:
    """A convolution that keeps the width, with any window."""
    return st.builds(
        nw.Conv,
        width=st.just(WIDTH),
        kernel=st.integers(1, 4),
        stride=st.integers(1, 2),
        padding=st.sampled_from(["same", "valid", "full", 1]),
        dilation=st.integers(1, 2),
        groups=st.sampled_from([1, 2]),
        bias=st.booleans(),
    )


steady = st.one_of(
    st.builds(nw.Conv, st.just(WIDTH), st.sampled_from([1, 2, 3, 5]), dilation=st.integers(1, 2)),
    st.sampled_from([nw.ReLU(), nw.BatchNorm(), nw.Identity(), nw.MaxPool(3, 1, 1)]),
)
"""Units that keep the shape."""

moving = st.one_of(
    convs(),
    st.builds(nw.MaxPool, st.integers(2, 3), st.integers(1, 2), ceil=st.booleans()),
    st.builds(nw.AvgPool, st.integers(2, 3)),
    st.builds(nw.Upsample, st.integers(1, 2), st.sampled_from(["nearest", "linear"])),
    st.builds(nw.TransposedConv, st.just(WIDTH), st.integers(1, 4), st.integers(1, 2)),
    st.builds(nw.Subsample, st.integers(1, 2)),
)
"""Units that may change height and width."""

gate = st.builds(
    lambda conv: nw.Gate(
        skip=nw.Identity(),
        excite=nw.Sequential(pool=nw.GlobalAvgPool(keep=True), conv=conv, gate=nw.Sigmoid()),
    ),
    st.builds(nw.Conv, st.just(WIDTH), st.just(1)),
)


def _several(parts: st.SearchStrategy[Spec]) -> st.SearchStrategy[Spec]:
    some = st.lists(parts, min_size=1, max_size=3)
    sums = st.builds(lambda specs: nw.Sum(*specs), some)
    cats = st.builds(
        lambda specs: nw.Sequential(cat=nw.Concat(*specs), fuse=nw.Conv(WIDTH, 1)), some
    )
    graphs = st.builds(
        lambda a, b: nw.Graph(
            a=nw.Node(a, "input"), b=nw.Node(b, "input"), out=nw.Node(nw.Add(), "a", "b", "input")
        ),
        parts, parts,
    )  # fmt: skip
    chains = st.builds(lambda specs: nw.Sequential(*specs), some)
    shared = st.builds(
        lambda spec: nw.Sequential(a=nw.Shared(spec, repr(spec)), b=nw.Shared(spec, repr(spec))),
        parts,
    )
    return st.one_of(sums, cats, graphs, chains, shared, st.builds(_exchange, parts, parts, parts))


def _exchange(a: Spec, b: Spec, c: Spec) -> Spec:
    """Two streams, side by side, that exchange what they hold and join again."""
    crossed = nw.Graph(low=nw.Node(c, "input1"), out=nw.Node(nw.Add(), "low", "input0"))
    return nw.Sequential(
        two=nw.Fork(a=a, b=nw.Identity()),
        apart=nw.Parallel(a=nw.Identity(), b=b),
        exchange=nw.Fork(a=nw.Sum(c, nw.Identity()), b=crossed),
        out=nw.Concat(nw.Identity(), nw.Identity()),
        fuse=nw.Conv(WIDTH, 1),
    )


steady_parts = st.recursive(steady, _several, max_leaves=5)


@st.composite
def nets(draw: st.DrawFn, size: Shape = (WIDTH, 19, 17), most: int = 5) -> Net:
    """A net of units that move, and wirings of units that keep the shape, in any order."""
    parts = draw(st.lists(st.one_of(moving, steady_parts, gate), min_size=1, max_size=most))
    fitting: list[Spec] = []
    shape = size
    for part in parts:
        try:
            shape = output_shape(part, shape)
        except ShapeError:
            continue
        if max(shape[1:]) > 3 * max(size):
            break
        fitting.append(part)
    return Net(nw.Sequential(*fitting, last=nw.Identity()), size, "drawn")


blocks = st.sampled_from(
    [
        nw.BasicBlock(WIDTH), nw.BasicBlock(WIDTH, attention=nw.SqueezeExcite(2)), nw.CBAM(2, 3),
        nw.Bottleneck(1, groups=1), nw.ConvNormAct(WIDTH), nw.DepthwiseConv(3), nw.Highway(),
        nw.SeparableConv(WIDTH), nw.Stage(nw.BasicBlock(WIDTH), 2), nw.MBConv(WIDTH, expansion=2),
    ]
)  # fmt: skip
"""Blocks that keep the shape."""


def _everything(parts: st.SearchStrategy[Spec]) -> st.SearchStrategy[Spec]:
    """Wirings of every kind over parts that keep the shape."""
    heads = st.one_of(parts, moving)
    taps = st.builds(nw.Tap, heads, st.sampled_from([0.3, 1]))
    tapped = st.builds(lambda part, tap: nw.Sequential(part, tap=tap), parts, taps)
    frozen = st.builds(nw.Frozen, parts)
    streams = st.builds(_tapped_streams, parts, parts, heads)
    return st.one_of(_several(parts), tapped, frozen, streams)


def _tapped_streams(a: Spec, b: Spec, head: Spec) -> Spec:
    """Two streams with a head that reads both, and a frozen part that does."""
    both = nw.Concat(nw.Identity(), nw.Identity())
    return nw.Sequential(
        two=nw.Fork(nw.Identity(), a),
        tap=nw.Tap(nw.Sequential(both, nw.Conv(WIDTH, 1), head)),
        held=nw.Frozen(nw.Parallel(b, nw.Identity())),
        out=nw.Sum(nw.Identity(), nw.Identity()),
    )


any_parts = st.recursive(st.one_of(steady, blocks), _everything, max_leaves=4)
"""Parts of any kind that keep the shape."""


@st.composite
def all_nets(draw: st.DrawFn, size: Shape = (WIDTH, 19, 17), steps: int = 3) -> Net:
    """A net of all there is; half of them go through time, step by step."""
    moves = st.one_of(moving, any_parts, gate)
    if not draw(st.booleans()):
        return _fitting(draw(st.lists(moves, min_size=1, max_size=4)), size)
    each = st.builds(nw.TimeDistributed, moves)
    sums = st.builds(nw.Sum, st.builds(nw.TimeDistributed, any_parts), st.just(nw.Identity()))
    taps = st.builds(lambda head: nw.Tap(nw.TimeDistributed(head)), moves)
    parts = st.lists(st.one_of(each, each, sums, taps), min_size=1, max_size=3)
    return _fitting(draw(parts), (steps, *size))


def _fitting(parts: list[Spec], size: Shape) -> Net:
    """The net of those parts that fit, one after another."""
    fitting: list[Spec] = []
    for part in parts:
        net = Net(nw.Sequential(*fitting, part), size, "drawn")
        try:
            output = net.plan().output
        except ShapeError:
            continue
        if max(output[-2:]) <= 3 * max(size):
            fitting.append(part)
    return Net(nw.Sequential(*fitting, last=nw.Identity()), size, "drawn")

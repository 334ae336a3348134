"""Inception blocks: the first version (Szegedy et al. 2014, arXiv:1409.4842), and the
factorised ones (Szegedy et al. 2015, arXiv:1512.00567).
"""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_choice, is_count
from netwright.core.shape import Axes, Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Concat, Sequential
from netwright.errors import SpecError
from netwright.units.activation import ReLU
from netwright.units.linear import Flatten, Linear
from netwright.units.norm import BatchNorm
from netwright.units.pool import AvgPool, MaxPool
from netwright.units.regularise import Dropout

__all__ = [
    "NORM",
    "AuxiliaryHead",
    "GridReduction",
    "Inception",
    "InceptionA",
    "InceptionB",
    "InceptionC",
    "chain",
    "check_branches",
]

NORM = BatchNorm(eps=1e-3)
AVERAGE = AvgPool(3, 1, padding=1)


class Inception(Block):
    """1x1, 3x3 and 5x5 convolutions and max pooling side by side, behind 1x1 convolutions
    that reduce: (C, H, W) -> (conv1 + conv3 + conv5 + pool, H, W) (figure 2b).

    The six numbers stand in the order of the paper's table 1. `kernel` is that of the
    widest branch: 5 in the paper, 3 in torchvision.

    >>> len(Inception(64, 96, 128, 16, 32, 32).expand((192, 28, 28)))
    4
    """

    conv1: int
    reduce3: int
    conv3: int
    reduce5: int
    conv5: int
    pool: int
    kernel: int = 5
    norm: Spec | None = None
    own_widths = ("conv1", "reduce3", "conv3", "reduce5", "conv5", "pool")

    def check(self) -> None:
        is_count(self, "conv1", "reduce3", "conv3", "reduce5", "conv5", "pool")

    def expand(self, x: Shape) -> Spec:
        def conv(width: int, kernel: int) -> ConvNormAct:
            return ConvNormAct(width, kernel, norm=self.norm)

        return Concat(
            conv1=conv(self.conv1, 1),
            conv3=Sequential(reduce=conv(self.reduce3, 1), conv=conv(self.conv3, 3)),
            conv5=Sequential(reduce=conv(self.reduce5, 1), conv=conv(self.conv5, self.kernel)),
            pool=Sequential(pool=MaxPool(3, 1, padding=1), project=conv(self.pool, 1)),
        )


class AuxiliaryHead(Block):
    """Classes from the middle of a net, to be put in a `Tap`: (C, H, W) -> (classes,).

    5x5 average pooling at stride 3, or what `pool` is, a 1x1 convolution, a hidden dense unit,
    70% dropout (section 5 of the paper).
    """

    classes: int
    norm: Spec | None = None
    pool: Spec = AvgPool(5, 3)

    def check(self) -> None:
        is_count(self, "classes")

    def expand(self, x: Shape) -> Spec:
        return Sequential(
            pool=self.pool,
            conv=ConvNormAct(128, 1, norm=self.norm),
            flatten=Flatten(),
            hidden=Linear(1024),
            act=ReLU(),
            drop=Dropout(0.7),
            fc=Linear(self.classes),
        )


class InceptionA(Block):
    """1x1, 3x3 and two 3x3 convolutions and a pool side by side, behind 1x1 convolutions that
    reduce: (C, H, W) -> (conv1 + once[1] + twice[2] + project, H, W).

    The 5x5 of the first version has become two 3x3 (Szegedy et al. 2015, arXiv:1512.00567,
    figure 5). `once` and `twice` are the widths of these branches, 1x1 first; `kernel` is
    that of the second.

    >>> InceptionA(64, (48, 64), (64, 96, 96), 32, kernel=5).expand((192, 35, 35)).names
    ('conv1', 'once', 'twice', 'pool')
    """

    conv1: int
    once: tuple[int, int]
    twice: tuple[int, int, int]
    project: int
    kernel: int = 3
    pool: Spec = AVERAGE
    norm: Spec | None = NORM
    bias: bool = False
    own_widths = ("conv1", "once", "twice", "project")

    def check(self) -> None:
        is_count(self, "conv1", "project")
        _are_widths(self, once=(2,), twice=(3,))
        self._conv(1)

    def _conv(self, width: int, kernel: int = 1) -> ConvNormAct:
        return ConvNormAct(width, kernel, norm=self.norm, bias=self.bias)

    def expand(self, x: Shape) -> Spec:
        conv = self._conv
        return Concat(
            conv1=conv(self.conv1),
            once=chain(self.once, (1, self.kernel), conv(1)),
            twice=chain(self.twice, (1, 3, 3), conv(1)),
            pool=Sequential(pool=self.pool, project=conv(self.project)),
        )


class InceptionB(Block):
    """1x1, one and two factorised 7x7 convolutions and a pool side by side: (C, H, W) ->
    (conv1 + once[2] + twice[4] + project, H, W).

    A 7x7 is a 1x7 and a 7x1, and in the third branch the 7x1 comes first (Szegedy et al.
    2015, arXiv:1512.00567, figure 6). `once` and `twice` are widths, 1x1 first.
    """

    conv1: int
    once: tuple[int, int, int]
    twice: tuple[int, int, int, int, int]
    project: int
    pool: Spec = AVERAGE
    own_widths = ("conv1", "once", "twice", "project")

    def check(self) -> None:
        is_count(self, "conv1", "project")
        _are_widths(self, once=(3,), twice=(5,))

    def expand(self, x: Shape) -> Spec:
        along, down = (1, 7), (7, 1)
        return Concat(
            conv1=ConvNormAct(self.conv1, 1, norm=NORM),
            once=chain(self.once, (1, along, down)),
            twice=chain(self.twice, (1, down, along, down, along)),
            pool=Sequential(pool=self.pool, project=ConvNormAct(self.project, 1, norm=NORM)),
        )


class InceptionC(Block):
    """1x1, and 1x3 beside 3x1 convolutions on coarse maps: (C, H, W) ->
    (conv1 + 2 once[1] + 2 twice[-1] + project, H, W).

    The branches end expanded: side by side a 1x3 and a 3x1 of the last width (Szegedy et al.
    2015, arXiv:1512.00567, figure 7). `twice` has a 3x3 between its 1x1 and these, or with
    four widths a 3x1 and a 1x3 (Szegedy et al. 2016, arXiv:1602.07261, figure 6).
    """

    conv1: int
    once: tuple[int, int]
    twice: tuple[int, ...]
    project: int
    pool: Spec = AVERAGE
    own_widths = ("conv1", "once", "twice", "project")

    def check(self) -> None:
        is_count(self, "conv1", "project")
        _are_widths(self, once=(2,), twice=(3, 4))

    def expand(self, x: Shape) -> Spec:
        def expanded(*widths: int) -> Sequential:
            kernels = {1: (1,), 2: (1, 3), 3: (1, (3, 1), (1, 3))}[len(widths) - 1]
            wide = Concat(
                horizontal=ConvNormAct(widths[-1], (1, 3), norm=NORM),
                vertical=ConvNormAct(widths[-1], (3, 1), norm=NORM),
            )
            return chain(widths[:-1], kernels).put(wide=wide)

        return Concat(
            conv1=ConvNormAct(self.conv1, 1, norm=NORM),
            once=expanded(*self.once),
            twice=expanded(*self.twice),
            pool=Sequential(pool=self.pool, project=ConvNormAct(self.project, 1, norm=NORM)),
        )


class GridReduction(Block):
    """Convolutions of stride 2 and a max pool of stride 2 side by side: (C, H, W) ->
    (C + the last width of every branch, H', W') (Szegedy et al. 2015, arXiv:1512.00567,
    figure 10).

    A branch is the widths of its convolutions, the last a 3x3 of stride 2: (n) has this
    alone; before it (k, n) has a 1x1, (k, l, n) a 1x1 and a 3x3, (k, l, m, n) a 1x1, a 1x7
    and a 7x1. H' = (H - 3) // 2 + 1 for `valid` padding; with `same` the pool rounds up.

    branches: the widths of each
    padding: "valid" or "same"
    norm: the normalisation behind convolutions; None leaves it out
    bias: whether convolutions have one although a normalisation follows

    >>> GridReduction(((384,), (64, 96, 96))).expand((288, 35, 35)).names
    ('0', '1', 'pool')
    """

    branches: tuple[tuple[int, ...], ...]
    padding: str = "valid"
    norm: Spec | None = NORM
    bias: bool = False
    own_widths = ("branches",)

    def check(self) -> None:
        is_choice(self, "padding", ("valid", "same"))
        ConvNormAct(1, norm=self.norm, bias=self.bias)
        check_branches(self, self.branches, (1, 2, 3, 4))

    def expand(self, x: Shape) -> Spec:
        kernels = {1: (), 2: (1,), 3: (1, 3), 4: (1, (1, 7), (7, 1))}
        conv = ConvNormAct(1, norm=self.norm, bias=self.bias)

        def reduced(widths: tuple[int, ...]) -> Sequential:
            before = chain(widths[:-1], kernels[len(widths)], conv)
            last = replace(conv, width=widths[-1], kernel=3, stride=2, padding=self.padding)
            return before.put(reduce=last)

        pool = MaxPool(3, 2, ceil=self.padding == "same")
        return Concat(*[reduced(widths) for widths in self.branches], pool=pool)


def chain(
    widths: tuple[int, ...], kernels: tuple[Axes, ...], like: ConvNormAct | None = None
) -> Sequential:
    """Convolutions of these widths and kernels in a row, in all else `like` the one given.

    >>> [conv.kernel for conv in chain((64, 96), (1, (1, 7)))]
    [1, (1, 7)]
    """
    like = like or ConvNormAct(1, norm=NORM)
    rows = zip(widths, kernels, strict=True)
    return Sequential(*[replace(like, width=width, kernel=kernel) for width, kernel in rows])


def check_branches(
    spec: Block, branches: tuple[tuple[int, ...], ...], lengths: tuple[int, ...]
) -> None:
    """Raise `SpecError` unless `branches` are tuples of so many widths."""
    who = type(spec).__name__
    if not branches:
        raise SpecError(f"{who}: branches is (), wanted tuples of widths")
    for branch in branches:
        _check_widths(f"{who}: a branch", branch, lengths)


def _are_widths(spec: Block, **lengths: tuple[int, ...]) -> None:
    """Raise `SpecError` unless these fields are tuples of so many widths."""
    for name, wanted in lengths.items():
        _check_widths(f"{type(spec).__name__}: {name}", getattr(spec, name), wanted)


def _check_widths(what: str, widths: tuple[int, ...], lengths: tuple[int, ...]) -> None:
    if len(widths) not in lengths or not all(type(n) is int and n >= 1 for n in widths):
        wanted = " or ".join(map(str, lengths))
        raise SpecError(f"{what} is {widths!r}, wanted {wanted} widths of at least 1")

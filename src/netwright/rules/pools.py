"""Rules for pooling: another kind, a convolution, a blur; elsewhere."""

from __future__ import annotations

from dataclasses import replace

from netwright.blocks.blur import MaxBlurPool
from netwright.core.net import Net
from netwright.core.plan import Row
from netwright.core.rewrite import Site, everywhere, replaced
from netwright.core.shape import per_axis
from netwright.core.spec import Spec, Unit
from netwright.core.wiring import Sequential
from netwright.errors import RuleError
from netwright.rules.registry import named
from netwright.units.activation import Identity, ReLU
from netwright.units.blur import BlurPool
from netwright.units.conv import Conv
from netwright.units.pool import GlobalAvgPool, LocalPool, MaxPool
from netwright.units.random_pool import FractionalMaxPool
from netwright.units.spectral_pool import SpectralPool, WaveletPool

__all__ = [
    "blur_pool",
    "first",
    "global_pooling",
    "move_first_pool",
    "no_first_pool",
    "pool_to_conv",
    "pooling",
]

_UNEVEN = (BlurPool, FractionalMaxPool, SpectralPool, WaveletPool)
"""Pools that have no window of kernel, stride and padding."""


@named("pool")
def pooling(net: Net, pool: Unit) -> Net:
    """Every local pool becomes one of another kind with the same window; no MACs, but for what
    the pool itself multiplies.

    A `SpectralPool` keeps the size, a `BlurPool` the stride; a `FractionalMaxPool` and a
    `WaveletPool` have their own. These four stand only where the map shrank.
    """
    if not isinstance(pool, LocalPool | BlurPool | FractionalMaxPool | SpectralPool | WaveletPool):
        raise RuleError(f"{pool!r} is no local pool; give a unit such as AvgPool")

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, LocalPool)
        if isinstance(pool, LocalPool):
            return replace(pool, kernel=spec.kernel, stride=spec.stride, padding=spec.padding,
                           ceil=spec.ceil)  # fmt: skip
        size = spec.shape(site.x)[1:]
        if size == site.x[1:]:
            return None
        if isinstance(pool, SpectralPool):
            return replace(pool, size=size)
        return replace(pool, stride=_stride(spec, site)) if isinstance(pool, BlurPool) else pool

    return everywhere(net, change, lambda spec: isinstance(spec, LocalPool))


@named("global-pool")
def global_pooling(net: Net, pool: Unit) -> Net:
    """The global average before the classifier becomes another unit that makes a vector, such
    as GeM or SpatialPyramidPool; the classifier sees as many features as it gives.
    """
    rows = [row for row in net.plan() if row.unit == GlobalAvgPool() and not row.auxiliary]
    if not rows:
        raise RuleError(f"{net.name} has no global average pool")
    x = rows[-1].input
    if not isinstance(pool, Unit) or len(pool.shape(x)) != 1:
        raise RuleError(f"{pool!r} makes no vector of a map; give a unit such as GeM")
    return replaced(net, rows[-1].path, pool)


@named("blur-pool")
def blur_pool(net: Net, blur: int = 3) -> Net:
    """Every max pool takes its maxima at every position and then subsamples a blur of them;
    `blur`^2 MACs an output element.

    Zhang 2019 (arXiv:1904.11486): outputs change less when the image shifts.
    """

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, MaxPool)
        kernel = set(per_axis(spec.kernel, len(site.x) - 1))
        stride = _stride(spec, site)
        if len(kernel) > 1 or not isinstance(spec.padding, int) or stride == 1:
            return None
        pool = MaxBlurPool(kernel.pop(), stride, spec.padding, blur)
        size = Net(pool, site.x).plan().output
        return pool if size == spec.shape(site.x) else None

    return everywhere(net, change, MaxPool)


def _stride(spec: LocalPool, site: Site) -> int:
    strides = set(spec.sliding(site.x).stride)
    if len(strides) > 1:
        raise RuleError(f"{site.path} has a stride an axis: {spec.stride}")
    return strides.pop()


@named("pool-to-conv")
def pool_to_conv(net: Net) -> Net:
    """Every max pool becomes a convolution of the same kernel and stride.

    Springenberg et al. 2014 (arXiv:1412.6806). C^2 k^2 parameters each. A pool that rounds
    its size up gets padding at the end instead.
    """

    def change(site: Site, spec: Spec) -> Spec | None:
        assert isinstance(spec, MaxPool)
        stride = spec.kernel if spec.stride is None else spec.stride
        conv = Conv(site.x[0], spec.kernel, stride, spec.padding)
        want = spec.shape(site.x)
        if conv.shape(site.x) != want:
            extra = [w - g for w, g in zip(want[1:], conv.shape(site.x)[1:], strict=True)]
            _, hop, p, _, _ = spec.sliding(site.x)
            padding = tuple((a, b + e * s) for (a, b), e, s in zip(p, extra, hop, strict=True))
            conv = Conv(site.x[0], spec.kernel, stride, padding)
        return Sequential(conv=conv, act=ReLU())

    return everywhere(net, change, MaxPool)


def first(net: Net, kind: type[Spec]) -> Row:
    """The first row whose unit is of a kind."""
    for row in net.plan().rows:
        if isinstance(row.unit, kind):
            return row
    raise RuleError(f"{net.name} has no {kind.__name__}")


def _strided(net: Net) -> Row:
    """The first max pool that moves by more than one position."""
    for row in net.plan().rows:
        if isinstance(row.unit, MaxPool) and max(row.unit.sliding(row.input).stride) > 1:
            return row
    raise RuleError(f"{net.name} has no max pool with a stride")


@named("no-first-pool")
def no_first_pool(net: Net) -> Net:
    """The first max pool with a stride is taken out, for small images and small objects
    (ResNet-18-A).

    Zhu et al. 2019, ScratchDet (arXiv:1810.08425), table 4. Later maps have four times
    the positions, and cost as much more.
    """
    return replaced(net, _strided(net).path, Identity())


@named("move-first-pool")
def move_first_pool(net: Net, path: str = "stage1") -> Net:
    """The first max pool with a stride moves behind the part at `path`; what lies between sees,
    and costs, four times the positions. Parameters and output stay.
    """
    row = _strided(net)
    without = replaced(net, row.path, Identity())
    paths = [other.path for other in without.plan() if other.path.startswith(path + ".")]
    order = [other.path for other in net.plan()]
    if not paths or order.index(paths[0]) < order.index(row.path):
        raise RuleError(f"{path} is no part of {net.name} behind {row.path}")

    def change(site: Site, spec: Spec) -> Spec | None:
        return Sequential(body=spec, pool=row.unit) if site.path == path else None

    return everywhere(without, change, lambda spec: True)

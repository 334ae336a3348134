"""Spaces of inverted residuals, layer by layer and stage by stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from typing import ClassVar, NamedTuple

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.mobile import FusedMBConv, InvertedResidual, MBConv, rounded
from netwright.blocks.stage import Stage
from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.errors import SpecError
from netwright.nets.efficientnet import STAGES
from netwright.nets.heads import pooled
from netwright.space.chain import Chain, Part
from netwright.space.reading import ReadSpace, part
from netwright.space.registry import named
from netwright.space.search_space import Digit, Digits
from netwright.space.totals import Totals
from netwright.units.activation import ReLU6, SiLU

__all__ = ["Layers", "MobileSpace", "StagesSpace"]

IMAGENET = (3, 224, 224)
SKIP = "skip"


class Layers(NamedTuple):
    """A stage of at most `depth` layers, the first with `stride`."""

    width: int
    depth: int
    stride: int


PROXYLESS = (
    Layers(24, 4, 2), Layers(40, 4, 2), Layers(80, 4, 2), Layers(96, 4, 1), Layers(192, 4, 2),
    Layers(320, 1, 1),
)  # fmt: skip
"""Table of ProxylessNAS's nets for ImageNet (their figure 4 and code)."""


@named("mobile")
class MobileSpace(ReadSpace):
    """Inverted residuals of which every layer has a kernel and an expansion of its own, or is left
    out unless it is the first of its stage (ProxylessNAS: Cai et al. 2018, arXiv:1812.00332;
    Once-for-all: Cai et al. 2019, arXiv:1908.09791).

    Layers that are left out are identities, so that it does not matter which of a stage they are:
    they are written last.
    A 3x3 stem, a first layer without expansion, `stages`, a 1x1 convolution, a pooled head; ReLU6
    throughout, all widths times `width`.

    >>> space = MobileSpace()
    >>> space.size == 6**6 * 7**15
    True
    >>> depths = sum(6**depth for depth in range(1, 5))
    >>> small = MobileSpace(stages=((24, 4, 2),))
    >>> small.size, len(list(small.codes())) == depths
    (2058, True)
    """

    sound: ClassVar[bool] = True

    def __init__(self, stages: Sequence[tuple[int, int, int]] = PROXYLESS,
                 kernels: Sequence[int] = (3, 5, 7), expansions: Sequence[int] = (3, 6),
                 width: float = 1.0, classes: int = 1000,
                 input: Shape = IMAGENET) -> None:  # fmt: skip
        self.stages = tuple([Layers(*stage) for stage in stages])
        self.width, self.classes, self.input = width, classes, input
        self._chain = Chain()
        layers = tuple(product(kernels, expansions))
        digits = [
            Digit(f"stage {i} layer {j}", (*layers, SKIP) if j else layers)
            for i, stage in enumerate(self.stages, 1)
            for j in range(stage.depth)
        ]
        super().__init__("mobile", digits)

    def _by_stage(self, choices: Digits) -> Iterator[tuple[Layers, list[tuple[int, int]]]]:
        """Every stage and (kernel, expansion) of the layers it has."""
        options = [digit.options[choice]
                   for digit, choice in zip(self.digits, choices, strict=True)]  # fmt: skip
        for stage in self.stages:
            own, options = options[: stage.depth], options[stage.depth :]
            yield stage, [option for option in own if option != SKIP]

    def _ends(self) -> tuple[dict[str, Spec], dict[str, Spec]]:
        """What comes before and after the stages."""
        before: dict[str, Spec] = {
            "stem": ConvNormAct(rounded(32 * self.width), 3, 2, act=ReLU6()),
            "first": InvertedResidual(rounded(16 * self.width), 1, 1),
        }
        last = ConvNormAct(max(1280, rounded(1280 * self.width)), 1, act=ReLU6())
        return before, {"last": last, "head": pooled(self.classes)}

    def _layer(self, width: int, stride: int, layer: tuple[int, int]) -> Spec:
        kernel, expansion = layer
        return InvertedResidual(rounded(width * self.width), stride, expansion, kernel)

    def build(self, choices: Digits) -> Net:
        before, after = self._ends()
        stages = {
            f"stage{i}": Sequential(
                *[self._layer(stage.width, 1 if j else stage.stride, layer)
                  for j, layer in enumerate(layers)]
            )
            for i, (stage, layers) in enumerate(self._by_stage(choices), 1)
        }  # fmt: skip
        spec = Sequential(**before, **stages, **after)
        return Net(spec, self.input, f"{self.name}-{self.write(choices)}")

    def totals(self, code: str) -> Totals:
        parts: list[Part] = [("before", lambda: Sequential(**self._ends()[0]))]
        for stage, layers in self._by_stage(self.choices(code)):
            for j, layer in enumerate(layers):
                key = (stage.width, 1 if j else stage.stride, layer)
                parts.append((key, partial(self._layer, *key)))
        parts.append(("after", lambda: Sequential(**self._ends()[1])))
        return self._chain.totals(self.input, parts)

    def parsed(self, net: Net) -> list[int]:
        layers = list[object]()
        for i, stage in enumerate(self.stages, 1):
            blocks = [block for block in part(net, Sequential, f"stage{i}")
                      if isinstance(block, InvertedResidual)]  # fmt: skip
            layers += [(block.kernel, block.expansion) for block in blocks]
            layers += [SKIP] * (stage.depth - len(blocks))
        return [d.options.index(layer) for d, layer in zip(self.digits, layers, strict=True)]

    def legal(self, choices: Digits) -> bool:
        return self.arranged(choices) == choices

    def net(self, code: str) -> Net:
        return super().net(self.write(self.arranged(self.choices(code))))

    def arranged(self, choices: Digits) -> Digits:
        arranged, place = list[int](), 0
        for stage in self.stages:
            own, digits = choices[place:][: stage.depth], self.digits[place:][: stage.depth]
            skips = [len(digit.options) - 1 if j else -1 for j, digit in enumerate(digits)]
            kept = [choice for choice, skip in zip(own, skips, strict=True) if choice != skip]
            arranged += [*kept, *skips[len(kept) :]]
            place += stage.depth
        return tuple(arranged)


BLOCKS = (InvertedResidual, MBConv, FusedMBConv)
KERNELS, EXPANSIONS = (3, 5, 7), (1, 3, 4, 6)
STEM = ConvNormAct(32, 3, 2, act=SiLU())
WIDTHS, DEPTHS = (0.5, 0.75, 1.0, 1.25, 1.5), (-1, 0, 1, 2)


@named("mbconv")
class StagesSpace(ReadSpace):
    """EfficientNet-B0's seven stages: block, kernel, expansion, width and depth of each are
    chosen, 0.5 to 1.5 times B0's width, a layer less to two more (MnasNet: Tan et al. 2018,
    arXiv:1807.11626; EfficientNetV2: Tan & Le 2021, arXiv:2104.00298).

    Blocks are inverted residuals without and with squeeze-excitation, and fused ones.

    >>> import netwright as nw
    >>> space, b0 = StagesSpace(), nw.net("efficientnet_b0")
    >>> space.code(b0), space.net(space.code(b0)).hash == b0.hash
    ('10010103111132110321113211132110320', True)
    """

    sound: ClassVar[bool] = True

    def __init__(self, dropout: float = 0.2, drop_path: float = 0.2, classes: int = 1000,
                 input: Shape = IMAGENET) -> None:  # fmt: skip
        self.dropout, self.drop_path = dropout, drop_path
        self.classes, self.input = classes, input
        self._chain = Chain()
        digits = list[Digit]()
        for i, (_, _, channels, layers, _) in enumerate(STAGES, 1):
            widths = tuple(dict.fromkeys(rounded(channels * factor) for factor in WIDTHS))
            depths = tuple([layers + more for more in DEPTHS if layers + more > 0])
            digits += [
                Digit(f"stage {i} block", tuple([block.__name__ for block in BLOCKS])),
                Digit(f"stage {i} kernel", KERNELS, ordered=True),
                Digit(f"stage {i} expansion", EXPANSIONS, ordered=True),
                Digit(f"stage {i} width", widths, ordered=True),
                Digit(f"stage {i} depth", depths, ordered=True),
            ]
        super().__init__("mbconv", digits)

    def _stages(self, choices: Digits) -> list[tuple[str, int, int, int, int, int]]:
        """Block, kernel, expansion, width, depth and stride of every stage."""
        options = [digit.options[choice]
                   for digit, choice in zip(self.digits, choices, strict=True)]  # fmt: skip
        return [(*options[5 * i : 5 * i + 5], stage[-1])  # type: ignore[misc]
                for i, stage in enumerate(STAGES)]  # fmt: skip

    def build(self, choices: Digits) -> Net:
        stages = self._stages(choices)
        depth = sum([stage[4] for stage in stages])
        rates = [self.drop_path * i / depth for i in range(depth)]
        parts, before = dict[str, Spec](), 0
        for i, stage in enumerate(stages, 1):
            drop = (rates[before], rates[before + stage[4] - 1])
            parts[f"stage{i}"] = _stage(*stage, drop=drop)
            before += stage[4]
        spec = Sequential(stem=STEM, **parts, **self._after())
        return Net(spec, self.input, f"{self.name}-{self.write(choices)}")

    def _after(self) -> dict[str, Spec]:
        last = ConvNormAct(4 * rounded(STAGES[-1][2]), 1, act=SiLU())
        return {"last": last, "head": pooled(self.classes, self.dropout)}

    def totals(self, code: str) -> Totals:
        parts: list[Part] = [("stem", lambda: STEM)]
        for word, kernel, expansion, width, depth, stride in self._stages(self.choices(code)):
            block = (word, kernel, expansion, width)
            parts.append(((*block, 1, stride), partial(_stage, *block, 1, stride)))
            if depth > 1:
                parts.append(((*block, depth - 1, 1), partial(_stage, *block, depth - 1, 1)))
        parts.append(("after", lambda: Sequential(**self._after())))
        return self._chain.totals(self.input, parts)

    def parsed(self, net: Net) -> list[int]:
        values = list[object]()
        for i in range(1, len(STAGES) + 1):
            stage = part(net, Stage, f"stage{i}")
            block = stage.block
            if not isinstance(block, BLOCKS):
                raise SpecError(f"stage{i} of {net.name} is of {type(block).__name__}")
            word = type(block).__name__
            values += [word, block.kernel, block.expansion, block.width, stage.depth]
        return [d.options.index(value) for d, value in zip(self.digits, values, strict=True)]


def _stage(
    word: str, kernel: int, expansion: int, width: int, depth: int, stride: int,
    drop: tuple[float, float] = (0.0, 0.0),
) -> Stage:  # fmt: skip
    kind = next(block for block in BLOCKS if block.__name__ == word)
    return Stage(kind(width, expansion=expansion, kernel=kernel), depth, stride, drop)

"""The five orderings of a residual unit (He et al. 2016, arXiv:1603.05027, figure 4)."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.check import is_choice
from netwright.core.shape import Shape
from netwright.core.spec import Block, Spec
from netwright.core.wiring import Sequential, Sum
from netwright.errors import SpecError
from netwright.units.activation import Identity
from netwright.units.conv import Conv

__all__ = ["ORDERS", "PRE_ACTIVATED", "ResidualUnit"]

PRE_ACTIVATED = ("relu-only-pre-activation", "full-pre-activation")
ORDERS = ("original", "bn-after-addition", "relu-before-addition", *PRE_ACTIVATED)


class ResidualUnit(Block):
    """x + F(x), F these convolutions: (C, H, W) -> (width of the last, H / s, W / s), s the
    stride of the first.

    `order` says where their norms and activations stand (figure 4, a to e): behind every
    convolution, the last activation behind the sum ("original"); the last norm there too
    ("bn-after-addition"); both before it ("relu-before-addition"); activations before the
    convolutions ("relu-only-pre-activation"), or norms and activations
    ("full-pre-activation"). All cost the same while the shape stays.

    Where it changes a 1x1 convolution projects x, with the last one's norm; pre-activated, it
    projects what the first activation gives, without norm.

    >>> ResidualUnit((ConvNormAct(64), ConvNormAct(64))).expand((64, 56, 56)).names
    ('residual', 'act')
    """

    convs: tuple[ConvNormAct, ...]
    order: str = "original"

    def check(self) -> None:
        if not self.convs:
            raise SpecError("ResidualUnit: convs is (), wanted ConvNormActs in a tuple")
        first, *rest = self.convs
        if type(first.stride) is not int or any(conv.stride != 1 for conv in rest):
            raise SpecError("ResidualUnit: only the first convolution may have a stride, a number")
        is_choice(self, "order", ORDERS)

    def expand(self, x: Shape) -> Spec:
        first, last = self.convs[0], self.convs[-1]
        stride = first.stride
        assert isinstance(stride, int)
        same = x[0] == last.width and stride == 1
        if self.order not in PRE_ACTIVATED:
            body, after = self._post()
            projection = ConvNormAct(last.width, 1, stride, norm=last.norm, act=None)
            total = Sum(body=body, shortcut=Identity() if same else projection)
            return Sequential(residual=total, **after) if after else total
        before, body = self._pre()
        if same:
            return Sum(body=Sequential(**before, body=body), shortcut=Identity())
        projection = Conv(last.width, 1, stride, bias=False)
        return Sequential(**before, residual=Sum(body=body, shortcut=projection))

    def _post(self) -> tuple[Sequential, dict[str, Spec]]:
        """The body with norms and activations last, and what comes behind the sum."""
        last = self.convs[-1]
        kept = {"original": ("conv", "norm"), "bn-after-addition": ("conv",)}
        parts = _parts(last)
        inside = kept.get(self.order, ("conv", "norm", "act"))
        end = Sequential(**{name: part for name, part in parts.items() if name in inside})
        body = Sequential(*self.convs[:-1], end)
        return body, {name: part for name, part in parts.items() if name not in inside}

    def _pre(self) -> tuple[dict[str, Spec], Sequential]:
        """What comes before the first convolution, and the body from there on."""
        names = ("norm", "act", "conv") if self.order == "full-pre-activation" else (
            "act", "conv", "norm")  # fmt: skip
        steps: list[dict[str, Spec]] = []
        for conv in self.convs:
            parts = _parts(conv)
            steps.append({name: parts[name] for name in names if name in parts})
        before: dict[str, Spec] = {}
        while next(iter(steps[0])) != "conv":
            name = next(iter(steps[0]))
            before[name] = steps[0].pop(name)
        return before, Sequential(*[Sequential(**step) for step in steps])


def _parts(conv: ConvNormAct) -> dict[str, Spec]:
    """The convolution, its norm and its activation, as far as it has them."""
    parts = {"conv": conv.conv(), "norm": conv.norm, "act": conv.act}
    return {name: part for name, part in parts.items() if part is not None}

"""Rules that add attention: a gate behind every block."""

from __future__ import annotations

from netwright.blocks.attention import CBAM, ECA, SqueezeExcite
from netwright.blocks.scse import SCSE
from netwright.core.net import Net
from netwright.nets.attended import attended
from netwright.rules.registry import named

__all__ = ["attend_both", "attend_near", "excite_both", "squeeze"]


@named("se")
def squeeze(net: Net, reduction: int = 16) -> Net:
    """Squeeze-excitation at the end of every residual body and behind every Inception block.

    Hu et al. 2017 (arXiv:1709.01507): 2 C^2 / reduction + C / reduction + C parameters each. Where
    attention is already it stays.
    """
    return attended(net, SqueezeExcite(reduction))


@named("cbam")
def attend_both(net: Net, reduction: int = 16) -> Net:
    """CBAM at the end of every residual body and behind every Inception block.

    Woo et al. 2018 (arXiv:1807.06521): 2 C^2 / reduction + C / reduction + C parameters for
    the channels, 100 for the positions each. Where attention is already it stays.
    """
    return attended(net, CBAM(reduction))


@named("eca")
def attend_near(net: Net) -> Net:
    """Efficient channel attention at the end of every residual body and behind every Inception
    block.

    Wang et al. 2019 (arXiv:1910.03151): 3, 5 or 7 parameters each. Where attention is already
    it stays.
    """
    return attended(net, ECA())


@named("scse")
def excite_both(net: Net, reduction: int = 2) -> Net:
    """ScSE at the end of every residual body and pair of U-Net, and behind every Inception block.

    Roy et al. 2018 (arXiv:1803.02579): 2 C^2 / reduction + C / reduction + 2 C + 1 parameters
    each, C of them and one for the positions. Where attention is already it stays.
    """
    return attended(net, SCSE(reduction))

"""The rule `scse`, and the net it makes of U-Net."""

from __future__ import annotations

import torch

import netwright as nw
from netwright.core.net import Net


def test_parameters_by_hand():
    net = nw.net("resnet18")
    widths = [64, 64, 128, 128, 256, 256, 512, 512]
    extra = sum(c * c + c // 2 + 2 * c + 1 for c in widths)
    assert net.rewrite("scse").plan().params == net.plan().params + extra
    assert nw.net("resnet50").rewrite("scse:4").plan().output == (1000,)


def test_unet_becomes_unet_scse():
    plain = nw.net("unet", norm=nw.BatchNorm())
    assert plain.rewrite("scse").spec == nw.net("unet_scse").spec


def test_is_both_excitations_by_their_formulas():
    model = Net(nw.SCSE(), (6, 5, 7)).build(seed=1).eval()
    x = torch.randn(2, 6, 5, 7, generator=torch.Generator().manual_seed(2))
    own = dict(model.named_parameters())

    def product(name, z):
        part = {key.rsplit(".", 1)[1]: value for key, value in own.items() if name in key}
        return z @ part["weight"].flatten(1).T + part["bias"]

    hidden = product("channels.excite.squeeze", x.mean((2, 3))).relu()
    channels = product("channels.excite.expand", hidden).sigmoid()[:, :, None, None]
    positions = product("positions.excite.squeeze", x.movedim(1, -1)).sigmoid().movedim(-1, 1)
    torch.testing.assert_close(model(x), x * channels + x * positions)

"""Foreign nets: MACs are those of PyTorch's own counter, fields and shapes those of our nets."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from oracles import counted_macs
from peers import peer

QUICK = """
    alexnet vgg16 googlenet resnet50 densenet121 mobilenet_v2 inception_v3@299 squeezenet1_0
    shufflenet_v2_x1_0 efficientnet_b0 convnext_tiny swin_t
"""

SIZES = {
    "alexnet": 195,
    "vgg16": 212,
    "googlenet": 379,
    "resnet50": 427,
    "densenet121": 2071,
    "mobilenet_v2": 491,
    "inception_v3": 1311,
}
"""Receptive fields of last feature maps (Araujo et al. 2019; ResNet strides in its 3x3)."""

TORCHVISION = """
    resnet152 densenet201 efficientnet_b7@600 vgg13_bn resnext50_32x4d wide_resnet50_2
    mobilenet_v3_large mnasnet1_3 efficientnet_v2_s regnet_x_400mf regnet_y_400mf
    shufflenet_v2_x0_5 squeezenet1_1 swin_v2_t vit_b_32 maxvit_t
"""

TIMM = """
    resnet50d seresnet50 skresnet18 ecaresnet26t resnest14d resnetv2_50 gernet_s repvgg_a0
    regnetz_b16 cspresnet50 darknet53 dpn68 dla34 hrnet_w18_small ese_vovnet19b_dw xception41
    inception_v4@299 inception_resnet_v2@299 nasnetalarge@331 pnasnet5large@331 efficientnet_lite0
    tf_efficientnetv2_b0 mixnet_s fbnetc_100 semnasnet_100 mobilenetv4_conv_small hardcorenas_a
    ghostnet_100 ghostnetv2_100 tinynet_a lcnet_050 rexnet_100 selecsls42b eca_nfnet_l0 nf_resnet50
    halonet26t@256 lambda_resnet26t@256 botnet26t_256@256 bat_resnext26ts@256 res2net50_14w_8s
    convnextv2_atto convmixer_768_32 edgenext_xx_small repghostnet_050 mobileone_s0 fastvit_t8@256
    hgnetv2_b0 efficientvit_b0 focalnet_tiny_srf coatnet_0_rw_224 levit_128 mobilevit_s@256
    poolformer_s12 mixer_b16_224 starnet_s1 inception_next_tiny visformer_tiny xcit_nano_12_p16_224
    deit_tiny_patch16_224 cs3darknet_s@256
"""


def made(library, name):
    """A peer's net without memory; some read numbers while they are made."""
    try:
        with torch.device("meta"):
            return peer(library, name)
    except (NotImplementedError, RuntimeError):
        return peer(library, name).to("meta")


def assert_counts(library, case):
    name, _, size = case.partition("@")
    model, size = made(library, name).eval(), int(size or 224)
    plan = nw.plan(model, (3, size, size), strict=True)
    x = torch.empty(1, 3, size, size, device="meta")
    assert plan.macs == counted_macs(model, x)
    assert plan.params == sum(p.numel() for p in model.parameters())
    assert plan.buffers == sum(b.numel() for b in model.buffers())
    return plan, model


@pytest.mark.parametrize("case", QUICK.split())
def test_torchvision(case):
    plan, model = assert_counts("torchvision", case)
    size = SIZES.get(case.partition("@")[0])
    assert size is None or plan.field.size == (size, size)
    with torch.no_grad():
        assert plan.output == tuple(model(torch.empty(1, *plan.input, device="meta")).shape[1:])


@pytest.mark.slow
@pytest.mark.parametrize("case", TORCHVISION.split())
def test_more_of_torchvision(case):
    assert_counts("torchvision", case)


@pytest.mark.slow
@pytest.mark.parametrize("case", TIMM.split())
def test_timm(case):
    assert_counts("timm", case)

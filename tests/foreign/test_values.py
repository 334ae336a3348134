"""Modules that really run while they are planned, against executed counts: nets that choose by
numbers, two inputs, and their rows beside those of plans without numbers.
"""

from __future__ import annotations

import inspect
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

import netwright as nw
from oracles import counted_macs
from peers import library, peer

DETECTION = """
    fasterrcnn_resnet50_fpn fasterrcnn_resnet50_fpn_v2 fasterrcnn_mobilenet_v3_large_320_fpn
    fcos_resnet50_fpn keypointrcnn_resnet50_fpn maskrcnn_resnet50_fpn maskrcnn_resnet50_fpn_v2
    retinanet_resnet50_fpn retinanet_resnet50_fpn_v2 ssd300_vgg16 ssdlite320_mobilenet_v3_large
"""


def _nms(boxes, scores, threshold):
    """Non-maximum suppression; torchvision's own may be missing beside another torch."""
    order, keep = scores.argsort(descending=True), []
    overlaps = _torchvision().ops.box_iou(boxes, boxes)
    while len(order):
        first = order[0]
        keep.append(first)
        order = order[1:][overlaps[first, order[1:]] <= threshold]
    return torch.stack(keep) if keep else order


def _torchvision():
    library("torchvision")
    import torchvision

    return torchvision


@pytest.fixture
def detection(monkeypatch):
    torchvision = _torchvision()
    home = sys.modules["torchvision.ops.roi_align"]  # the package has a function of that name
    monkeypatch.setattr(home, "_roi_align", inspect.unwrap(home._roi_align))  # not compiled
    if not torchvision.extension._has_ops():
        monkeypatch.setattr(torchvision.ops.boxes, "_assert_has_ops", lambda: None)
        kernels = torch.library.Library("torchvision", "IMPL")
        kernels.impl("nms", _nms, "CPU")
        yield torchvision.models.detection
        kernels._destroy()
    else:
        yield torchvision.models.detection


def _detector(detection, name):
    small = {"min_size": 64, "max_size": 64}
    options = {"weights": None, "weights_backbone": None}
    if "rcnn" in name:
        options |= {**small, "rpn_post_nms_top_n_test": 12, "rpn_pre_nms_top_n_test": 12,
                    "box_detections_per_img": 5}  # fmt: skip
    elif "ssd" not in name:
        options |= small
    torch.manual_seed(0)
    return getattr(detection, name)(**options).eval()


def _assert_detects(detection, name):
    module, image = _detector(detection, name), torch.rand(3, 64, 80)
    plan = nw.plan(module, ([image],), values=True, strict=True)
    assert plan.macs == counted_macs(module, [image])
    assert plan.params == sum(p.numel() for p in module.parameters())
    return plan


def test_a_detector(detection):
    plan = _assert_detects(detection, "fasterrcnn_mobilenet_v3_large_fpn")
    assert plan.row("roi_heads.box_predictor.cls_score").macs > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTION.split())
def test_detectors(detection, name):
    _assert_detects(detection, name)


def test_a_detector_is_not_planned_without_numbers(detection):
    module = _detector(detection, "ssdlite320_mobilenet_v3_large")
    with pytest.raises(nw.TraceError, match=r"needs the numbers in a tensor.*values=True"):
        nw.plan(module, ([torch.rand(3, 64, 64)],))


class Flow(nn.Module):
    """RAFT (Teed and Deng 2020) for two steps."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, first, second):
        return self.net(first, second, num_flow_updates=2)


@pytest.mark.parametrize("name", ["raft_small", pytest.param("raft_large", marks=pytest.mark.slow)])
def test_optical_flow_of_two_images(name):
    library("torchvision")
    module = Flow(peer("torchvision", f"optical_flow.{name}")).eval()
    x = torch.rand(1, 3, 128, 128)
    macs = counted_macs(module, x, x)
    plan = nw.plan(module, ((3, 128, 128),) * 2, strict=True)
    assert (plan.macs, plan.output) == (macs, (2, 128, 128))
    run = nw.plan(module, (x, x), values=True, strict=True)
    assert run.rows == plan.rows


# ------------------------------------------------------------- transformers


def _segformer(transformers):
    config = transformers.SegformerConfig(
        hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], decoder_hidden_size=16,
        num_attention_heads=[1, 2, 3, 4],
    )  # fmt: skip
    return transformers.SegformerForSemanticSegmentation(config)


def _detr(transformers):
    backbone = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage4"],
    )  # fmt: skip
    config = transformers.DetrConfig(
        backbone_config=backbone, d_model=32, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=32,
        decoder_ffn_dim=32, num_queries=10,
    )  # fmt: skip
    return transformers.DetrForObjectDetection(config)


@pytest.mark.parametrize("make", [_segformer, _detr])
def test_nets_of_transformers(make):
    library("torchvision")
    module = make(pytest.importorskip("transformers")).eval()
    x = torch.rand(1, 3, 64, 64)
    before = {path: sorted(vars(part)) for path, part in module.named_modules()}
    plan = nw.plan(module, (3, 64, 64), strict=True)
    run = nw.plan(module, x, values=True, strict=True)
    assert {path: sorted(vars(part)) for path, part in module.named_modules()} == before
    assert not any(part._forward_hooks for part in module.modules())
    with sdpa_kernel(SDPBackend.MATH):  # the counter knows no fused attention on the CPU
        macs = counted_macs(module, x)
    assert plan.macs == run.macs == macs
    assert plan.params == sum(p.numel() for p in module.parameters())
    assert plan.output == run.output
    again = nw.plan(module, (3, 64, 64), hooks=True)  # it has run, and so has its hooks
    assert again.macs == macs


def test_a_net_of_transformers_runs_after_a_failed_plan():
    library("torchvision")
    module = _segformer(pytest.importorskip("transformers")).eval()
    with pytest.raises(nw.NetwrightError):
        nw.plan(module, (7, 64, 64))
    with torch.no_grad():
        assert module(torch.rand(1, 3, 64, 64)).logits.shape == (1, 2, 16, 16)


# -------------------------------------------------------------- the same rows


@pytest.mark.parametrize("case", ["torchvision:resnet18", "timm:vit_tiny_patch16_224",
                                  "timm:resnest14d", "torchvision:swin_t"])  # fmt: skip
def test_rows_are_those_of_a_plan_without_numbers(case):
    name, _, net = case.partition(":")
    module = peer(name, net).eval()
    size = 224 if "224" in net else 64
    x = torch.rand(1, 3, size, size)
    plan, run = nw.plan(module, (3, size, size)), nw.plan(module, x, values=True)
    assert run.rows == plan.rows
    assert (run.macs, run.output, run.input) == (plan.macs, plan.output, plan.input)


class Everything(nn.Module):
    """Layers and functions of many kinds, whose numbers pass from one to the next."""

    def __init__(self):
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.PReLU(), nn.MaxPool2d(2),
            nn.GroupNorm(2, 8), nn.ConvTranspose2d(8, 8, 2, 2), nn.Dropout(), nn.ELU(inplace=True),
        )  # fmt: skip
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lstm = nn.LSTM(8, 4, batch_first=True, bidirectional=True)
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.scale = nn.Parameter(torch.rand(8))

    def forward(self, x):
        x = F.relu(self.convs(x))
        x.mul_(self.scale[:, None, None]).add_(1)
        y = x.clone()
        y[:, ::2] = x[:, 1::2] * 2
        a, b = torch.cat([x, y], 1).chunk(2, 1)
        x = F.interpolate(a + b.flip(-1), scale_factor=0.5)
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + self.attention(tokens, tokens, tokens)[0]
        tokens, (state, cell) = self.lstm(self.encoder(tokens))
        best, where = tokens.max(1)
        first, *rest = tokens.unbind(1)
        weights = torch.softmax(tokens @ tokens.mT, -1)
        return best + where + first + rest[0] + state[0].mean() - cell.sum() + weights.sum()


def test_numbers_are_those_of_execution():
    torch.manual_seed(0)
    module, outs = Everything().eval(), []
    x = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        executed = module(x)
    holder = nn.Sequential(module)
    holder.register_forward_hook(lambda _, args, out: outs.append(out.actual))
    run = nw.plan(holder, x, values=True, hooks=True)
    assert torch.allclose(outs[0], executed, atol=1e-6)
    assert run.rows == nw.plan(holder, x).rows


def test_a_branch_takes_the_side_that_the_numbers_say():
    class Early(nn.Module):
        """Leaves after its first classifier where that is sure (Teerapittayanon et al. 2016)."""

        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            y = self.a(x)
            return y if y.max() > 10 else self.b(y)

    module = Early()
    assert nw.plan(module, torch.zeros(1, 4), values=True).macs == 16 + 12
    nn.init.constant_(module.a.bias, 11)
    plan = nw.plan(module, torch.zeros(1, 4), values=True)
    assert plan.macs == 16
    assert plan.row("b").auxiliary

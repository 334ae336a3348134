"""The names of nets, and the functions behind them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import import_module
from typing import Any

from netwright.core.net import Net
from netwright.core.shape import Shape
from netwright.core.spec import Spec
from netwright.errors import SpecError, nearest
from netwright.nets.published import Published, contribution, published

__all__ = ["Entry", "Paper", "entry", "family", "find", "names", "net"]

FAMILIES = {
    "lenet": "lenet5 lenet5_original",
    "alexnet": "alexnet alexnet_grouped zfnet",
    "airbench": "airbench94_cifar10 airbench95_cifar10",
    "fitnet": "fitnet1_cifar10 fitnet2_cifar10 fitnet3_cifar10 fitnet4_cifar10",
    "vgg": "vgg11 vgg13 vgg16 vgg19 vgg11_bn vgg13_bn vgg16_bn vgg19_bn se_vgg16",
    "nin": "dsn_cifar10 nin_cifar10 nin_imagenet",
    "googlenet": "googlenet googlenet_bn",
    "inception": "bn_inception inception_v3 inception_v4",
    "inception_road": "inception_road_1_batch_norm inception_road_2_small_kernels "
    "inception_road_4_expanded inception_road_5_factorised inception_road_6_alike",
    "inception_resnet": "inception_resnet_v1 inception_resnet_v2",
    "resnet": "resnet18 resnet34 resnet50 resnet101 resnet152 resnet200 wide_resnet50_2 "
    "wide_resnet101_2 resnext50_2x40d resnext50_4x24d resnext50_8x14d resnext50_32x4d "
    "resnext101_2x40d resnext101_4x24d resnext101_8x14d resnext101_32x4d resnext101_32x8d "
    "resnext101_64x4d seresnet50 seresnet101 seresnet152 "
    "seresnext50_32x4d seresnext50_32x4d_timm seresnext101_32x4d cmpe_se_resnet50 "
    "cbam_resnet18 cbam_resnet50 "
    "cbam_resnext101_32x4d resnet18_a resnet18_b root_resnet18",
    "senet": "senet154 se_bn_inception se_inception_resnet_v2",
    "bam": "bam_resnet50",
    "resnet_cifar": "resnet20_cifar10 resnet32_cifar10 resnet44_cifar10 resnet56_cifar10 "
    "resnet110_cifar10 resnet20_cifar10_a resnet32_cifar10_a resnet44_cifar10_a "
    "resnet56_cifar10_a resnet110_cifar10_a resnet1202_cifar10 resnet1202_cifar10_a "
    "stochastic_depth_resnet110_cifar10 stochastic_depth_resnet1202_cifar10 "
    "resnext29_8x64d_cifar10 plain20_cifar10 plain32_cifar10 "
    "plain44_cifar10 plain56_cifar10 plain110_cifar10 resnext29_32x4d_cifar10 "
    "resnext29_16x64d_cifar10",
    "preresnet": "preresnet20_cifar10 preresnet110_cifar10 preresnet164bn_cifar10 "
    "preresnet1001_cifar10 sepreresnet20_cifar10 resnetv2_50 resnetv2_101 resnetv2_152 "
    "preresnet18 preresnet34 preresnet50 preresnet101 preresnet152 preresnet200",
    "wide_resnet": "wrn16_10_cifar10 wrn28_10_cifar10 wrn40_8_cifar10 wrn16_8_cifar10 "
    "wrn40_4_cifar10 se_wrn28_10_cifar10 cmpe_se_wrn28_10_cifar10 cmpe_se_wrn28_10_1x1_cifar10 "
    "cmpe_se_wrn28_10_2x1_cifar10 cmpe_se_wrn28_10_folded_cifar10",
    "highway": "highway19_cifar10 highway32_cifar10",
    "pyramidnet": "pyramidnet110_a48_cifar10 pyramidnet110_a84_cifar10 "
    "pyramidnet110_a270_cifar10 pyramidnet164_a200_bn_cifar10 pyramidnet164_a270_bn_cifar10 "
    "pyramidnet272_a200_bn_cifar10 pyramidnet101_a360 pyramidnet200_a300 pyramidnet200_a450",
    "densenet": "densenet121 densenet169 densenet201 densenet161 densenet264",
    "densenet_cifar": "densenet40_k12_cifar10 densenet100_k12_cifar10 densenet100_k24_cifar10 "
    "densenet100_k12_bc_cifar10 densenet190_k40_bc_cifar10 densenet250_k24_bc_cifar10",
    "swidernet": "swidernet_1_1_1 swidernet_1_1_3 swidernet_1_1_4_5",
    "polynet": "polynet",
    "resattnet": "resattnet56 resattnet92 resattnet452_cifar10",
    "regnet": "regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf "
    "regnet_x_16gf regnet_x_32gf regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf "
    "regnet_y_8gf regnet_y_16gf regnet_y_32gf",
    "hrnet": "hrnet_w18 hrnet_w32 hrnet_w48 hrnetv1_w18 hrnetv1_w32 hrnetv1_w48 hrnetv2_w18 "
    "hrnetv2_w32 hrnetv2_w48",
    "mobilenet": "mobilenet_v1 mobilenet_v1_x0_75 mobilenet_v1_x0_5 mobilenet_v1_x0_25 "
    "mobilenet_v2",
    "mobilenet_v3": "mobilenet_v3_small mobilenet_v3_large",
    "efficientnet": "efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 "
    "efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7",
    "efficientnet_lite": "efficientnet_lite0 efficientnet_lite1 efficientnet_lite2 "
    "efficientnet_lite3 efficientnet_lite4",
    "shufflenet": "shufflenet_g1_w1 shufflenet_g2_w1 shufflenet_g3_w1 shufflenet_g4_w1 "
    "shufflenet_g8_w1 shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 "
    "shufflenet_v2_x2_0",
    "convnext_road": "convnext_road_01_stage_ratio convnext_road_02_patchify "
    "convnext_road_03_depthwise convnext_road_04_width convnext_road_05_inverted "
    "convnext_road_06_moved_up convnext_road_07_kernel convnext_road_08_gelu "
    "convnext_road_09_fewer_activations convnext_road_10_fewer_norms "
    "convnext_road_11_layer_norm",
    "convnext": "convnext_tiny convnext_small convnext_base convnext_large",
    "darknet": "darknet19 darknet53",
    "xception": "xception",
    "ghostnet": "ghostnet_100",
    "squeezenet": "squeezenet1_0 squeezenet1_1 squeezenet1_0_simple_bypass "
    "squeezenet1_0_complex_bypass squeezeresnet_v1_0",
    "eegnet": "eegnet_4_2 eegnet_8_2",
    "ecg": "ecg_cnn1d ecg_stft_cnn",
    "recurrent": "cnn_lstm conv_lstm",
    "video": "c3d r3d_18 r2plus1d_18 p3d63 p3d131 p3d199",
    "channel_boosted": "channel_boosted_cnn",
    "fcn": "fcn32s fcn16s fcn8s fcn_resnet50 fcn_resnet101 deeplabv3_resnet50 deeplabv3_resnet101",
    "darts": "darts darts_v1 darts_v1_cifar10 darts_v2_cifar10 nasnet_a_cifar10 "
    "amoebanet_a_cifar10 amoebanet_b_cifar10 amoebanet_c_cifar10 enas_cifar10",
    "randwire": "randwire_ws_small randwire_er_small randwire_ba_small randwire_ws_regular "
    "randwire_er_regular randwire_ba_regular",
    "nasnet": "nasnet_4a1056 nasnetalarge pnasnet5mobile pnasnet5large",
    "unet": "unet unet_scse",
}
"""Which module of `netwright.nets` holds which names; only the one asked for is loaded."""


@dataclass(frozen=True)
class Paper:
    """Where a net comes from."""

    title: str
    authors: str
    year: int
    arxiv: str = ""

    @property
    def contribution(self) -> str:
        """What is new in it, in a sentence or two; empty where nobody said."""
        return contribution(self.title)


@dataclass(frozen=True)
class Entry:
    """A registered net: its name, the function that makes it, and what it is given."""

    name: str
    make: Callable[..., Spec]
    input: Shape
    paper: Paper
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, input: Shape | None = None, **options: Any) -> Net:
        """The net, with options of its function changed."""
        if options:
            takes = inspect.signature(self.make).parameters
            for option in options:
                if option not in takes:
                    wanted = ", ".join(["input", *takes])
                    raise SpecError(f"{self.name} has no option {option!r}; it has: {wanted}")
        given = {**self.options, **options}
        return Net(self.make(**given), input or self.input, self.name)

    @property
    def published(self) -> tuple[Published, ...]:
        """Its published errors, a row a data set, the main one first."""
        return published(self.name)

    @property
    def category(self) -> str:
        """By which idea it is better than those before; empty where nothing was published."""
        return self.published[0].category if self.published else ""


_entries: dict[str, Entry] = {}


def net(
    name: str, *, input: Shape, paper: Paper, **options: Any
) -> Callable[[Callable[..., Spec]], Callable[..., Spec]]:
    """Registers the decorated function under `name`, with these of its options.

    Decorators stack: one function, several names.
    """

    def register(make: Callable[..., Spec]) -> Callable[..., Spec]:
        _entries[name] = Entry(name, make, input, paper, options)
        return make

    return register


def names(pattern: str = "*") -> list[str]:
    """Names of the registered nets that match a shell pattern, sorted.

    >>> names("resnet5*_cifar10")
    ['resnet56_cifar10']
    """
    registered = {*" ".join(FAMILIES.values()).split(), *_entries}
    return sorted(name for name in registered if fnmatchcase(name, pattern))


def family(name: str) -> list[str]:
    """Names of the nets of the same family, in its own order.

    >>> family("googlenet")
    ['googlenet', 'googlenet_bn']
    """
    families = [members.split() for members in FAMILIES.values()]
    return next((members for members in families if name in members), [name])


def entry(name: str) -> Entry:
    """The registry's entry; `UnknownName` with near names when there is none."""
    if name not in _entries:
        for family, members in FAMILIES.items():
            if name in members.split():
                import_module(f"netwright.nets.{family}")
                break
        else:
            raise nearest("net", name, names())
    return _entries[name]


@lru_cache(maxsize=256)
def _plain(name: str) -> Net:
    return entry(name)()


def find(name: str, *, input: Shape | None = None, **options: Any) -> Net:
    """The net of that name, at its own input shape unless `input` is given.

    Options are those of the net's function, such as `classes`; see `netwright show NAME`.
    Raises `UnknownName` with near names, `SpecError` for an option it does not have.

    >>> find("resnet50", classes=10, input=(3, 64, 64)).plan().output
    (10,)
    """
    if input is None and not options:
        return _plain(name)
    return entry(name)(input, **options)

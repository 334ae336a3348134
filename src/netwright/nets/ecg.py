"""Nets for electrocardiograms: along time, and over a spectrogram."""

from __future__ import annotations

from netwright.blocks.conv import ConvNormAct
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential
from netwright.nets.heads import pooled
from netwright.nets.options import need_counts
from netwright.nets.registry import Paper, net
from netwright.units.pool import MaxPool
from netwright.units.regularise import Dropout
from netwright.units.spectrogram import Spectrogram

__all__ = ["ecg_cnn", "ecg_stft"]

FCN = Paper(
    "Time Series Classification from Scratch with Deep Neural Networks: A Strong Baseline",
    "Wang, Yan, Oates",
    2016,
    "1611.06455",
)
CRNN = Paper(
    "Convolutional Recurrent Neural Networks for Electrocardiogram Classification",
    "Zihlmann, Perekrestenko, Tschannen",
    2017,
    "1710.06122",
)


@net("ecg_cnn1d", input=(12, 1000), paper=FCN)
def ecg_cnn(widths: tuple[int, ...] = (128, 256, 128), classes: int = 5) -> Spec:
    """Figure 1b of the paper: convolutions of 8, 5 and 3 samples, a pooled head.

    An input is ten seconds of twelve leads at 100 Hz, of which the benchmark on PTB-XL
    (Strodthoff et al. 2020, arXiv:2004.13701) tells five classes. The kernel of 8 pads one
    sample more after than before.
    """
    need_counts(widths=widths)
    kernels = zip(widths, (8, 5, 3), strict=False)
    convs = {f"conv{i}": ConvNormAct(*row) for i, row in enumerate(kernels, 1)}
    return Sequential(**convs, head=pooled(classes))


@net("ecg_stft_cnn", input=(1, 3600), paper=CRNN)
def ecg_stft(
    width: int = 64, blocks: int = 6, depth: int = 4, dropout: float = 0.15, classes: int = 4
) -> Spec:
    """Section 3 of the paper, the net without recurrence: the logarithmic spectrogram of one
    lead, `blocks` blocks of `depth` 5x5 convolutions and a max pool, a pooled head.

    An input is twelve seconds at 300 Hz. Each block is 32 maps wider than the one before;
    pools round up. The window is Hann's, the paper's Tukey's; the logarithm is log(1 + |X|).
    """
    need_counts(width=width, blocks=blocks, depth=depth)
    parts: dict[str, Spec] = {"spectrogram": Spectrogram(64, 32, log=True)}
    for i in range(blocks):
        convs = [ConvNormAct(width + 32 * i, 5)] * depth
        tail = {"pool": MaxPool(2, ceil=True), "drop": Dropout(dropout)}
        parts[f"block{i + 1}"] = Sequential(*convs, **tail)
    return Sequential(**parts, head=pooled(classes))

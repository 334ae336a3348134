"""What the commands are for, in examples: each ends its command's help; tests run them."""

from __future__ import annotations

__all__ = ["EXAMPLES", "shown"]

EXAMPLES = {
    "summary": (
        "netwright summary resnet50 --depth 1",
        "netwright summary resnet50 --depth 1 --batch 64 --train adamw --fit 24GB",
        "netwright summary your.package:Net --input 3x224x224",
    ),
    "compare": ("netwright compare resnet50 densenet121 mobilenet_v2",),
    "nets": (
        "netwright nets 'resnet*'",
        "netwright nets --category attention --max-params 30M --sort macs",
        "netwright nets --html nets.html",
    ),
    "show": ("netwright show resnet50", "netwright show googlenet --svg googlenet.svg"),
    "formula": (
        "netwright formula 'Conv(N, 3)'",
        "netwright formula 'SeparableConv(N)' --over 'Conv(N, 3)'",
        "netwright formula resnet50",
    ),
    "advise": (
        "netwright advise resnet18 --input 3x32x32",
        "netwright advise resnet18 --input 3x32x32 --apply 1a --out better.json",
    ),
    "source": ("netwright source resnet18 --classes 10 --out resnet18.py",),
    "rewrite": (
        "netwright rewrite --list",
        "netwright rewrite resnet50 stem-3x3 widen:2 --out wide.json",
    ),
    "scale": ("netwright scale mobilenet_v2 --budget 'macs<=150M, params<=3M'",),
    "check": ("netwright check resnet18 mobilenet_v2 --budget 'params<=12M, memory<=64MB'",),
    "diff": ("netwright diff resnet50 seresnet50",),
    "calibrate": ("netwright calibrate --threads 1",),
    "bench": ("netwright bench resnet18 mobilenet_v2 --batch 8",),
    "fit": (
        "netwright fit photos/ --minutes 10 --out runs/photos",
        "netwright fit photos/ --budget 'params<=1M, macs<=50M' --out runs/small",
        "netwright fit photos/ --out runs/photos --resume",
    ),
    "recipes": (
        "netwright recipes",
        "netwright recipes modern",
        "netwright recipes resnet airbench",
    ),
    "search": (
        "netwright search",
        "netwright search nasbench201",
        "netwright search nasbench201:width=8,depth=1 photos/ --trials 50 --workers 2",
        "netwright search --show searches/nasbench201-photos",
        "netwright search --export searches/nasbench201-photos net.json",
        "netwright search --again searches/nasbench201-photos --trial 17",
    ),
    "work": ("netwright work nasbench201-photos --storage postgresql://ada:secret@db/search",),
    "predict": ("netwright predict runs/photos new/*.jpg --top 3",),
    "evaluate": (
        "netwright evaluate runs/photos more/ --corrupt --html evaluation.html",
        "netwright evaluate runs/photos runs/small more/ --views ten-crop",
    ),
    "compare-runs": ("netwright compare-runs runs/photos runs/small",),
    "look": (
        "netwright look runs/photos new/*.jpg --html look.html",
        "netwright look occlusion runs/photos new/cat.jpg --size 48 --stride 24",
        "netwright look maximise efficientnet_lite0 --layer stage5 --channel 0-15",
        "netwright look top-patches your.package:net photos/ --layer layer3 --input 3x224x224",
    ),
}
"""Name of a command -> command lines."""


def shown(name: str) -> str:
    """The end of that command's help."""
    return "\n".join(["\b", "Examples:", *[f"  {line}" for line in EXAMPLES[name]]])

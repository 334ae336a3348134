"""A net as a PyTorch file that stands alone."""

from __future__ import annotations

import keyword
import re
from textwrap import wrap

from netwright import __version__
from netwright.core.classifier import reclassed
from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.core.shape import show
from netwright.core.text import documented
from netwright.errors import NetwrightError
from netwright.export.classes import HELPERS, class_lines, function_lines
from netwright.export.constructor import Inlined
from netwright.export.library import Library
from netwright.export.params import Param, Params
from netwright.export.read import tree_of
from netwright.export.tree import Composite
from netwright.export.unify import Mismatch, unify
from netwright.nets.registry import entry, find, names

__all__ = ["source"]


PROMISE = (
    "Its state_dict has the keys of the built net, so that weights of either load in the other; "
    "before that they are PyTorch's own initial ones."
)


def source(net: Net) -> str:
    """The source of a net; see `Net.source`."""
    plan = net.plan()
    other = _reclassed(net, plan.output[0] + 7)
    text = _written(net, plan, [net, other]) if other is not None else None
    text = text or _written(net, plan, [net])
    assert text is not None
    return text


def _reclassed(net: Net, classes: int) -> Net | None:
    """The net with another number of classes, if it has a classifier."""
    try:
        if net.name in names() and net == find(net.name, input=net.input):
            return find(net.name, input=net.input, classes=classes)
        other = reclassed(net, classes)
        other.plan()  # a classifier may share its weights with a part that keeps its width
    except NetwrightError:
        return None
    return other


def _written(net: Net, plan: Plan, alike: list[Net]) -> str | None:
    """The file of a net; what nets that are alike differ by is the number of classes. None
    where that does not say it all.
    """
    trees = [tree_of(net) for net in alike]
    library = Library(trees)
    name = library.free(_class_name(net.name), "Net")
    classes = [each.plan().output[0] for each in alike]
    params = Params([Param("classes", classes, classes[0])], classes)
    try:
        pattern = unify([library.resolved(tree) for tree in trees])
    except Mismatch:
        return None
    params.fill(pattern)
    if any(param.name != "classes" for param in params.used):
        return None
    about = f"{show(net.input)} -> {show(plan.output)}."
    if isinstance(pattern, Composite):
        body = class_lines(name, about, pattern, params.ordered)
    else:
        body = function_lines(name, about, pattern, params.ordered)
    return _file(net, plan, library, name, body)


def _file(net: Net, plan: Plan, library: Library, name: str, body: list[str]) -> str:
    code = ["\n".join(lines) for lines in [*library.classes, body]]
    text = "\n".join(code)
    inlined = Inlined(library.layers)
    helpers = [HELPERS[word] for word in HELPERS if re.search(rf"(?<![\w.]){word}\(", text)]
    main = [
        'if __name__ == "__main__":',
        f"    model = {name}().eval()",
        "    with torch.inference_mode():",
        f"        print(model(torch.randn(1, {', '.join(map(str, net.input))})).shape)",
    ]
    imports = {"import torch", "from torch import nn", *inlined.imports}
    if "OrderedDict" in "".join(helpers):
        imports.add("from collections import OrderedDict")
    if "Tensor" in text:
        imports.add("from torch import Tensor")
    head = f'"""{documented(_header(net, plan))}\n"""\n\nfrom __future__ import annotations\n\n'
    blocks = [_imports(imports), *helpers, *inlined.sources, *code, "\n".join(main)]
    return _compiled(net, head + "\n\n\n".join(blocks) + "\n")


def _compiled(net: Net, text: str) -> str:
    """The text, if it is a program at all."""
    try:
        compile(text, net.name, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NetwrightError(f"{net.name} cannot be written as source: {error}") from None
    return text


def _header(net: Net, plan: Plan) -> str:
    registered = entry(net.name) if net.name in names() else None
    lines = [f"{net.name}: {_summary(net)}", ""]
    if registered:
        paper = registered.paper
        where = f", arXiv:{paper.arxiv}" if paper.arxiv else ""
        lines += [f"{paper.title}; {paper.authors}, {paper.year}{where}.", ""]
    costs = f"{plan.params:,} parameters, {plan.macs:,} multiply-adds"
    origin = f"Written by netwright {__version__} (`netwright source {net.name}`). {PROMISE}"
    lines += [f"{show(net.input)} -> {show(plan.output)}; {costs}.", "", origin]
    return "\n".join(row for line in lines for row in (wrap(line, 97) or [""]))


def _summary(net: Net) -> str:
    import inspect

    if net.name not in names():
        return "a net."
    about = (inspect.getdoc(entry(net.name).make) or "").partition("\n\n")[0]
    return " ".join(about.split())


_WORDS = {
    "bam": "BAM", "bn": "BN", "cbam": "CBAM", "cifar": "CIFAR", "cnn": "CNN",
    "convnext": "ConvNeXt",
    "darts": "DARTS", "dsn": "DSN", "ecg": "ECG", "eegnet": "EEGNet", "enas": "ENAS", "fcn": "FCN",
    "googlenet": "GoogLeNet", "hrnet": "HRNet", "hrnetv": "HRNetV", "lstm": "LSTM",
    "nasnet": "NASNet", "nasnetalarge": "NASNetALarge", "net": "Net", "nin": "NiN",
    "pnasnet": "PNASNet", "preresnet": "PreResNet", "resattnet": "ResAttNet",
    "resnetv": "ResNetV", "resnext": "ResNeXt",
    "scse": "ScSE", "se": "SE", "seresnet": "SEResNet", "seresnext": "SEResNeXt", "unet": "UNet",
    "vgg": "VGG", "wrn": "WRN", "zfnet": "ZFNet",
}  # fmt: skip
"""Words of names as their papers write them."""


def _class_name(name: str) -> str:
    """A net's name as a class is called: `resnet18` as `ResNet18`."""
    words = [word for word in re.split(r"[^a-zA-Z0-9]+", name) if word]
    camel = re.sub(r"(?<=\d) (?=\d)", "_", " ".join(map(_word, words))).replace(" ", "") or "Net"
    plain = camel[0].isalpha() and not keyword.iskeyword(camel) and camel != "Tensor"
    return camel if plain else f"Net{camel}"


def _word(word: str) -> str:
    stem = (re.match(r"[a-z]*", word) or [""])[0]
    if stem in _WORDS:
        return _WORDS[stem] + word[len(stem) :]
    for end in ("net", "next"):
        if stem.endswith(end) and stem != end:
            return _word(stem.removesuffix(end)) + end.capitalize() + word[len(stem) :]
    return word[:1].upper() + word[1:]


def _imports(lines: set[str]) -> str:
    """Imports as one writes them: names of one module on one line, the standard library first."""
    plain = sorted(line for line in lines if line.startswith("import "))
    of: dict[str, set[str]] = {}
    for line in lines - {*plain}:
        module, _, names = line.removeprefix("from ").partition(" import ")
        of.setdefault(module, set()).update(names.split(", "))
    wholes = [*plain, *[f"from {m} import {', '.join(sorted(of[m]))}" for m in sorted(of)]]
    ours = [line for line in wholes if line.split()[1].startswith("torch")]
    standard = [line for line in wholes if line not in ours]
    return "\n\n".join("\n".join(group) for group in (standard, ours) if group)

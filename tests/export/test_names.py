"""Names are texts of others: none of them becomes code."""

import builtins
from importlib import import_module

import pytest
import torch

import netwright as nw
from netwright.core.spec import Block, Spec
from netwright.core.text import documented, markup, plain, quoted
from netwright.drawing.blocks_svg import block_file
from netwright.report.outline import outline

NAMES = (
    "'''#", '"""', "\\", "a\\", '"+boom()+"', "x=boom()", "boom()", "y=1;boom()#", "{boom()}", '"',
    "'", "a b", "%s", "self", "nn", "torch", "None", "class", "lambda", "x", "xs", "aux", "module",
    "print", "²", "٣", "01", "\ufb01", "é", "<b>",
)  # fmt: skip


class Twice(Block, abstract=True):
    """Wiring whose parts are called as it is told."""

    body: Spec
    times: int = 1

    def expand(self, x):
        parts = dict(self.body.parts)
        return nw.Sequential(first=nw.Sum(body=nw.Conv(x[0]), **parts), second=self.body)


def nets(name):
    conv, two = nw.Conv(3), {name: nw.Conv(3)}
    yield nw.Sequential(**two, pool=nw.GlobalAvgPool(), head=nw.Linear(3))
    yield nw.Sequential(p=nw.Sequential(**two, z=nw.Sum(**two, other=nw.Identity())))
    yield nw.Sequential(p=nw.Frozen(nw.Sequential(**two)))
    yield nw.Sequential(p=nw.Concat(**{name: nw.Frozen(conv)}, q=nw.Identity()))
    yield nw.Sequential(a=nw.Graph(**two, out=nw.Node(nw.Add(), name, "input")))
    both = {**two, "other": conv}
    yield nw.Sequential(a=nw.Fork(**both), b=nw.Parallel(**both), c=nw.Concat(**both))
    yield nw.Sequential(b=nw.Shared(conv, name), c=nw.Shared(conv, name))
    other = nw.Sequential(**{name: nw.ReLU()})
    yield nw.Sequential(a=Twice(nw.Sequential(**two)), b=Twice(other, 2))


def run(text):
    space = {"__name__": "written"}
    exec(compile(text, "written", "exec"), space)
    return list(space.values())[-1]()


@pytest.mark.parametrize("name", NAMES)
def test_no_name_becomes_code(name, monkeypatch):
    calls = []
    monkeypatch.setattr(builtins, "boom", lambda: calls.append(name), raising=False)
    for spec in nets(name):
        net = nw.Net(spec, (3, 8, 8), name)
        model, built = run(net.source()), net.build(seed=0)
        assert [*model.state_dict()] == [*built.state_dict()]
        model.load_state_dict(built.state_dict())
        x = torch.rand(2, 3, 8, 8)
        assert torch.equal(model.eval()(x), built.eval()(x))
    assert calls == []


@pytest.mark.parametrize(
    "name", ['"""\nboom()\n"""', "\x00", "\x1b[2J", "a\\", 'say "no"', "true", "tensor", ""]
)
def test_no_name_of_a_net_becomes_code(name):
    assert run(nw.net("lenet5").but(name=name).source()) is not None


def test_what_is_no_program_is_not_written(monkeypatch):
    home = import_module("netwright.export.source")
    monkeypatch.setattr(home, "documented", lambda text: '"""(')
    with pytest.raises(nw.NetwrightError, match="lenet5 cannot be written as source"):
        nw.net("lenet5").source()


def test_pictures_and_pages_have_no_tags_of_others():
    net = nw.Net(nw.Sequential(**{"<script>": nw.Conv(3)}), (3, 8, 8), "</svg><script>")
    assert "<script>" not in block_file(outline(net))


def test_escapes():
    assert plain("a\x1b\n\ud800é") == "a\\x1b\\n\\ud800é"
    assert plain("a\n\t", keep="\n") == "a\n\\t"
    assert markup("<a b='\x1b'>\n") == "&lt;a b=&#x27;\\x1b&#x27;&gt;\n"
    for text in (*NAMES, "\x00\x1b\n\ud800", "\\\\n"):
        assert eval(quoted(text)) == text
        assert eval(f'"""{documented(text)}"""') == plain(text, keep="\n")

"""Files of weights that are strange: one line each, whatever is in them."""

from __future__ import annotations

import json
import os
import pickle
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import torch
from safetensors.torch import save, save_file

import netwright as nw
from netwright.core.net import Net
from netwright.weights.source import read_state

NET = Net(nw.Sequential(a=nw.Conv(4, 3), gap=nw.GlobalAvgPool(), fc=nw.Linear(2)), (3, 8, 8), "net")
STATE = dict(NET.build(seed=0).state_dict())
A = STATE["a.weight"]


def refused(path, said, **options):
    with pytest.raises(nw.WeightsError, match=said) as caught:
        NET.build(weights=path, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert not [word for word in ("weights_only", "pickle", "Error", "file an issue")
                if word in text]  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (A.to_sparse, "a.weight is sparse, wanted a dense tensor"),
        (lambda: torch.quantize_per_tensor(A, 0.1, 0, torch.qint8), "quantised; dequantize"),
        (lambda: A.to("meta"), "a.weight has no numbers"),
        (lambda: A * torch.nan, "a.weight has numbers that are not finite; try to get them anew"),
        (lambda: A / 0, "a.weight has numbers that are not finite"),
        (A.long, "a.weight has int64 numbers"),
        (A.bool, "a.weight has bool numbers"),
        (lambda: A.to(torch.complex64), "a.weight has complex64 numbers"),
        (lambda: torch.zeros(1).expand(10**6, 10**6, 10**3), "a.weight is of 4,000,000,000,000,0"),
    ],
)  # fmt: skip
def test_tensors(tmp_path, change, said):
    torch.save({**STATE, "a.weight": change()}, tmp_path / "x.pth")
    refused(tmp_path / "x.pth", said)


def test_not_finite_is_told_when_it_is_taken_all_the_same(tmp_path):
    torch.save({**STATE, "a.weight": A * torch.nan}, tmp_path / "x.pth")
    with pytest.warns(nw.weights.WeightsWarning, match=r"a\.weight has numbers that are not fin"):
        model = NET.build(weights=tmp_path / "x.pth", strict=False)
    assert model.state_dict()["a.weight"].isnan().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_no_fault(tmp_path, dtype):
    save_file({key: value.to(dtype) for key, value in STATE.items()}, tmp_path / "x.safetensors")
    model = NET.build(weights=tmp_path / "x.safetensors")
    assert torch.allclose(model.state_dict()["a.weight"], A, atol=1e-2)


def circle():
    inside = {"epoch": 1}
    inside["state_dict"] = {"model": inside}
    return inside


@pytest.mark.parametrize("held", [circle(), [STATE], 5, "text", {"model": 3}, {}, None])
def test_no_state_dict(tmp_path, held):
    torch.save(held, tmp_path / "x.pth")
    refused(tmp_path / "x.pth", "holds no state_dict but")


def script(path):
    with ZipFile(path, "w") as file:
        file.writestr("net/constants.pkl", b"")


def bomb(path):
    torch.save(STATE, path)
    with ZipFile(path, "a", ZIP_DEFLATED) as file:
        file.writestr("net/data/9", bytes(2**21))


def foreign(path):
    path.write_bytes(pickle.dumps({"a": {1, 2}}))


def archive(path):
    with ZipFile(path, "w") as file:
        file.writestr("x", "y")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (script, "is a program of TorchScript, and is not opened because"),
        (bomb, "unpacks to 2,.* bytes; this machine has 1,048,576"),
        (foreign, "cannot be read: it is damaged, or no file of torch.save"),
        (archive, "cannot be read: it is damaged, or no file of torch.save"),
        (lambda path: path.write_bytes(b"\x80\x02c__builtin__\neval\nq\0."), "could run code"),
    ],
)
def test_files_of_torch(tmp_path, monkeypatch, write, said):
    if write is bomb:
        monkeypatch.setattr("netwright.weights.tensors.memory", lambda: 2**20)
    write(tmp_path / "x.pth")
    refused(tmp_path / "x.pth", said)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:50],
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: (2**40).to_bytes(8, "little") + data[8:],
        lambda data: data.replace(b'"F32"', b'"F99"'),
        lambda data: data.replace(b"[4,3,3,3]", b"[4,3,3,9]"),
        lambda data: data + b"more",
    ],
)
def test_safetensors(tmp_path, change):
    (tmp_path / "x.safetensors").write_bytes(change(save(STATE)))
    with pytest.raises(nw.WeightsError, match=r"cannot be read: no \.safetensors, or a damaged"):
        read_state(tmp_path / "x.safetensors")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "x.pth")
    refused(tmp_path / "x.pth", "a pipe or device, wanted a file")
    refused("/dev/zero", "a pipe or device, wanted a file")
    refused("", "no weights ''")
    (tmp_path / "model.safetensors").write_bytes(save(STATE))
    for text in ("[", "[]" * 9**5, "[" * 10**5, "3"):
        (tmp_path / "config.json").write_text(text)
        refused(tmp_path, r"config\.json (cannot be read|is no JSON object)")


@pytest.mark.parametrize(
    "change",
    [{"size": 40000}, {"size": 0}, {"size": 8.5}, {"size": None}, {"mean": [0.5]}, {"mean": ["x"]},
     {"std": [0, 1, 1]}, {"mean": [], "std": []}, {"mean": 3}, {"std": [float("nan")] * 3}],
)  # fmt: skip
def test_what_a_run_says_of_its_images(tmp_path, change):
    (tmp_path / "weights.safetensors").write_bytes(save(STATE))
    images = {"size": 8, "mean": [0.1] * 3, "std": [0.2] * 3, **change}
    (tmp_path / "run.json").write_text(json.dumps({"preprocessing": images}))
    refused(tmp_path, "wanted 1 to 4096 pixels|wanted as many numbers|does not say what its images")

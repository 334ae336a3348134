"""Downloads, from a server of our own: resumed, checked, cached; and what is said offline."""

from __future__ import annotations

import io
import json
import re
import sys
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import netwright as nw
from netwright.weights import hub, index
from netwright.weights.index import Known
from netwright.weights.preprocess import of_table, of_timm
from peers import library, peer

SEEN = {"size": "224", "resize": "256", "interpolation": "bilinear", "inputs": "imagenet"}
"""What most weights say of their images."""
CONTENT = bytes(range(256)) * 64


class Handler(BaseHTTPRequestHandler):
    """Serves `content`; answers ranges if it may, and stops after `limit` bytes."""

    def do_GET(self):
        server, start = self.server, 0
        server.asked.append(self.headers.get("Range"))
        if self.headers.get("Range") and server.ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.content):
                self.send_error(416)
                return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.limit])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        made.content, made.limit, made.ranges, made.asked = CONTENT, None, True, []
        made.url = f"http://127.0.0.1:{made.server_port}/"
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_a_broken_download_goes_on(server, tmp_path):
    path, server.limit = tmp_path / "a.pth", 5000
    with pytest.raises(nw.WeightsError, match=r"broke 11,384 bytes .*; 5,000 bytes are kept"):
        hub.fetched(server.url + "a.pth", path)
    assert not path.exists()
    server.limit = None
    hub.fetched(server.url + "a.pth", path)
    assert server.asked == [None, "bytes=5000-"]
    assert path.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == ["a.pth"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_that_is_of_no_use_is_begun_again(server, tmp_path, ranges):
    server.ranges = ranges  # a server that knows no ranges sends everything
    (tmp_path / "a.pth.part").write_bytes(b"x" * 99999)
    hub.fetched(server.url + "a.pth", tmp_path / "a.pth")
    assert (tmp_path / "a.pth").read_bytes() == CONTENT


@pytest.fixture
def torchvision(server, tmp_path, monkeypatch):
    """A SqueezeNet of the server's as torchvision's weights, and the peer they are of."""
    model = peer("torchvision", "squeezenet1_1").eval()
    held = io.BytesIO()
    torch.save(model.state_dict(), held)
    server.content = held.getvalue()
    file = f"squeezenet1_1-{sha256(server.content).hexdigest()[:8]}.pth"
    row = next(k.facts for k in index.known() if k.net == "squeezenet1_1")
    made = Known("squeezenet1_1", "torchvision", "squeezenet1_1", "TEST", file, "", row)
    monkeypatch.setattr("netwright.weights.source.known", lambda: (made,))
    monkeypatch.setattr(hub, "TORCHVISION", server.url)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return model, tmp_path / "checkpoints" / file


@torch.inference_mode()
def test_torchvision(server, torchvision, capsys):
    model, path = torchvision
    net = nw.net("squeezenet1_1")
    for name in ("torchvision/TEST", "torchvision/squeezenet1_1.TEST"):
        ours = net.build(weights=name).eval()
        assert ours.weights.source == "torchvision/squeezenet1_1.TEST"
        assert ours.weights.preprocess == of_table(SEEN)
    assert len(server.asked) == 1  # the second time it was there
    assert f"to {path}" in capsys.readouterr().err
    x = torch.randn(1, 3, 64, 64)
    assert torch.allclose(ours(x), model(x), atol=1e-5)


def test_a_damaged_file_is_refused(torchvision):
    _, path = torchvision
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    with pytest.raises(nw.WeightsError, match=r"is damaged: its SHA-256 begins .*; delete it and"):
        nw.net("squeezenet1_1").build(weights="torchvision/TEST")


def test_a_download_of_something_else_is_not_kept(server, torchvision):
    _, path = torchvision
    server.content = b"<html>log in to this network</html>"
    with pytest.raises(nw.WeightsError, match="is damaged"):
        nw.net("squeezenet1_1").build(weights="torchvision/TEST")
    assert list(path.parent.iterdir()) == []


def test_offline(torchvision, monkeypatch):
    monkeypatch.setattr(hub, "TORCHVISION", "http://127.0.0.1:9/")
    said = r"cannot get http://127.0.0.1:9/squeezenet1_1-.* refused.*; try again, or fetch the file"
    with pytest.raises(nw.WeightsError, match=said):
        nw.net("squeezenet1_1").build(weights="torchvision/TEST")


CONFIG = {
    "architecture": "resnet18",
    "pretrained_cfg": {
        "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.95,
        "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    },
}  # fmt: skip


@pytest.fixture
def hugging(tmp_path, monkeypatch):
    """A hub in a folder: files are links to blobs, which are called by their SHA-256."""
    model = peer("timm", "resnet18")
    save_file(model.state_dict(), tmp_path / "blob")
    blob = tmp_path / sha256((tmp_path / "blob").read_bytes()).hexdigest()
    (tmp_path / "blob").rename(blob)
    (tmp_path / "model.safetensors").symlink_to(blob)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    asked = []

    def download(repo, file, *, local_files_only):
        assert not local_files_only
        asked.append((repo, file))
        if repo != "timm/resnet18.a1_in1k":
            raise FileNotFoundError("cannot reach the hub, and it is not in the cache\nlong story")
        return str(tmp_path / file)

    fake = ModuleType("huggingface_hub")
    fake.hf_hub_download = download
    fake.constants = SimpleNamespace(HF_HUB_OFFLINE=True)
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    return model, blob, asked


@pytest.mark.parametrize("name", ["timm/resnet18.a1_in1k", "timm/a1_in1k"])
def test_timm(hugging, name):
    state, _, asked = hugging[0].state_dict(), *hugging[1:]
    model = nw.net("resnet18").build(weights=name)
    assert torch.equal(model.state_dict()["head.fc.weight"], state["fc.weight"])
    assert model.weights.source == "timm/resnet18.a1_in1k"
    assert model.weights.preprocess == of_table(
        {**SEEN, "resize": "235", "interpolation": "bicubic"}
    )
    assert asked == [(model.weights.source, f) for f in ("config.json", "model.safetensors")]


def test_timm_damaged(hugging):
    hugging[1].write_bytes(b"damaged")
    with pytest.raises(nw.WeightsError, match="is damaged"):
        nw.net("resnet18").build(weights="timm/a1_in1k")


def test_timm_offline(hugging, monkeypatch):
    said = (
        r"cannot get https://huggingface.co/timm/resnet18.a2_in1k/\S+: cannot reach .* cache; try"
    )
    with pytest.raises(nw.WeightsError, match=said):
        nw.net("resnet18").build(weights="timm/a2_in1k")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(nw.WeightsError, match=r"pip install netwright\[hub\]"):
        nw.net("resnet18").build(weights="timm/a1_in1k")


def test_a_folder_as_on_the_hub(hugging, tmp_path):
    model = nw.net("resnet18").build(weights=tmp_path)
    assert model.weights.preprocess.resize == 235
    with pytest.raises(nw.WeightsError, match="do not fit resnet34"):
        nw.net("resnet34").build(weights=tmp_path)


def test_a_folder_that_says_nothing_of_its_images(hugging, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "resnet"}')
    assert nw.net("resnet18").build(weights=tmp_path).weights.preprocess is None


def test_readme(hugging, tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "README.md").read_text()
    (code,) = [block for block in re.findall(r"```py\n(.*?)```", text, re.DOTALL)
               if "to_peer" in block]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (320, 240)).save("cat.jpg")
    names = {"nw": nw}
    with pytest.warns(nw.weights.WeightsWarning, match="head.fc starts fresh"):
        exec(code, names)
    assert names["x"].shape == (3, 224, 224)
    assert names["model"](names["x"][None]).shape == (1, 10)
    assert names["theirs"]["fc.weight"].shape == (10, 512)


def test_unknown_names():
    net = nw.net("resnet18")
    with pytest.raises(nw.UnknownName, match=r"torchvision's resnet18 is .* near: IMAGENET1K_V1"):
        net.build(weights="torchvision/IMAGENET")
    with pytest.raises(nw.WeightsError, match="torchvision has no weights for lenet5"):
        nw.net("lenet5").build(weights="torchvision/IMAGENET1K_V1")
    with pytest.raises(nw.WeightsError, match=r"no weights 'a.pth': .* nw.weights\('resnet18'\)"):
        net.build(weights="a.pth")


def test_the_list_is_what_torchvision_says():
    models = library("torchvision")
    held = [k for k in index.known() if k.library == "torchvision"]
    assert len(held) > 50
    for k in held:
        theirs = models.get_model_weights(k.model)[k.tag]
        images = theirs.transforms()
        assert theirs.url == hub.TORCHVISION + k.file
        assert images.crop_size == [int(k.facts["size"])]
        assert images.resize_size == [int(k.facts["resize"])]
        assert images.interpolation.value == k.facts["interpolation"]
        assert k.net in nw.nets()


def test_the_list_is_what_timm_says():
    timm = library("timm")
    held = [k for k in index.known() if k.library == "timm"]
    assert len(held) > 100
    for k in held:
        config = timm.get_pretrained_cfg(f"{k.model}.{k.tag}")
        assert (config.hf_hub_id, config.hf_hub_filename) == (k.name, None)
        assert config.license.replace("-license", " licence") == k.licence.lower()
        of_timm(vars(config))
        assert k.net in nw.nets()


def test_listing():
    assert "torchvision/resnet50.IMAGENET1K_V2" in nw.weights("resnet50")
    assert "timm/resnet50.a1_in1k" in nw.weights("resnet50")
    assert nw.weights("lenet5") == []

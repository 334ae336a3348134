"""The page of looks: all of them, in one file, in the time there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import netwright as nw
from netwright.data.image import Preprocessing
from netwright.look.page import depths, look_page
from netwright.look.paint import encoded, over, pictures, signed, warm
from netwright.look.plots import charts
from squares import TINY, write_squares

HEADINGS = [
    "What it says", "Which pixels speak for it", "Whether the maps can be trusted",
    "What its layers make of the first image", "What the first layer looks for",
    "What moving the image changes", "What blur, noise and lost texture change",
    "How often its channels answer", "What excites its layers most", "How far its units see",
    "What its layers would like to see", "What its layers dream into the first image", "Layers",
]  # fmt: skip
SEVERAL = ("How often its channels answer", "What excites its layers most")
"""Those of several images."""


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 3),
    )  # fmt: skip


GIVEN = Preprocessing(32, 3, (0.5,) * 3, (0.25,) * 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def page() -> str:
    looked = nw.look.subject(small(), GIVEN)
    return look_page(looked, list(IMAGES), title="small").render()


def test_the_page_has_all_that_suits(page):
    assert re.findall("<h2>(.*?)</h2>", page) == HEADINGS
    assert "Left out" not in page
    files = [b64decode(text) for text in re.findall('data:image/(?:png|jpeg);base64,([^"]+)', page)]
    assert len(files) > 25
    for file in files:
        with Image.open(BytesIO(file)) as image:
            assert min(image.size) > 20 and image.mode == "RGB"
    scores = small().eval()(GIVEN(IMAGES[0])[None])[0].softmax(0)
    assert f"{100 * scores.max():.1f}%" in page


def test_the_page_shows_what_the_looks_return(page):
    """Curves, marks and counts are those of the looks themselves."""
    looked = nw.look.subject(small(), GIVEN)
    trust = nw.look.trust(looked, IMAGES[0], "gradient", steps=4)
    assert f"<p>{trust.mark}.</p>" in page and page.count(">shuffled down to") == 2 * 3
    sparse = nw.look.sparsity(looked, IMAGES)
    dead = sum(map(len, sparse.dead.values()))
    assert f"{dead} of 14 channels answer nowhere in 3 images" in page
    for look in (nw.look.shift({"output": looked}, IMAGES, 8), sparse,
                 nw.look.sensitivity(looked, IMAGES)):  # fmt: skip
        assert all(chart in page for chart in charts(look))
    assert "texture, at its strongest" in page and "dream of 4" in page


def test_the_page_of_a_run_has_its_classes(tmp_path):
    """Of the images that it did not learn from; where they are gone the page says so."""
    data = write_squares(tmp_path / "data", 16)
    run = nw.fit(data, out=tmp_path / "out", budget=TINY, epochs=1)
    images = [IMAGES[0]]
    text = look_page(run, images).render()
    heading = "<h2>Where the classes come apart</h2>"
    assert heading in text and "Left out" not in text
    dataset = run.dataset()
    rest = [(dataset.listing.reader.file(int(i)), int(dataset.labels[i]))
            for i in dataset.indices("val", "test")]  # fmt: skip
    look = nw.look.separability(run, rest)
    assert all(chart in text for chart in charts(look))
    shutil.rmtree(data)
    text = look_page(nw.Run.load(run.path), images).render()
    assert heading in text and "no such file or folder" in text.split(heading)[1]


def test_charts_of_values():
    """A line for every model, method and kind, a bar for every layer."""
    pools = {"max": nw.MaxPool(2), "mean": nw.AvgPool(2)}
    look = nw.look.shift(pools, torch.rand(1, 16, 16), 3)
    (drawing,) = charts(look)
    assert drawing.count("<polyline") == 2 and ">max<" in drawing
    data = [(image // (1 + i % 2), i % 2) for i, image in enumerate([*IMAGES, *IMAGES])]
    look = nw.look.separability(small(), data, ["0", "4"], preprocessing=GIVEN)
    accuracy, scatter, confusion = charts(look)
    assert accuracy.count("<rect") == 3 and scatter.count("<rect") == 2
    assert f"{100 * look.accuracy[1]:.1f}%" in accuracy and "Confusion at 4" in confusion
    with pytest.raises(TypeError, match="no charts of a int"):
        charts(3)


def test_what_does_not_suit_is_said(page):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(3 * 8 * 8, 3)

        def forward(self, x):
            return self.net(x.flatten(1))

    given = Preprocessing(8, 3, (0.5,) * 3, (0.25,) * 3)
    text = look_page(nw.look.subject(Odd(), given), list(IMAGES[:1])).render()
    assert "no convolution" in text and "<h2>What it says</h2>" in text
    assert "gradient: class" in text and "occlusion by 1 x 1" in text  # these suit


def test_a_model_that_cannot_be_followed_has_a_page_too():
    class Sorted(nn.Module):
        """Where its pass goes depends on the image."""

        def __init__(self):
            super().__init__()
            self.layers = small()

        def forward(self, x):
            return self.layers(x.flip(3) if x.mean() > 0 else x)

    look = look_page(nw.look.subject(Sorted(), GIVEN), list(IMAGES[:1])).render()
    assert re.findall("<h2>(.*?)</h2>", look) == [name for name in HEADINGS if name not in SEVERAL]
    assert "Left out" in look and "occlusion by 6 x 6" in look and "gradient: class" in look


def test_a_stop_in_a_look_ends_the_page(monkeypatch):
    """In the third round of the first occlusion: its map is there, and nothing behind it."""
    from netwright.look import page

    plainly = page.occlusion

    def pressed(*given, seconds):
        rounds = list[float]()

        def tell(share):
            rounds.append(share)
            if len(rounds) == 3:
                raise KeyboardInterrupt

        return plainly(*given, batch=1, tell=tell)

    monkeypatch.setattr(page, "occlusion", pressed)
    text = look_page(nw.look.subject(small(), GIVEN), list(IMAGES)).render()
    assert re.findall("<h2>(.*?)</h2>", text) == [*HEADINGS[:2], "Not shown"]
    assert text.count("<figcaption>occlusion by 6 x 6") == 1
    assert "stopped after 3 of 81 squares" in text


def test_the_page_ends_in_time():
    looked = nw.look.subject(small(), GIVEN)
    text = look_page(looked, list(IMAGES), seconds=0).render()
    assert re.findall("<h2>(.*?)</h2>", text) == ["What it says", "Not shown"]


def test_layers_over_the_depth():
    places = nw.look.layers(nw.net("resnet50"))
    paths = depths(places)
    sizes = [places[path].size[0] for path in paths]
    assert len(paths) == 4 and sizes == sorted(sizes, reverse=True) and sizes[-1] == 7
    assert paths == [path for path in places if path in paths]


def test_pictures_of_values():
    values = np.linspace(-1, 1, 9).reshape(3, 3)
    colours = signed(values, 1.0)
    assert colours[0, 0].tolist() == [5, 48, 97] and colours[2, 2].tolist() == [103, 0, 31]
    assert colours[1, 1].min() > 240 and warm(np.array([0.0, 1]), 1).tolist()[0] == [0, 0, 4]
    pixels = np.full((3, 3, 3), 100, np.uint8)
    for map_ in (values, np.abs(values), np.zeros((3, 3))):
        assert over(pixels, map_).shape == (3, 3, 3)
    with Image.open(BytesIO(encoded(pixels, 10))) as image:
        assert (image.size, image.format) == ((9, 9), "PNG")
        assert np.array_equal(np.asarray(image)[::3, ::3], pixels)
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(noise).resize((192, 192), Image.Resampling.BICUBIC))
    with Image.open(BytesIO(encoded(smooth))) as image:
        assert (image.size, image.format) == ((192, 192), "JPEG")
        assert np.abs(np.asarray(image).astype(int) - smooth).mean() < 6
    with pytest.raises(TypeError, match="no pictures of a int"):
        next(pictures(3))


def test_a_map_that_was_cut_short_says_so():
    given = {"seconds": 0, "preprocessing": GIVEN}
    model = small().eval()
    ((_, caption),) = pictures(nw.look.attribute(model, IMAGES[0], "smoothgrad", **given))
    assert caption.endswith("(stopped early, after 1 of 25 samples)")
    ((_, caption),) = pictures(nw.look.attribute(model, IMAGES[0], "gradient", **given))
    assert "early" not in caption


MEASURE = """
addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  const wide = [...page.querySelectorAll("img, figure, .gallery, p, h2")]
    .filter(part => part.getBoundingClientRect().right > page.documentElement.clientWidth + 1);
  const broken = [...page.images].filter(image => !image.naturalWidth);
  document.title = [wide.length, broken.length, page.images.length].join(" ");
});
"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_the_page(page, tmp_path, width):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium here")
    from html import escape

    file = tmp_path / "page.html"
    file.write_text(f'<title></title><iframe width="{width}" height="800" '
                    f'srcdoc="{escape(page)}"></iframe><script>{MEASURE}</script>')  # fmt: skip
    made = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}",
         "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    wide, broken, images = re.search("<title>(.*?)</title>", made.stdout).group(1).split()
    assert (wide, broken) == ("0", "0") and int(images) > 25

"""Pages and charts: balanced, offline, escaped, drawn inside their frames."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html import escape
from html.parser import HTMLParser
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netwright as nw
from netwright.cli import main
from netwright.drawing import charts
from netwright.drawing.blocks_svg import SCRIPT as START
from netwright.drawing.bubbles import Bubble, bubbles, timeline
from netwright.drawing.html import Page, code, facts, gallery, pairs, paragraph, table
from netwright.drawing.pages import compare_page, story_page, summary_page
from netwright.drawing.sortable import SCRIPT
from netwright.drawing.svg import WIDTH, power_ticks, tick_labels, ticks
from netwright.report.outline import outline
from report.examples import CHAIN, ODD, SKIP

EVIL = "<script>alert(1)</script>\"'&<b>"
VOID = {"meta", "img", "br", "link"}
PNG = b"\x89PNG\r\n\x1a\nnot really"


class Tags(HTMLParser):
    """Open tags, and all attributes seen."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(text):
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


def svg(text):
    """The drawing as XML, as a browser would take it in a standalone file."""
    return ET.fromstring(re.search(r"<svg.*</svg>", text, re.DOTALL).group())


def everything(word):
    return (
        Page(word, word)
        .add(word, facts([(word, word), ("n", 1)]), paragraph(word), code(word), note=word)
        .add(word, table([word, "n"], [[word, 1], [None, 2.5]], numeric={1}))
        .add(word, table([word, "n"], [[word, 1]], {1}, foot=[[word, 1]], sortable=True))
        .add(word, pairs([(word, word)]))
        .add(word, gallery([(PNG, word)] * 2))
        .add(word, *drawings(word))
    )


def drawings(word):
    return [
        charts.bars([(word, 3), ("b", 0)], title=word, unit=" kg"),
        charts.grouped_bars([word, "b"], {word: [1, nan], "c": [2, 3]}, title=word),
        charts.columns([(word, 3), ("b", 0), ("c", nan)], title=word),
        charts.lines({word: [(0, 1), (1, nan), (2, 3)], "c": [(1, 1)]}, title=word, x=word, y=word),
        charts.heat([[1, 2], [0, 5]], [word, "b"], title=word, x=word, y=word),
        bubbles([Bubble(1e6, 1, 2, word, word, word), Bubble(1e9, 2, 0, "b", "c", "d")],
                [word, "c"], title=word, x=word, y=word, named=[word]),
        timeline({(1998, word): [(word, word)], (2015, "c"): [("b", "")]}, [word, "c"],
                 title=word),
        charts.scatter([(0, 1, word), (1, 2, "b")], title=word, x=word, y=word),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [everything("plain"), everything(EVIL), Page("empty"), summary_page(CHAIN.plan()),
     summary_page(ODD.plan(), 1, tree=outline(ODD)),
     story_page(SKIP.plan(), outline(SKIP), [("new", EVIL)]),
     compare_page([CHAIN.plan(), ODD.plan(), CHAIN.plan()], CHAIN.plan())],
    ids=["plain", "evil", "empty", "summary", "odd", "story", "compare"],
)  # fmt: skip
def test_pages_are_balanced_and_offline(page):
    text = page.render()
    tags = parsed(text)
    sorts, scrolls = '<table class="sortable">' in text, '<div class="blocks"' in text
    assert tags.seen.count("script") == (sorts or scrolls)
    assert "script" not in tags.seen or (
        f"<script>{SCRIPT * sorts}{START * scrolls}</script>" in text
    )
    assert "b" not in tags.seen
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    links = [value for name, value in tags.attributes if name in ("src", "href")]
    assert all(link.startswith(("#part", "data:image/png;base64,")) for link in links)
    assert "url(" not in text
    assert "@import" not in text
    ids = [value for name, value in tags.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(drawing)


@pytest.mark.parametrize("count", [1, 7, 8, 14])
def test_no_two_series_of_a_chart_look_alike(count):
    points = {f"series {i}": [(0, i), (1, 2 * i)] for i in range(count)}
    values = {name: [y for _, y in line] for name, line in points.items()}
    for chart, mark in (
        (charts.lines(points, title="lines"), '<polyline class="([^"]+)"'),
        (charts.grouped_bars(["a", "b"], values, title="bars"), r'<rect class="([^"]+)"[^>]*><t'),
    ):
        assert len(set(re.findall(mark, chart))) == count
        shown = re.findall(r'<rect class="([^"]+)"[^>]*rx="2"/>', chart)
        assert len(set(shown)) == len(shown) == (count if count > 1 else 0)


def test_text_comes_back_as_it_was_given():
    assert "".join(parsed(everything(EVIL).render()).text).count(EVIL) >= 10


def test_a_page_is_written_whole(tmp_path):
    page = Page("a").add("b", paragraph("ü"))
    page.write(tmp_path / "deep" / "a.html")
    assert (tmp_path / "deep" / "a.html").read_text(encoding="utf-8") == page.render()


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        table(["a", "b"], [["only one"]])


@pytest.mark.parametrize("drawing", drawings("plain"))
def test_charts_say_what_they_are(drawing):
    root = svg(drawing)
    assert root.get("role") == "img"
    assert root.find("title").text == "plain"
    assert len(root.find("desc").text) > 5


values = st.floats(-1e12, 1e12)
points = st.lists(st.tuples(values, values), max_size=8)


def places(root):
    """Every x and y of dots and corners of lines."""
    for circle in root.iter("circle"):
        yield float(circle.get("cx")), float(circle.get("cy"))
    for line in root.iter("polyline"):
        for pair in line.get("points").split():
            yield tuple(float(n) for n in pair.split(","))


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), points, max_size=3))
def test_lines_stay_inside_the_drawing(series):
    text = charts.lines({re.sub(r"[^a-z]", "", k): v for k, v in series.items()}, title="t")
    root = svg(text)
    height = float(root.get("viewBox").split()[3])
    for x, y in places(root):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= height


def test_an_axis_covers_its_span_wherever_the_points_are():
    """All at 100% stand at the top of 0 to 100, not in the middle of what cannot be."""
    labels = re.findall(">([0-9.]+)</text>", charts.lines({"a": [(0, 100), (1, 100)]}, title="t",
                                                          span=(0, 100)))  # fmt: skip
    assert {"0", "100"} <= {*labels} and max(map(float, labels)) == 100
    assert charts.lines({}, title="t", span=(0, 100))  # no point to put them at


def test_lines_break_where_there_is_no_value():
    gaps = {"a": [(0, 1.0), (1, 2.0), (2, nan), (3, inf), (4, 1.0), (5, 1.0), (6, nan), (7, 1.0)]}
    root = svg(charts.lines(gaps, title="t"))
    assert len(list(root.iter("polyline"))) == 2
    assert len(list(root.iter("circle"))) == 1


def test_bars_are_in_proportion_and_say_their_value():
    root = svg(charts.bars([("a", 10), ("b", 5), ("c", 0)], title="t"))
    wide = [float(rect.get("width")) for rect in root.iter("rect")]
    assert wide[0] == pytest.approx(2 * wide[1], rel=0.01)
    assert wide[2] < 1
    assert [text.text for text in root.iter("text")][1:] == ["a", "10", "b", "5", "c", "0"]


def test_heat_prints_counts_of_few_classes_and_shades_by_row():
    def cells(n):
        names = [f"class {i}" for i in range(n)]
        return svg(
            charts.heat([[1234 * (i == j) for j in range(n)] for i in range(n)], names, title="t")
        )

    few, many = cells(20), cells(100)
    assert [t.text for t in few.iter("text")].count("1234") == 20
    assert "1234" not in [t.text for t in many.iter("text")]
    assert [r.get("fill-opacity") for r in many.iter("rect")][:-1] == ["1.000"] * 100


def test_names_of_dots_do_not_overlap():
    root = svg(charts.scatter([(i % 7, i // 7, f"name {i}") for i in range(40)], title="t"))
    boxes = [(float(t.get("x")), float(t.get("y"))) for t in root.iter("text")
             if (t.text or "").startswith("name")]  # fmt: skip
    assert len(boxes) > 20
    for i, (x, y) in enumerate(boxes):
        assert not [1 for a, b in boxes[:i] if abs(a - x) < 42 and abs(b - y) < 13]


def circles(root):
    return {
        circle.find("title").text: [float(circle.get(key)) for key in ("cx", "cy", "r")]
        for circle in root.iter("circle")
    }


def test_areas_of_bubbles_are_in_proportion_and_steps_are_factors():
    points = [Bubble(10.0**i, i, 4.0 ** (i + 3), f"n{i}", "k", f"n{i}") for i in range(3)]
    root = svg(bubbles(points, ["k"], title="t", named=["n2", "n0", "n1"]))
    (x0, y0, r0), (x1, y1, r1), (x2, y2, r2) = (circles(root)[f"n{i}"] for i in range(3))
    assert (r1 / r0, r2 / r1) == pytest.approx((2, 2), rel=0.05)
    assert x2 - x1 == pytest.approx(x1 - x0, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    assert y2 < y0
    assert {text.text for text in root.iter("text")} >= {"n0", "n1", "n2"}


def test_names_of_bubbles_meet_neither_names_nor_middles():
    points = [Bubble(10 + i % 7, i // 7, 1, f"name {i}", "k", f"name {i}") for i in range(40)]
    root = svg(bubbles(points, ["k"], title="t", named=[point.name for point in points]))
    middles = [(x, y) for x, y, _ in circles(root).values()]
    boxes = [(float(t.get("x")), float(t.get("y"))) for t in root.iter("text")
             if (t.text or "").startswith("name")]  # fmt: skip
    assert len(boxes) > 15
    for i, (x, y) in enumerate(boxes):
        assert not [1 for a, b in boxes[:i] if abs(a - x) < 42 and abs(b - y) < 13]
        assert not [1 for a, b in middles if x < a < x + 42 and y - 10 < b < y + 3]


def test_a_timeline_goes_down_by_year():
    root = svg(timeline({(2015, "b"): [("two", "")], (1998, "a"): [("one", "why")]}, ["a", "b"],
                        title="t"))  # fmt: skip
    places = {(t.text or ""): (float(t.get("x")), float(t.get("y"))) for t in root.iter("text")}
    assert places["1998"][1] == places["one"][1] < places["2015"][1] == places["two"][1]
    assert places["one"][0] < places["two"][0]
    assert [t.text for t in root.iter("title")] == ["t", "why"]


@pytest.mark.parametrize(("low", "high"), [(1, 1), (30, 700), (2e6, 5e10), (1e-3, 9e-3)])
def test_ticks_of_powers_cover(low, high):
    made = power_ticks(low, high)
    assert len(made) >= 2
    assert made[0] <= low
    assert made[1] > low
    assert made[-2] <= high < made[-1]


@given(values, values)
def test_ticks_are_round_cover_and_tell_apart(a, b):
    low, high = sorted((a, b))
    made = ticks(low, high)
    slack = 1e-6 * max(abs(low), abs(high)) + 1e-290  # what lies closer to zero is drawn as zero
    assert 2 <= len(made) <= 9
    assert made == sorted(set(made))
    assert made[0] <= low + slack
    assert made[-1] >= high - slack
    labels = tick_labels(made)
    assert len(set(labels)) == len(labels)


def opened(page, folder, script=""):
    """The page as a browser without a network has it, after its scripts and one of ours."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium here")
    file = folder / "page.html"
    file.write_text(page.render() + f"<script>{script}</script>", encoding="utf-8")
    made = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}",
         "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return made.stdout


@pytest.mark.browser
def test_a_browser_opens_the_page_without_a_network(tmp_path):
    dom = parsed(opened(summary_page(CHAIN.plan(), tree=outline(CHAIN)), tmp_path))
    assert dom.seen.count("svg") == 8
    assert dom.seen.count("section") == 5
    assert dom.seen.count("button") == 13
    assert "5,258" in "".join(dom.text)


PRESS = """
const said = [];
for (const [column, times] of [[1, 1], [1, 2], [1, 3], [0, 1]]) {
  for (let i = 0; i < times; i++) document.querySelectorAll("th button")[column].click();
  const rows = [...document.querySelectorAll("tr")].slice(1);
  const turn = document.querySelectorAll("th")[column].getAttribute("aria-sort");
  said.push(turn + " " + rows.map(row => row.cells[0].textContent).join(""));
  while (document.querySelectorAll("th")[column].getAttribute("aria-sort"))
    document.querySelectorAll("th button")[column].click();
}
document.title = said.join("; ");
"""


@pytest.mark.browser
def test_a_table_is_sorted_by_its_heads(tmp_path):
    rows = [["b", "999"], ["a10", "1.5K"], ["a9", "-"], ["d", "all"], ["e", "~20"], ["f", "2 KB"]]
    page = Page("t").add("s", table(["name", "n"], rows, {1}, foot=[["z", "9G"]], sortable=True))
    title = re.search("<title>(.*)</title>", opened(page, tmp_path, PRESS)).group(1)
    assert title.split("; ") == [
        "descending dfa10bea9z",
        "ascending eba10fda9z",
        "null ba10a9defz",
        "ascending a9a10bdefz",
    ]


MEASURE = """
window.addEventListener("load", () => {
  const page = document.querySelector("iframe").contentDocument;
  const {clientWidth: width, scrollWidth} = page.documentElement;
  const boxes = what => [...page.querySelectorAll(what)];
  const over = box => Math.ceil(box.getBoundingClientRect().right) > width;
  const start = boxes("div.blocks .wire").slice(0, 1).filter(
    box => over(box) || box.getBoundingClientRect().left < 0);
  const tables = boxes(".scroll").map(box => box.scrollWidth - box.clientWidth);
  document.title = [scrollWidth - width,
    boxes(".chart:not(.broad) > svg").filter(over).length, start.length, Math.max(0, ...tables),
  ].join(" ");
});
"""


class Framed:
    """A page in a window of that width; a browser's own is no narrower than 500."""

    def __init__(self, text, width):
        self.text, self.width = text, width

    def render(self):
        return f'<title></title><iframe width="{self.width}" srcdoc="{escape(self.text)}"></iframe>'


def cut(page, folder, width):
    """Pixels of the page, numbers of charts and of starts of diagrams, pixels of tables that are
    outside the window.
    """
    dom = opened(Framed(page, width), folder, MEASURE)
    return [int(word) for word in re.search("<title>(.*?)</title>", dom).group(1).split()]


@pytest.mark.browser
@pytest.mark.parametrize("name", ["googlenet", "hrnet_w18", "nasnetalarge"])
def test_nothing_is_cut(tmp_path, name):
    net = nw.net(name)
    page = summary_page(net.plan(), tree=outline(net)).render()
    assert cut(page, tmp_path, 390)[:3] == [0, 0, 0]
    assert cut(page, tmp_path, 1280) == [0, 0, 0, 0]


@pytest.mark.browser
def test_pages_of_several_nets_are_not_cut(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["nets", "--html", str(tmp_path / "nets.html")])
    nets = (tmp_path / "nets.html").read_text(encoding="utf-8")
    pair = compare_page([nw.net(name).plan() for name in ("vgg16", "resnet50")], CHAIN.plan())
    for page in (nets, pair.render()):
        assert cut(page, tmp_path, 390)[:3] == [0, 0, 0]
        assert cut(page, tmp_path, 1280) == [0, 0, 0, 0]

"""The pages: useful without JavaScript, nothing from elsewhere, and nothing of a visitor's words is code."""

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ADDRESSES = [
    "/",
    "/?q=telemonitoring",
    "/?q=telemonitoring&country=GRC&maturity=pilot&page=1",
    "/?q=zzzzqqq",
    "/sparql",
    "/ns",
    "/docs",
    "/id/policy/starter-de-diga.html",
    "/graph/starter.html",
    "/nowhere",
]
VOID = {"meta", "link", "input", "img", "br"}


class Page(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(client: TestClient, address: str) -> Page:
    answer = client.get(address, headers=BROWSER)
    assert answer.headers["content-type"].startswith("text/html")
    return Page(answer.text)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_is_sound_and_takes_nothing_from_elsewhere(client: TestClient, address: str) -> None:
    seen = page(client, address)
    names = [name for name, _ in seen.tags]
    assert "script" not in names and "style" not in names
    assert not any(
        key.startswith("on") or key == "style" for _, attributes in seen.tags for key in attributes
    )
    for tag in ("img", "link"):
        for attributes in seen.all(tag):
            address = str(attributes.get("src") or attributes.get("href"))
            assert address.startswith("/") or attributes.get("rel") == "canonical"
            if address.startswith("/static"):
                assert client.get(address).status_code == 200
    for attributes in seen.all("a"):
        assert re.match(r"(/(?!/)|#|https?://)", str(attributes["href"])), attributes
    assert "url(" not in client.get("/static/style.css").text


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_has_what_assistive_tools_need(client: TestClient, address: str) -> None:
    seen = page(client, address)
    assert seen.all("html")[0]["lang"] == "en"
    names = [name for name, _ in seen.tags]
    assert names.count("h1") == 1 and names.count("main") == 1 and names.count("title") == 1
    first = next(attributes for name, attributes in seen.tags if name == "a")
    assert first["href"] == "#main" and seen.all("main")[0]["id"] == "main"
    labelled = {attributes.get("for") for attributes in seen.all("label")}
    for tag in ("input", "select", "textarea"):
        for attributes in seen.all(tag):
            assert attributes.get("type") == "hidden" or attributes.get("id") in labelled
    ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(name[1]) for name in names if re.fullmatch(r"h[1-6]", name)]
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    assert all("alt" in attributes for attributes in seen.all("img"))


def test_the_counts_of_the_choices_are_what_they_lead_to(client: TestClient) -> None:
    text = client.get("/?q=health&theme=telemonitoring", headers=BROWSER).text
    options = re.findall(r'<option value="([A-Z]{3})">[^<]+ \((\d+)\)</option>', text)
    assert len(options) > 5
    for code, count in options[:4]:
        narrowed = client.get("/api/search", params={"q": "x", "theme": "telemonitoring", "country": code})
        assert narrowed.json()["total"] == int(count)


def test_choices_and_other_filters_are_kept(client: TestClient) -> None:
    text = client.get("/?q=health&country=Greece&maturity=pilot", headers=BROWSER).text
    assert re.search(r'<option value="GRC" selected>Greece', text)
    assert '<input type="hidden" name="maturity" value="pilot">' in text
    assert "Take away the filter maturity Pilot" in text


def test_pages_of_results_follow_each_other(client: TestClient) -> None:
    seen: list[str] = []
    address, pages = "/?theme=telemonitoring", 0
    while address:
        text = client.get(address, headers=BROWSER).text
        seen += re.findall(r'<h2><a href="([^"]+)"', text)
        following = re.search(r'rel="next" href="([^"]+)"', text)
        address, pages = following[1].replace("&amp;", "&") if following else "", pages + 1
    total = client.get("/api/search", params={"q": "x", "theme": "telemonitoring"}).json()["total"]
    assert len(seen) == len(set(seen)) == total and pages == -(-total // 10)


def test_nothing_found_says_what_to_do(client: TestClient) -> None:
    assert "Try other words" in client.get("/?q=zzzzqqq", headers=BROWSER).text
    assert "Nothing passes" in client.get("/?q=x&country=MDA&theme=robotics", headers=BROWSER).text
    assert "no more results" in client.get("/?theme=robotics&page=9", headers=BROWSER).text


def test_examples_are_in_several_languages(client: TestClient) -> None:
    languages = set(re.findall(r'<li><a href="[^"]+" lang="(\w\w)"', client.get("/", headers=BROWSER).text))
    assert len(languages) >= 5


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "'};alert(1)//",
        "javascript:alert(1)",
        "{{7*7}}{% raw %}",
        "\u202e\u0000\ud7ff😀",
        "</title><script>",
        "a" * 2000,
    ],
)
def test_words_of_visitors_stay_words(client: TestClient, attack: str) -> None:
    for values in (
        {"q": attack},
        {"q": "x", "country": attack},
        {"q": "x", "source": attack},
        {"page": attack},
    ):
        answer = client.get("/", params=values, headers=BROWSER)
        assert answer.status_code in (200, 400)
        seen = Page(answer.text)
        assert "script" not in [name for name, _ in seen.tags] and len(seen.all("img")) == 1
        assert "49{" not in answer.text


def test_links_from_elsewhere_may_carry_parameters_of_their_own(client: TestClient) -> None:
    assert client.get("/?q=x&utm_source=mail&fbclid=1", headers=BROWSER).status_code == 200


def test_only_web_addresses_become_links(client: TestClient) -> None:
    from dhu_graph.web.views import local

    base = "https://w3id.org/dhu/"
    assert local("javascript:alert(1)", base) == local("data:text/html,x", base) == local("urn:x", base) == ""
    assert local("https://example.org/a", base) == "https://example.org/a"
    assert local(base + "id/a/b#c", base) == "/id/a/b#c"
    assert not local(base + "/evil.example", base).startswith("//")


def test_a_figure_of_use_is_shown_in_words_and_not_by_its_address(client: TestClient) -> None:
    page = client.get("/id/policy/starter-de-diga.html").text
    assert "starter-de-diga-prescriptions" not in re.sub(r'href="[^"]*"', "", page)
    assert re.search(r">[^<]*prescriptions[^<]*: [0-9][0-9 .,]*[^<]*<", page)

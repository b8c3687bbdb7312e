"""`source.toml`: every field is known, every mistake is named, and what ships is whole."""

from pathlib import Path

import pytest

from dhu_graph import sources
from dhu_graph.errors import BadInput, UnknownName

GOOD = """
title = "A"
summary = "B"
publisher = "C"
homepage = "https://a.example.org/"
[[input]]
file = "a.csv"
format = "csv"
id = "id"
"""


def folder(tmp_path: Path, text: str, map: str | None = "CONSTRUCT {} WHERE {}") -> Path:
    (tmp_path / "source.toml").write_text(text, encoding="utf-8")
    if map is not None:
        (tmp_path / "map.rq").write_text(map, encoding="utf-8")
    return tmp_path


def test_the_sources_of_the_project_are_found_by_their_folders() -> None:
    assert {
        "cordis",
        "dcat-ap",
        "diga",
        "dpg",
        "eu-sparql",
        "globalgoods",
        "indicators",
        "jrc-ips",
        "publiccode",
        "starter",
        "wikidata",
        "zenodo",
    } <= set(sources.names())


@pytest.mark.parametrize("name", sources.names())
def test_a_source_says_who_and_under_which_licence_and_how_to_go_live(name: str) -> None:
    source = sources.load(name)
    assert source.publisher and source.summary.endswith(".") and source.schedule
    assert source.licence or "licence" in source.terms
    assert source.expect.min > 0
    assert source.shipped or source.terms or all(i.url or i.addresses for i in source.input)
    assert all(reason for reason in source.ignore.values())


def test_an_unknown_source_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="no source 'strater'") as error:
        sources.load("strater")
    assert "starter" in error.value.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace('title = "A"', ""), "title: Field required"),
        (GOOD + 'colour = "red"', "input.0.colour"),
        ("tilte = 1" + GOOD, "tilte"),
        (GOOD.replace("https://a.example.org/", "ftp://a"), "homepage"),
        (GOOD.replace("https://a.example.org/", "https://a> <b"), "homepage"),
        ('licence = "CC BY 4.0"' + GOOD, "licence"),
        (GOOD.replace('"csv"', '"parquet"'), "input.0.format"),
        (GOOD.split("[[input]]")[0], "input: Field required"),
        ("expect = {min = -1}" + GOOD, "expect.min"),
        (GOOD + 'delimiter = "::"', "input.0.delimiter"),
        ("title = ", "cannot be read"),
    ],
)
def test_a_wrong_line_is_named(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        sources.load("mine", folder(tmp_path, text))
    assert words in error.value.detail and "mine/source.toml" in error.value.detail


def test_a_name_that_is_no_plain_word_is_refused(tmp_path: Path) -> None:
    for name in ("../up", "With Blank", "", "a>b"):
        with pytest.raises(BadInput):
            sources.load(name, folder(tmp_path, GOOD))


def test_a_folder_without_a_map_or_without_a_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"map\.rq is missing"):
        sources.load("mine", folder(tmp_path, GOOD, map=None))
    with pytest.raises(BadInput):
        sources.load("mine", tmp_path / "nowhere")


def test_an_encoding_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"input\.0\.encoding"):
        sources.load("mine", folder(tmp_path, GOOD + 'encoding = "utf-99"'))


def test_the_fingerprint_follows_both_files(tmp_path: Path) -> None:
    first = sources.load("mine", folder(tmp_path, GOOD)).fingerprint
    second = sources.load("mine", folder(tmp_path, GOOD + "\n# a remark")).fingerprint
    third = sources.load("mine", folder(tmp_path, GOOD, "CONSTRUCT {} WHERE { }")).fingerprint
    assert len({first, second, third}) == 3

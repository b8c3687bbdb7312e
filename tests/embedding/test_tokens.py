"""Token ids by the pruned tokenizer are those of the whole one, whatever the text."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dhu_graph.embedding import packaged
from dhu_graph.embedding.pruning import KEPT, prune, unsuited
from dhu_graph.embedding.tokens import LONGEST, SMALL, SMALL_IDS, WHOLE, Tokens
from dhu_graph.settings import load

ALPHABETS = {
    "latin": "aąbcčdđeéfgħiłmnñoőøprsßțuůvwxyzž ÆŒŁİ’“”—…€%0123456789",
    "greek": "αάβγδεέζηήθϊΐκλμνξοόπρσςτυύφχψωώ ΆΈΉΩ·;«»",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъьюя ЁІЇЄЉЊЏ№",
    "odd": "\u0301\u0308\u00a0\u200b\u200d\ufeff\u2126\u212bﬁ①²½🏥😀\ue000ＡｂＣ\t\n\r\0㎏",
    "other": "中文かなקשיקสาธารณสุขﷺ한국어",
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tokens")
    whole = (packaged.unpacked(packaged.weights_path(), load().cache) / "tokenizer.json").read_text("utf-8")
    pruned = prune(whole)
    assert pruned is not None
    (found / WHOLE).write_text(whole, "utf-8")
    (found / SMALL).write_text(pruned.tokenizer, "utf-8")
    np.save(found / SMALL_IDS, np.array(pruned.ids, dtype=np.int32))
    (found / "characters.json").write_text(json.dumps(pruned.characters))
    return found


@pytest.fixture(scope="session")
def small(folder: Path) -> Tokens:
    return Tokens(folder, 512, json.loads((folder / "characters.json").read_text()))


@pytest.fixture(scope="session")
def whole(folder: Path) -> Tokens:
    return Tokens(folder, 512, None)


def _texts(count: int) -> list[str]:
    draw = random.Random(7)
    found = []
    for _ in range(count):
        pools = draw.sample([*ALPHABETS], draw.randint(1, 3))
        letters = "".join(ALPHABETS[pool] for pool in pools)
        found.append("passage: " + "".join(draw.choices(letters, k=draw.randint(0, 120))))
    every = [chr(code) for first, last in KEPT for code in range(first, last + 1)]
    found += ["".join(draw.choices(every, k=60)) for _ in range(count)]
    return found


def test_the_small_tokenizer_cuts_every_text_as_the_whole_one_does(small: Tokens, whole: Tokens) -> None:
    texts = _texts(1500)
    differing = [text for text in texts if not np.array_equal(small(text), whole(text))]
    assert differing == []


def test_real_sentences_are_cut_alike_and_without_the_whole_tokenizer(folder: Path, whole: Tokens) -> None:
    fresh = Tokens(folder, 512, json.loads((folder / "characters.json").read_text()))
    texts = json.loads((Path(__file__).parent / "sentences.json").read_text("utf-8"))
    assert len(texts) == 24
    for language, text in texts.items():
        np.testing.assert_array_equal(fresh(text), whole(text), err_msg=language)
    assert WHOLE not in fresh._loaded


def test_a_character_that_becomes_another_script_goes_to_the_whole_tokenizer(folder: Path) -> None:
    characters = json.loads((folder / "characters.json").read_text())
    found = unsuited(characters)
    assert found.search("ℵ"), "NFKC makes it a Hebrew letter"
    assert found.search("🈀"), "NFKC makes it kana"
    assert not found.search("Ελλάδα, България, Österreich — ﬁ № ①")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "\0" * 5000,
        "\ud800 lone",
        "ﷺ" * 50,
        "a" * 1_000_000,
        " " * 1_000_000,
        "ﷺ" * 1_000_000,
        "é́" * 500_000,
    ],
    ids=["empty", "nul", "nuls", "surrogate", "fdfa", "a-mb", "spaces-mb", "fdfa-mb", "marks-mb"],
)
def test_hostile_texts_are_cut_to_the_window(small: Tokens, text: str) -> None:
    ids = small(text)
    assert 2 <= len(ids) <= 512
    assert (ids[0], ids[-1]) == (0, 2)


def test_what_is_beyond_the_longest_text_is_not_looked_at(small: Tokens) -> None:
    text = "word " * (LONGEST // 5)
    np.testing.assert_array_equal(small(text), small(text + "other words"))


@pytest.mark.parametrize("change", ["kind", "post", "few", "added"])
def test_other_tokenizers_are_left_whole(folder: Path, change: str) -> None:
    content: dict[str, Any] = json.loads((folder / WHOLE).read_text("utf-8"))
    if change == "kind":
        content["model"]["type"] = "WordPiece"
    elif change == "post":
        content["post_processor"] = None
    elif change == "few":
        content["model"]["vocab"] = content["model"]["vocab"][:30_000]
    else:
        content["added_tokens"] = [{"id": 999_999, "content": "<new>"}]
    assert prune(json.dumps(content)) is None

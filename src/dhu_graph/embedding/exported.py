"""A model that was exported once, as an Embedder that serves without torch."""

import hashlib
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from dhu_graph.embedding.drafts import draft
from dhu_graph.embedding.protocol import Vectors
from dhu_graph.embedding.session import ABOUT, ExportedModel
from dhu_graph.errors import BadInput

LAYOUT = 1
"""Raise it when the same model, exported again, would give other vectors, or is read in another way."""

UNSUPPORTED = "unsupported.txt"

log = logging.getLogger(__name__)


class ExportedEmbedder:
    """Embeds with the folder that `where` gives, at a precision (`fp32`, `int8`); nothing is opened before the first text.

    Prompts of None are the model's own; `identity` and `dimension` may be given where they are known without opening.
    """

    def __init__(
        self,
        name: str,
        where: Callable[[], Path],
        precision: str,
        *,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        identity: str | None = None,
        dimension: int | None = None,
    ) -> None:
        self.name = name
        self._where, self._precision = where, precision
        self._prompts = {"query": query_prompt, "passage": passage_prompt}
        self._identity, self._dimension = identity, dimension
        self._turn = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the weights, the tokenizer, the prompt of passages, and how numbers are kept."""
        identity = self._identity or self._model.about["identity"]
        known = json.dumps([identity, self._prompts["passage"], f"onnx-{LAYOUT}-{self._precision}"])
        return hashlib.sha256(known.encode()).hexdigest()[:16]

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension or int(self._model.about["dimension"])

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts, shape (len(texts), dimension). Texts beyond the model's window are cut by it."""
        return self._encode("passage", texts)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions, shape (len(texts), dimension)."""
        return self._encode("query", texts)

    def _encode(self, side: str, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        prompt = self._prompts[side]
        return self._model.vectors(self._model.about[f"{side}_prompt"] if prompt is None else prompt, texts)

    @property
    def _model(self) -> ExportedModel:
        with self._turn:
            return self._opened

    @cached_property
    def _opened(self) -> ExportedModel:
        folder = self._where()
        try:
            return ExportedModel(folder, self._precision)
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(
                f"The exported model {folder} cannot be read: {error}",
                "Remove that folder; it is made again.",
            ) from error


def prepared(source: Path | str, cache: Path, key: str | None = None) -> Path | None:
    """The exported folder of a model, written now if it is not there yet; None where the model cannot be exported.

    The work is done by another process, so that this one never loads torch; under a name of its own, renamed when
    complete, so that a kill leaves no half model and of two processes at once one wins. That a model cannot be
    exported is remembered there too. `key` names the model's content; without it, a folder goes by its files (names,
    sizes and times) and a name on the hub by itself. Raises BadInput when the model cannot be loaded or there is no room.
    """
    folder = cache / "models" / f"onnx-{LAYOUT}-{key or _key(source)}"
    if not folder.is_dir():
        log.warning("Preparing the model %s, once; this takes about a minute …", source)
        with draft(folder, "It needs four times the model; set DHU_CACHE.") as made:
            if reason := _run(source, made):
                for path in made.iterdir():
                    path.unlink()
                (made / UNSUPPORTED).write_text(reason, encoding="utf-8")
    told = folder / UNSUPPORTED
    if told.is_file():
        log.warning(
            "The model %s is used through sentence-transformers, slower and with more memory: %s.",
            source,
            told.read_text(encoding="utf-8"),
        )
        return None
    return folder


def _run(source: Path | str, draft: Path) -> str | None:
    """Exports into the draft; the reason where the model cannot be exported. Raises BadInput for anything else."""
    command = [sys.executable, "-m", "dhu_graph.embedding.export", str(source), str(draft)]
    here = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", env={**os.environ, "PYTHONPATH": path}
    )
    try:
        outcome = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [""])[-1][:300]
        raise BadInput(
            f"Preparing the model {str(source)!r} ended unfinished (exit code {done.returncode}): {last}".rstrip(
                ": "
            ),
            "Try again; it needs some 2 GB of memory for a small model.",
        ) from None
    if "failed" in outcome:
        raise BadInput(outcome["failed"], outcome.get("hint", ""))
    if "unsupported" not in outcome and not (draft / ABOUT).is_file():
        raise BadInput(f"Preparing the model {str(source)!r} left nothing.", "Try again.")
    return outcome.get("unsupported")


def _key(source: Path | str) -> str:
    if isinstance(source, str):
        facts = [source]
    else:
        files = sorted(path for path in source.resolve().rglob("*") if path.is_file())
        facts = [str(source.resolve())]
        facts += [f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]
    name = re.sub(r"[^A-Za-z0-9.]+", "-", Path(str(source)).name)[:40]
    return f"{name}-{hashlib.sha256(chr(10).join(facts).encode()).hexdigest()[:12]}"

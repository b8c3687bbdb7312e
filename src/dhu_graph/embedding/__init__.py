"""Embedding: texts become unit vectors, by the packaged model or any sentence-transformers model, and are cached."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from dhu_graph.embedding import packaged
from dhu_graph.embedding.cache import CachedEmbedder
from dhu_graph.embedding.exported import ExportedEmbedder, prepared
from dhu_graph.embedding.protocol import Embedder, Vectors
from dhu_graph.embedding.sentence import SentenceEmbedder
from dhu_graph.errors import BadInput
from dhu_graph.settings import Settings

__all__ = ["CachedEmbedder", "Embedder", "ExportedEmbedder", "SentenceEmbedder", "Vectors", "open_embedder"]


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that `settings.model` names, with its cache under `settings.cache`.

    Nothing heavy happens yet: the model is prepared (once) and opened at the first text that is not cached. Raises
    BadInput when the packaged weights are not installed; a model of another name that cannot be loaded raises it at
    first use. torch is loaded only for a model that cannot be exported.
    """
    return CachedEmbedder(
        _packaged(settings) if settings.model == packaged.NAME else _Other(settings), settings.cache
    )


def _packaged(settings: Settings) -> Embedder:
    weights = packaged.weights_path()

    def where() -> Path:
        folder = prepared(packaged.unpacked(weights, settings.cache), settings.cache, packaged.FOLDER)
        if folder is None:
            raise BadInput(
                "The packaged model does not give its own vectors on this machine.",
                f"Install onnxruntime again, and remove {settings.cache / 'models'}.",
            )
        return folder

    return ExportedEmbedder(
        packaged.NAME,
        where,
        settings.precision,
        query_prompt=packaged.QUERY_PROMPT if settings.query_prompt is None else settings.query_prompt,
        passage_prompt=packaged.PASSAGE_PROMPT
        if settings.passage_prompt is None
        else settings.passage_prompt,
        identity=packaged.IDENTITY,
        dimension=packaged.DIMENSION,
    )


class _Other:
    """Any other model: exported where that is possible, else through sentence-transformers. Decided at first use."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.model
        self._settings = settings

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.passages(texts)

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.queries(texts)

    @cached_property
    def _embedder(self) -> Embedder:
        prompts: dict[str, Any] = {
            "query_prompt": self._settings.query_prompt,
            "passage_prompt": self._settings.passage_prompt,
        }
        folder = Path(self.name).expanduser()
        source = folder if folder.is_dir() else self.name
        found = prepared(source, self._settings.cache)
        if found is None:
            return SentenceEmbedder(self.name, lambda: source, **prompts)
        return ExportedEmbedder(self.name, lambda: found, self._settings.precision, **prompts)

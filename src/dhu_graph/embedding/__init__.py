"""Embedding: texts become unit vectors, by the packaged model or any sentence-transformers model, and are cached."""

from pathlib import Path

from dhu_graph.embedding import packaged
from dhu_graph.embedding.cache import CachedEmbedder
from dhu_graph.embedding.protocol import Embedder, Vectors
from dhu_graph.embedding.sentence import SentenceEmbedder
from dhu_graph.settings import Settings

__all__ = ["CachedEmbedder", "Embedder", "SentenceEmbedder", "Vectors", "open_embedder"]


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that `settings.model` names, with its cache under `settings.cache`.

    Nothing heavy happens yet: the model is loaded at the first text that is not cached. Raises BadInput when the
    packaged weights are not installed; a model of another name that cannot be loaded raises it at first use.
    """
    return CachedEmbedder(_model(settings), settings.cache)


def _model(settings: Settings) -> SentenceEmbedder:
    if settings.model == packaged.NAME:
        weights = packaged.weights_path()
        return SentenceEmbedder(
            packaged.NAME,
            lambda: packaged.unpacked(weights, settings.cache),
            query_prompt=packaged.QUERY_PROMPT if settings.query_prompt is None else settings.query_prompt,
            passage_prompt=packaged.PASSAGE_PROMPT
            if settings.passage_prompt is None
            else settings.passage_prompt,
            identity=packaged.IDENTITY,
            dimension=packaged.DIMENSION,
        )
    folder = Path(settings.model).expanduser()
    return SentenceEmbedder(
        settings.model,
        lambda: folder if folder.is_dir() else settings.model,
        query_prompt=settings.query_prompt,
        passage_prompt=settings.passage_prompt,
    )

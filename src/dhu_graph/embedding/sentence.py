"""Any sentence-transformers model, by name or folder, as an Embedder."""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dhu_graph.embedding.protocol import Vectors
from dhu_graph.errors import BadInput

BATCH = 16
"""Texts per forward pass. 32 texts of 512 tokens reach 1.1 GB with a small model; 16 are hardly slower."""

MOST_THREADS = 8
"""Matrices of such models are small: above this, cores mostly wait for each other."""


class SentenceEmbedder:
    """Embeds with a sentence-transformers model, loaded at first use, float32.

    `where` gives the model's folder or its name on the hub. A prompt of None means the model's own. `identity` and
    `dimension` may be given where they are known without loading; else they are read from the loaded model.
    Many threads may call it; they take turns, since the tokenizer cannot be shared ("Already borrowed").
    """

    def __init__(
        self,
        name: str,
        where: Callable[[], Path | str],
        *,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        identity: str | None = None,
        dimension: int | None = None,
    ) -> None:
        self.name = name
        self._where = where
        self._prompts = {"query": query_prompt, "passage": passage_prompt}
        self._identity = identity
        self._dimension = dimension
        self._turn = threading.RLock()

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the weights, the tokenizer and the prompt of passages."""
        identity = self._identity or digest_of(self.model)
        known = json.dumps([identity, self._prompts["passage"]])
        return hashlib.sha256(known.encode()).hexdigest()[:16]

    @cached_property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension or int(self.model.get_embedding_dimension())

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts, shape (len(texts), dimension). Texts beyond the model's window are cut by it."""
        return self._encode(lambda: self.model.encode_document, texts, self._prompts["passage"])

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions, shape (len(texts), dimension)."""
        return self._encode(lambda: self.model.encode_query, texts, self._prompts["query"])

    def _encode(self, encode: Callable[[], Any], texts: Sequence[str], prompt: str | None) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        # Lone surrogates (from broken command lines) make the tokenizer fail.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        with self._turn:
            found = encode()(
                clean,
                prompt=prompt,
                batch_size=BATCH,  # the model sorts them by length before it cuts batches
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.ascontiguousarray(found, dtype=np.float32)

    @cached_property
    def model(self) -> Any:
        with self._turn:
            # Two threads may both have seen it missing; the second finds the first one's.
            return self.__dict__.get("model") or _load(self.name, self._where())


def _load(name: str, source: Path | str) -> Any:
    """The sentence-transformers model; a folder is read without a look at the network. Raises BadInput."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    if torch.get_num_threads() > MOST_THREADS:
        torch.set_num_threads(MOST_THREADS)
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # 0.5 s of loading need no bar among our own messages
    try:
        model = SentenceTransformer(
            str(source),
            model_kwargs={"dtype": torch.float32},  # stored as fp16; bf16 and fp16 are slow on CPUs
            local_files_only=isinstance(source, Path),
        )
        model.encode_query(["probe"], show_progress_bar=False)
    except Exception as error:  # every layer below raises its own kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInput(
            f"The model {name!r} cannot be loaded: {reason[:300]}",
            "DHU_MODEL takes `packaged`, a sentence-transformers folder, or a name that is downloaded or cached.",
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()
    return model.eval()


def digest_of(model: Any) -> str:
    """A digest of all that decides a vector: parameters, tokenizer, modules, window and own prompts."""
    digest = hashlib.blake2b(digest_size=16)
    for key, tensor in sorted(model.state_dict().items()):
        if ".pooler." in key:  # unused, and random where a checkpoint lacks it
            continue
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(tensor.detach().cpu().float().numpy()).data)
    vocabulary: dict[str, int] = getattr(model.tokenizer, "get_vocab", dict)()
    facts = [str(model), model.max_seq_length, sorted(model.prompts.items()), sorted(vocabulary.items())]
    digest.update(json.dumps(facts).encode())
    return digest.hexdigest()

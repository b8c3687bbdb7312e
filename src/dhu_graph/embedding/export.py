"""Turns a sentence-transformers model into a folder that serves without torch, once, in a process of its own.

    python -m dhu_graph.embedding.export MODEL FOLDER

The folder holds `fp32.onnx` and `int8.onnx` (all of the model behind its word embeddings, up to unit vectors), the word
embeddings as `table.npy`, the tokenizer (and a smaller one, see `pruning`), and `model.json`.
Before it is done, both graphs are compared with the model itself; one that does not agree is not kept. The last line
of standard output is the outcome as JSON: {} or {"unsupported": reason} or {"failed": reason}.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph.embedding.pruning import prune
from dhu_graph.embedding.session import ABOUT, FP32, INT8, TABLE, ExportedModel
from dhu_graph.embedding.tokens import SMALL, SMALL_IDS, WHOLE

OPSET = 17

AGREE = {FP32: 0.999, INT8: 0.97}
"""Least cosine with the model itself for any of PROBES. For int8 it finds what is broken; what it ranks is measured
with judged questions (docs/decisions/0204)."""

PROBES = (
    "",
    "health",
    "Telemonitoring of patients with heart failure at home",
    "Überwachung von Patienten mit Herzinsuffizienz zu Hause, in ländlichen Regionen",
    "Τηλεπαρακολούθηση ασθενών με καρδιακή ανεπάρκεια στο σπίτι και στο νοσοκομείο",
    "Пациентите се наблюдават у дома; лекарят вижда данните им всеки ден.",
    "远程监测心力衰竭患者",
    "A service that many regions share. " * 120,
)


class Unsupported(Exception):
    """The model can be loaded, and cannot be exported."""


def export(source: str, folder: Path) -> None:
    """Writes the folder. Raises Unsupported, and whatever loading raises."""
    from dhu_graph.embedding.sentence import SentenceEmbedder, digest_of

    reference = SentenceEmbedder(source, lambda: Path(source) if Path(source).is_dir() else source)
    model = reference.model
    _check(model)
    known = digest_of(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, on constants; the comparison below is what counts
        table = _split(model, folder / f"{FP32}.onnx")
    np.save(folder / TABLE, table)
    _quantise(folder / f"{FP32}.onnx", folder / f"{INT8}.onnx")
    characters = _tokenizer(model, folder)
    about: dict[str, Any] = {
        "identity": known,
        "dimension": int(model.get_embedding_dimension()),
        "window": int(model.max_seq_length),
        "query_prompt": _prompt(model, "query"),
        "passage_prompt": _prompt(model, "document", "passage", "corpus"),
        "characters": characters,
    }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    # The longest apart: sentence-transformers would pad all others to it.
    expected = np.concatenate([reference.passages(PROBES[:-1]), reference.passages(PROBES[-1:])])
    for precision, least in AGREE.items():
        found = ExportedModel(folder, precision).vectors(about["passage_prompt"], PROBES)
        worst = float((found * expected).sum(axis=1).min())
        if not worst >= least:
            raise Unsupported(
                f"as {precision} its vectors are not those of the model (cosine {worst:.4f}, not {least})"
            )


def _check(model: Any) -> None:
    """Refuses at once what the graph could not say."""
    first = model[0]
    if type(first).__name__ != "Transformer":
        raise Unsupported(f"its first module is a {type(first).__name__}")
    if any(getattr(first, name, None) for name in ("query_length", "document_length", "query_expansion")):
        raise Unsupported("it treats the length of questions and texts apart")
    if not getattr(model.tokenizer, "is_fast", False):
        raise Unsupported("its tokenizer is not one of `tokenizers`")
    if any(getattr(module, "include_prompt", True) is False for module in model):
        raise Unsupported("it pools without the prompt")
    if not model.max_seq_length:
        raise Unsupported("it names no longest text")


def _split(model: Any, path: Path) -> NDArray[Any]:
    """Writes the graph behind the word embeddings, and returns them, fp16 where that holds them."""
    import torch

    class Body(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.transformer = model[0].auto_model
            self.rest = torch.nn.ModuleList(list(model)[1:])

        def forward(self, embeds: Any, mask: Any) -> Any:
            output = self.transformer(inputs_embeds=embeds, attention_mask=mask)
            features = {"token_embeddings": output.last_hidden_state, "attention_mask": mask}
            for module in self.rest:
                features = module(features)
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)

    words = model[0].auto_model.get_input_embeddings().weight.detach().cpu().float().numpy()
    # Any values do: the trace follows shapes, and not those of the axes named below.
    example = (torch.zeros(2, 7, words.shape[1]), torch.ones(2, 7, dtype=torch.int64))
    if (switch := getattr(model[0].auto_model, "set_attn_implementation", None)) is not None:
        switch("eager")  # its graph is the plain one, which the runtime knows how to make fast
    axes = {"embeds": {0: "texts", 1: "tokens"}, "mask": {0: "texts", 1: "tokens"}, "vectors": {0: "texts"}}
    try:
        with torch.no_grad():
            torch.onnx.export(
                Body().eval(),
                example,
                str(path),
                input_names=["embeds", "mask"],
                output_names=["vectors"],
                dynamic_axes=axes,
                opset_version=OPSET,
                dynamo=False,  # the newer exporter needs another package
            )
    except OSError:
        raise
    except Exception as error:  # every layer below raises its own kinds
        raise Unsupported(_reason(error)) from error
    half = words.astype(np.float16)
    return half if np.allclose(half, words, rtol=1e-3, atol=1e-4) else words


def _quantise(full: Path, small: Path) -> None:
    """Weights of matrices as 8-bit numbers, all but the second of each feed-forward pair, which suffers most.

    One scale a column, and seven of the eight bits: without VNNI, sums of eight-bit products saturate.
    """
    import logging

    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(str(full)).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    down = [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and (shape := shapes.get(node.input[1])) and shape[0] > shape[1]
    ]
    logging.disable(logging.WARNING)  # advice on preprocessing, which the export has done
    try:
        quantize_dynamic(
            full,
            small,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=down,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )
    finally:
        logging.disable(logging.NOTSET)


def _tokenizer(model: Any, folder: Path) -> list[list[int]] | None:
    """Writes the tokenizer, and the pruned one where there is one; the characters that this may see."""
    whole = model.tokenizer.backend_tokenizer.to_str()
    (folder / WHOLE).write_text(whole, encoding="utf-8")
    pruned = prune(whole)
    if pruned is None:
        return None
    (folder / SMALL).write_text(pruned.tokenizer, encoding="utf-8")
    np.save(folder / SMALL_IDS, np.array(pruned.ids, dtype=np.int32))
    return pruned.characters


def _prompt(model: Any, *names: str) -> str:
    """The prompt that sentence-transformers would take."""
    return next((str(model.prompts[name] or "") for name in names if name in model.prompts), "")


def _reason(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def main() -> int:
    """Exports what the arguments name and prints the outcome."""
    from dhu_graph.errors import DhuError

    outcome: dict[str, str] = {}
    try:
        export(sys.argv[1], Path(sys.argv[2]))
    except Unsupported as reason:
        outcome = {"unsupported": str(reason)}
    except DhuError as error:
        outcome = {"failed": error.detail, "hint": error.hint}
    except Exception as error:
        outcome = {"failed": f"The model cannot be exported: {_reason(error)}"}
    print("\n" + json.dumps(outcome))
    return 1 if "failed" in outcome else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""A synthetic catalogue of N records in the format of the starter catalogue, drawn from its real distributions.

Each record takes its fields from several real records: whichever fields one real record has, the values of others. So
frequencies, lengths, vocabulary and the number of triples are about those of the real catalogue. Titles and texts get
their number, so that no two records are alike.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_KEPT = (
    "id",
    "title",
    "start_year",
    "end_year",
    "status",
    "maturity",
    "as_of",
    "title_native",
    "lang_native",
)


def records(count: int, seed: int = 2026) -> Iterator[dict[str, Any]]:
    """The records, one by one; the same for the same seed."""
    real = [
        json.loads(line)
        for path in sorted((ROOT / "ingest/starter/catalogue").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    having: dict[str, list[Any]] = {}
    for record in real:
        for name, value in record.items():
            having.setdefault(name, []).append(value)
    draw = random.Random(seed)
    for number in range(count):
        base = draw.choice(real)
        made = {name: value if name in _KEPT else draw.choice(having[name]) for name, value in base.items()}
        made["id"] = f"synthetic-{number}"
        made["title"] = f"{base['title']} ({number})"
        made["description"] = f"{made['description']} Case {number} of the synthetic catalogue."
        for name in ("needs", "barriers"):
            if name in made:
                made[name] = [{**item, "text": f"{item['text']} ({number})"} for item in made[name]]
        yield made


def write(folder: Path, count: int, seed: int = 2026, changed: float = 0.0) -> Path:
    """A source folder `synthetic` that `engine.ingest(folder=…)` takes; `changed` is the share of records that differ from the plain run."""
    folder.mkdir(parents=True, exist_ok=True)
    starter = ROOT / "ingest/starter"
    (folder / "map.rq").write_text((starter / "map.rq").read_text(encoding="utf-8"), encoding="utf-8")
    toml = (starter / "source.toml").read_text(encoding="utf-8")
    toml = toml.replace('shipped = "catalogue"\n', "").split("[expect]")[0]
    (folder / "source.toml").write_text(toml, encoding="utf-8")
    draw = random.Random(seed + 1)
    with (folder / "all.jsonl").open("w", encoding="utf-8") as out:
        for record in records(count, seed):
            if draw.random() < changed:
                record["description"] += " Changed since."
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    return folder

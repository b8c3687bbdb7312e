"""Writes a synthetic source of any size: `python bench/generate.py N SEED OUT_FOLDER [--bad K] [--changed SHARE]`.

    real record → template (fields present, list lengths, codes) + texts recombined from real sentences → JSONL

Each record depends on (seed, its number) alone: the same call gives the same bytes, and a larger N begins with the
records of a smaller one. Nothing is held but the pools, so memory does not grow with N.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import pools as pools_module
from bench.pools import STARTER, Fields, Pools

NAME = "synthetic"
"""Under this name the source is ingested; `map.rq` names it as the assessor of maturity."""
SEED = 2026
PART = 25_000
"""Records of one file."""
Tell = Callable[[str, int, int], None]
"""Told (step, done, total)."""
_SYLLABLES = ("ba", "de", "ki", "lo", "mu", "na", "po", "ra", "si", "te", "vo", "zu", "ga", "fe", "ri", "do")
_CODES = ("countries", "scope", "region", "nuts", "themes", "target_groups", "care_setting", "audiences", "start_year",
          "end_year", "as_of", "maturity", "read")  # fmt: skip
"""Fields that stay together as they stand in a real record: they depend on each other."""


def write(
    folder: Path,
    count: int,
    seed: int = SEED,
    *,
    bad: int = 0,
    changed: float = 0.0,
    tell: Tell | None = None,
) -> Path:
    """A source folder that `engine.ingest(name, folder=…)` takes: `source.toml`, `map.rq`, `catalogue/*.jsonl`.

    `bad` of the records, evenly spread, break a shape, cannot be read, or use an identifier again. A share of `changed`
    has another description than without. What `folder/catalogue` held before is replaced.
    """
    catalogue = folder / "catalogue"
    catalogue.mkdir(parents=True, exist_ok=True)
    for old in catalogue.glob("*.jsonl"):
        old.unlink()
    mapping = (
        (STARTER / "map.rq").read_text(encoding="utf-8").replace("id/source/starter", f"id/source/{NAME}")
    )
    (folder / "map.rq").write_text(mapping, encoding="utf-8")
    (folder / "source.toml").write_text(_source_toml(count), encoding="utf-8")
    lines = _lines(count, seed, bad, changed)
    for start in range(0, count, PART):
        with (catalogue / f"part-{start // PART:05d}.jsonl").open("w", encoding="utf-8") as out:
            out.writelines(islice(lines, PART))
        if tell:
            tell("generate", min(start + PART, count), count)
    return folder


def records(count: int, seed: int = SEED) -> Iterator[Fields]:
    """The records, one by one."""
    pools = pools_module.read()
    return (record(pools, seed, number) for number in range(count))


def _lines(count: int, seed: int, bad: int, changed: float) -> Iterator[str]:
    spoil_every = count // bad if bad else 0
    change_every = round(1 / changed) if changed else 0
    for number, fields in enumerate(records(count, seed)):
        if change_every and number % change_every == 0:
            fields["description"] += " This sentence was added later."
        turn, rest = divmod(number, spoil_every) if spoil_every else (0, -1)
        spoil = SPOILERS[turn % len(SPOILERS)] if rest == spoil_every - 1 and turn < bad else None
        yield (spoil(fields) if spoil else json.dumps(fields, ensure_ascii=False)) + "\n"


def record(pools: Pools, seed: int, number: int) -> Fields:
    """The record of that number, in the format of the starter catalogue."""
    draw = random.Random(seed * 1_000_003 + number)
    template = draw.choice(pools.templates)
    name = _name(number)
    made: Fields = {"id": f"syn-{number:07d}-{name.lower()}", "kind": template["kind"]}
    made["title"] = f"{name}: {draw.choice(pools.heads)} {draw.choice(pools.tails)}".strip()
    if "title_native" in template and "lang_native" in template:
        made["title_native"] = f"{name} {draw.choice(pools.native[template['lang_native']])}"
        made["lang_native"] = template["lang_native"]
    length = max(1, template["description"].count(". ") + 1)
    made["description"] = f"{name} began as a pilot. " + " ".join(draw.sample(pools.sentences, length))
    made |= {key: template[key] for key in _CODES if key in template}
    for key in pools_module.LISTS:
        if key in template:
            made[key] = list(_items(pools, draw, key, len(template[key]), number))
    if "lead" in template:
        made["lead"] = _lead(pools, draw, number)
    for key in ("status", "notes", "funding", "licence"):
        if key in template:
            made[key] = template[key]
    if "identifier" in template:
        made["identifier"] = f"{template['identifier']}-{number}"
    for key in ("url", "contact"):
        if key in template:
            made[key] = f"{draw.choice(pools.hosts)}?radar={number}"
    return made


def _items(pools: Pools, draw: random.Random, key: str, length: int, number: int) -> Iterator[Any]:
    """Items drawn from all records, each made its own, since equal items of one record would fall together."""
    pool = pools.lists[key]
    for place in range(length):
        item = draw.choice(pool)
        if key in ("needs", "barriers"):
            yield {**item, "text": f"{item['text']} ({_name(number * 7 + place)})"}
        elif key == "evidence":
            yield {**item, "statement": f"{item['statement']} ({_name(number * 5 + place)})"}
        elif key == "uptake":
            yield {
                **item,
                "metric": f"{item['metric']}{f' ({place + 1})' if place else ''}",
                "value": _other(draw, item["value"]),
            }
        elif key == "sources":
            yield {**item, "url": f"{draw.choice(pools.hosts)}?radar={number}-{place}"}
        else:
            yield f"{item} {_name(number + place)}" if key == "partners" else item


def _lead(pools: Pools, draw: random.Random, number: int) -> Fields:
    """An organisation; as in the starter, most lead one record and some lead several."""
    lead = draw.choice(pools.leads)
    return {**lead, "name": f"{lead['name']} {_name(draw.randrange(number + 1))}"}


def _other(draw: random.Random, value: float) -> float | int:
    """A number of about that size."""
    return (
        round(value * draw.uniform(0.5, 1.5))
        if isinstance(value, int)
        else round(value * draw.uniform(0.5, 1.5), 2)
    )


def _name(number: int) -> str:
    """A pronounceable name that no other number has; it makes the words of a large corpus as many as real ones."""
    letters = []
    while True:
        number, rest = divmod(number, len(_SYLLABLES))
        letters.append(_SYLLABLES[rest])
        if not number:
            break
    return "".join(reversed(letters)).capitalize() + "x"


def _source_toml(count: int) -> str:
    text = (STARTER / "source.toml").read_text(encoding="utf-8")
    text = re.sub(
        r"^title = .*$", f'title = "Synthetic catalogue of {count} records"', text, count=1, flags=re.M
    )
    text = re.sub(
        r"^summary = .*$",
        'summary = "Made for benchmarks from the distributions of the starter catalogue; nothing in it is true."',
        text,
        count=1,
        flags=re.M,
    )
    text = re.sub(r"^min = .*$", f"min = {count // 2}", text, count=1, flags=re.M)
    return re.sub(r"^max = .*$", f"max = {count * 2}", text, count=1, flags=re.M)


def _spoiled(**wrong: Any) -> Callable[[Fields], str]:
    return lambda fields: json.dumps({**fields, **wrong}, ensure_ascii=False)


SPOILERS: tuple[Callable[[Fields], str], ...] = (
    _spoiled(kind="practice", start_year=2024, end_year=2003),
    _spoiled(title=""),
    _spoiled(description="Too short."),
    _spoiled(
        uptake=[{"metric": "registered users", "value": -5, "unit": "users", "year": 2020, "place": "Europe"}]
    ),
    _spoiled(funding={"source": "nobody", "amount": 0, "currency": "EUR"}),
    _spoiled(id="syn-0000000-bax"),
    _spoiled(id=""),
    lambda fields: json.dumps(fields, ensure_ascii=False)[:-20],
)
"""Ways for a record to be bad: each must reach quarantine. The identifier used again is that of record 0."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Writes a synthetic source folder for benchmarks.")
    parser.add_argument("count", type=int, metavar="N")
    parser.add_argument("seed", type=int, metavar="SEED")
    parser.add_argument("folder", type=Path, metavar="OUT_FOLDER")
    parser.add_argument(
        "--bad", type=int, default=0, metavar="K", help="Plant K records that must reach quarantine."
    )
    parser.add_argument(
        "--changed", type=float, default=0.0, metavar="SHARE", help="Change this share of the records."
    )
    given = parser.parse_args()
    print(write(given.folder, given.count, given.seed, bad=given.bad, changed=given.changed))


if __name__ == "__main__":
    main()

"""All settings, in one place: flags over `DHU_*` variables over `dhu.toml` over the defaults below."""

import os
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from dhu_graph.errors import BadInput

DEFAULT_BASE = "https://w3id.org/dhu/"


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dhu-graph"


class Settings(BaseSettings):
    """What can be set. Reading settings creates no folder and opens no file but `dhu.toml`."""

    model_config = SettingsConfigDict(env_prefix="DHU_", toml_file="dhu.toml", extra="forbid", frozen=True)

    data: Path = Field(Path("dhu-data"), description="Folder of releases, source states and quarantine.")
    cache: Path = Field(
        default_factory=_cache_home,
        description="Folder of unpacked models and cached embeddings; may be deleted.",
    )
    base: str = Field(
        DEFAULT_BASE,
        pattern=r"^https?://[^\s<>\"]+[/#]$",
        description="Root of all IRIs that this radar mints.",
    )

    model: str = Field(
        "packaged",
        description="`packaged` (multilingual-e5-small, no download), or any sentence-transformers model by name or folder.",
    )
    precision: Literal["int8", "fp32"] = Field(
        "int8",
        description="How the model counts: `int8` is faster and smaller, `fp32` exact. A release remembers it.",
    )
    query_prompt: str | None = Field(
        None, description="Put before each question; default: the model's own prompt."
    )
    passage_prompt: str | None = Field(
        None, description="Put before each text; default: the model's own prompt."
    )
    link: bool = Field(True, description="Make one resource of what several records tell of one thing.")
    embed: bool = Field(True, description="Build the vector index; without it, search is by words alone.")

    host: str = Field("127.0.0.1", description="Address to serve on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to serve on; 0 takes a free one.")

    sparql_timeout: float = Field(20.0, gt=0, description="Seconds of wall clock for one query.")
    sparql_memory_mb: int = Field(
        2048,
        ge=256,
        description="Memory that one query may use, in MB, beside what its worker needs for the store.",
    )
    sparql_result_mb: int = Field(64, ge=1, description="Largest answer to one query, in MB.")
    sparql_workers: int = Field(2, ge=1, description="Queries evaluated at the same time.")
    sparql_length: int = Field(50_000, ge=100, description="Longest query accepted, in characters.")

    contribution_queue_max: int = Field(
        1_000, ge=1, description="How many contributions may wait for a moderator at once."
    )
    contribution_organisation_max: int = Field(
        200, ge=1, description="How many of them may be of one organisation."
    )
    contribution_file_mb: int = Field(
        10, ge=1, le=100, description="Largest file that a contributor may send, in MB."
    )
    contribution_rows: int = Field(2_000, ge=1, description="Most rows in such a file.")
    write_key: SecretStr = Field(
        SecretStr(""),
        description="Key that moderators send over HTTP (`Authorization: Bearer …`); empty turns moderation over HTTP off.",
    )

    keep_releases: int = Field(5, ge=1, description="How many releases `dhu releases prune` keeps.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**flags: object) -> Settings:
    """Settings with the given flags on top. Raises BadInput naming each wrong setting."""
    try:
        return Settings(**{k: v for k, v in flags.items() if v is not None})  # type: ignore[arg-type]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(
            f"dhu.toml cannot be read: {error}.", "Mend the line named, or remove the file."
        ) from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput(
            f"Settings cannot be used: {wrong}.", "Mend the flag, the DHU_ variable or the line in dhu.toml."
        ) from None

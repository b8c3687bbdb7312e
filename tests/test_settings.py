"""Settings: flags over variables over `dhu.toml` over defaults, and each mistake by its name."""

import os
from pathlib import Path

import pytest

from dhu_graph import settings
from dhu_graph.errors import BadInput


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without `dhu.toml`, and no variable of ours."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("DHU_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_defaults_serve_on_loopback_and_create_nothing(tmp_path: Path) -> None:
    s = settings.load()
    assert (s.host, s.base, s.model, s.embed) == ("127.0.0.1", settings.DEFAULT_BASE, "packaged", True)
    assert not list(tmp_path.iterdir())


def test_flags_go_over_variables_over_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dhu.toml").write_text("port = 1111\nsparql_workers = 7\nkeep_releases = 9\n")
    monkeypatch.setenv("DHU_PORT", "2222")
    monkeypatch.setenv("DHU_SPARQL_WORKERS", "8")
    s = settings.load(port=3333, host=None)
    assert (s.port, s.sparql_workers, s.keep_releases, s.host) == (3333, 8, 9, "127.0.0.1")


def test_the_cache_follows_the_standard_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    assert settings.load().cache == tmp_path / "c" / "dhu-graph"
    monkeypatch.setenv("DHU_CACHE", str(tmp_path / "d"))
    assert settings.load().cache == tmp_path / "d"


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({"port": 70_000}, "port"),
        ({"port": "http"}, "port"),
        ({"sparql_timeout": 0}, "sparql_timeout"),
        ({"sparql_workers": 0}, "sparql_workers"),
        ({"keep_releases": 0}, "keep_releases"),
        ({"base": "https://x.example.org"}, "base"),
        ({"base": "urn:x/"}, "base"),
        ({"base": "https://x.example.org/> <y/"}, "base"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(flags: dict[str, object], name: str) -> None:
    with pytest.raises(BadInput, match=f"Settings cannot be used: {name}: "):
        settings.load(**flags)


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHU_PORT", "-1")
    with pytest.raises(BadInput, match=r"(?=.*port)(?=.*sparql_length)"):
        settings.load(sparql_length=1)


@pytest.mark.parametrize(
    "content", [b"port = 99999", b"colour = 'red'", b"port = ", b"\xff\xfe\x00", b"[port]\nx = 1"]
)
def test_a_file_that_cannot_be_used_is_bad_input(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "dhu.toml").write_bytes(content)
    with pytest.raises(BadInput):
        settings.load()


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.load().port = 1  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    for name, field in settings.Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name

"""What docs/ says of settings and commands is what the code has."""

from pathlib import Path

from config.reference import reference
from config.sources import PREFIX
from entrypoints.cli.manual import written
from entrypoints.cli.root import cli

DOCS = Path(__file__).parents[2] / "docs"


def test_the_settings_are_documented() -> None:
    """After a change: `posthorn config reference`, below "Every setting"."""
    assert (DOCS / "configuration.md").read_text().endswith(reference())


def test_the_examples_of_the_settings_can_be_loaded(tmp_path: Path) -> None:
    from config.load import load

    text = (DOCS / "configuration.md").read_text()
    (tmp_path / "posthorn.toml").write_text(text.partition("```toml\n")[2].partition("```")[0])
    loaded = load({}, path=tmp_path / "posthorn.toml")
    assert loaded.settings.db.url is not None
    assert "mailer" in loaded.settings.providers
    assert f"{PREFIX}DB__URL" in text


def test_the_commands_are_documented() -> None:
    """After a change: `posthorn manual > docs/cli.md`."""
    assert (DOCS / "cli.md").read_text() == written(cli)

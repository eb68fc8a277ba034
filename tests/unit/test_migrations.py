"""Migrations stand in one line: whoever lands second takes the next number."""

from alembic.script import ScriptDirectory

from adapters.postgres.core.migrate import SCRIPTS


def test_there_is_one_head_and_every_file_bears_its_number() -> None:
    line = list(ScriptDirectory(str(SCRIPTS)).walk_revisions())
    numbers = [f"{n:04}" for n in range(len(line), 0, -1)]
    assert [script.revision for script in line] == numbers
    assert [script.module.__name__.removeprefix("m")[:4] for script in line] == numbers

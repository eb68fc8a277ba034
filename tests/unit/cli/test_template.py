"""`posthorn template check`: what a template in a file comes to, without any server."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from entrypoints.cli.root import cli

SMS: dict[str, Any] = {
    "id": "shipped_sms",
    "name": "Shipped",
    "channelType": "sms",
    "bodyTemplate": "Order {{ orderId }} – it’s on its way",
    "variables": {"orderId": {}},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shipped.json"


def check(file: Path, *more: str, **changes: Any) -> Result:
    file.write_text(json.dumps({**SMS, **changes}))
    return CliRunner().invoke(cli, ["template", "check", str(file), *more], prog_name="posthorn")


def test_a_text_message_has_segments(file: Path) -> None:
    done = check(file, "--with", "orderId=A-7")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == ["body: Order A-7 – it’s on its way", "1 segment, gsm7"]


def test_the_character_that_costs_is_named(file: Path) -> None:
    done = check(file, bodyTemplate="Thank you 谢谢" + " and more" * 8, variables={})
    assert "2 segments, ucs2: '谢' at character 11 is not in GSM-7" in done.stdout


def test_more_than_ten_segments_are_refused(file: Path) -> None:
    done = check(file, "--with", f"orderId={'x' * 1_600}")
    assert done.exit_code == 1
    assert "the text has 11 segments, and 10 is the most" in done.stdout


def test_what_it_needs_is_named(file: Path) -> None:
    done = check(file)
    assert done.exit_code == 0
    assert "give orderId by --with" in done.stdout


def test_what_is_wrong_is_named(file: Path) -> None:
    done = check(file, bodyTemplate="{{ order }}", parts={"link": "x"})
    assert done.exit_code == 1
    assert "/parts/link: there is no such part on sms" in done.stdout
    assert "/body: line 1" in done.stdout


def test_what_could_not_be_sent_is_named(file: Path) -> None:
    done = check(file, channelType="email", subjectTemplate="x", parts={"sender": "nobody"})
    assert done.exit_code == 1
    assert "/parts/sender: no sender has the name 'nobody': none is configured" in done.stdout
    done = check(file, bodyTemplate=None)
    assert "/body: a text message needs a body" in done.stdout


def test_for_programs(file: Path) -> None:
    shown = json.loads(check(file, "--json", "--with", "orderId=7").stdout)
    assert shown["sms"] == {"encoding": "gsm7", "segments": 1, "foreign": None}
    assert shown["rendered"]["body"] == "Order 7 – it’s on its way"


def test_a_file_that_is_no_template(file: Path) -> None:
    file.write_text("{}")
    done = CliRunner().invoke(cli, ["template", "check", str(file)], prog_name="posthorn")
    assert done.exit_code == 2
    assert "is no template: " in done.stderr

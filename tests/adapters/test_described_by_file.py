"""A provider of the configuration that a file describes."""

from pathlib import Path

import msgspec
import pytest

from adapters.providers.described.http.gateway import HttpDescriptionSettings
from config.catalog import load_presets
from config.load import load
from domain.kernel.errors import Misconfigured
from domain.provider.outcome import Accepted
from tests.contract.gateway import message
from tests.contract.http_gateway import closing
from tests.contract.test_gateway import CONTEXT
from tests.support.answering import Said, answering

TOML = """
url = "{{ variables.api }}/send"
variables = { api = "%s" }
reference = { at = "/id" }
body = { kind = "form", fields = { to = "{{ message.address }}", text = "{{ message.body }}" } }
"""


async def test_it_leads_where_the_operator_says(tmp_path: Path) -> None:
    async with answering(Said(200, {"id": 7})) as service:
        path = tmp_path / "pigeon.toml"
        path.write_text(TOML % service.url)
        settings = HttpDescriptionSettings(description=path)
        assert list(settings.faults()) == []
        async with closing(settings.gateway(CONTEXT)) as gateway:
            assert await gateway.send(message(body="a&b")) == Accepted("7")
    assert service.asked[0].body == b"to=ada%40shop.test&text=a%26b"


@pytest.mark.parametrize("preset", load_presets(), ids=lambda preset: preset.name)
def test_a_preset_can_be_such_a_file(tmp_path: Path, preset: object) -> None:
    path = tmp_path / "preset.json"
    path.write_bytes(msgspec.json.encode(preset.description))  # type: ignore[attr-defined]  # of a ProviderPreset
    assert list(HttpDescriptionSettings(description=path).faults()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("url = ", "cannot be read"),
        ('url = "https://x.test/"', "body"),
        (TOML % "https://{{ message.address }}", "/url"),
        (TOML.replace("message.body", "message.bodi") % "https://x.test", "/body/fields/text"),
    ],
)
def test_what_is_wrong_with_it_is_told_with_its_key(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "pigeon.toml"
    if content is not None:
        path.write_text(content)
    configuration = tmp_path / "posthorn.toml"
    configuration.write_text(f'[providers.pigeon]\nkind = "http"\ndescription = "{path}"\n')
    with pytest.raises(Misconfigured) as refused:
        load({}, path=configuration)
    assert str(refused.value).startswith("providers.pigeon.description is")
    assert said in str(refused.value)


def test_without_a_file_it_says_so(tmp_path: Path) -> None:
    configuration = tmp_path / "posthorn.toml"
    configuration.write_text('[providers.pigeon]\nkind = "http"\n')
    with pytest.raises(Misconfigured, match=r"providers.pigeon.description is not set"):
        load({}, path=configuration)

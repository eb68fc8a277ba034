"""The floors have no folder that is no room, and one that is none is found."""

from pathlib import Path

import pytest

from tests.architecture.rooms import COMING, FLOORS, ROOMS, breaches

ROOT = Path(__file__).parents[2]


def test_every_room_has_one_name_and_is_needed_somewhere() -> None:
    assert not ROOMS.keys() & COMING.keys()
    for name in ROOMS:
        assert any((ROOT / floor.path / name).is_dir() for floor in FLOORS), name


def test_every_further_name_is_there() -> None:
    for floor in FLOORS:
        for name in floor.besides:
            assert (ROOT / floor.path / name).exists() or (ROOT / floor.path / f"{name}.py").exists(), name


@pytest.mark.parametrize("floor", [floor.path for floor in FLOORS])
def test_a_folder_that_is_no_room_is_found(floor: str, tmp_path: Path) -> None:
    _plant(tmp_path / floor / "misc" / "deep" / "module.py")
    [found] = breaches(tmp_path)
    assert found.startswith(f"{floor}/misc: ")


@pytest.mark.parametrize("floor", [floor.path for floor in FLOORS if floor.modules])
def test_a_module_outside_any_room_is_found(floor: str, tmp_path: Path) -> None:
    _plant(tmp_path / floor / "helpers.py")
    [found] = breaches(tmp_path)
    assert found.startswith(f"{floor}/helpers.py: ")


def test_rooms_are_in_order_those_to_come_too(tmp_path: Path) -> None:
    for floor in FLOORS:
        _plant(tmp_path / floor.path / "__init__.py")
        for name in (*ROOMS, *COMING, *floor.besides):
            _plant(tmp_path / floor.path / name / "module.py")
    assert list(breaches(tmp_path)) == []


def _plant(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('"""Docstring."""\n')

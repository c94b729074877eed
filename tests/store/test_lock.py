"""Whose a database file is, and what is known of how it was left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

from hubbub.settings import Settings
from hubbub.store import lock
from hubbub.store.database import UnusableError
from hubbub.store.lock import Lock
from hubbub.store.sqlite import SqliteStore
from tests.server import house
from tests.store.kinds import keep, new_epoch, say


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What names this run of the machine."""
    file = tmp_path / "boot"
    file.write_text("first-run\n")
    monkeypatch.setattr(lock, "BOOT", file)
    return file


def opened(folder: Path, sync: Literal["normal", "full"] = "normal") -> SqliteStore:
    return SqliteStore(folder / "chat.db", Settings(sync=sync), new_epoch)


def killed(store: SqliteStore) -> None:
    """The process is gone, without having closed anything."""
    store._reader.close()
    store._db.close()
    store._lock.abandon()


def epoch_after(folder: Path, sync: Literal["normal", "full"] = "normal") -> str:
    store = opened(folder, sync)
    epoch = store.open("red", 0).epoch
    store.close()
    return epoch


def test_after_a_power_cut_a_log_that_may_have_lost_its_end_is_another(
    tmp_path: Path, boot: Path
) -> None:
    store = opened(tmp_path)
    keep(store, say("a"), say("b", log="blue"))
    epochs = [store.open(room, 0).epoch for room in ("red", "blue")]
    killed(store)
    boot.write_text("second-run\n")
    store = opened(tmp_path)
    assert store.was_cut
    anew = [store.open(room, 0).epoch for room in ("red", "blue")]
    assert len({*epochs, *anew}) == 4
    assert keep(store, say("c")) == [2], "the numbers go on"
    store.close()
    assert epoch_after(tmp_path) == anew[0], "once is enough"


def test_with_full_sync_nothing_was_lost(tmp_path: Path, boot: Path) -> None:
    store = opened(tmp_path, "full")
    keep(store, say("a"))
    epoch = store.open("red", 0).epoch
    killed(store)
    boot.write_text("second-run\n")
    assert epoch_after(tmp_path) == epoch


def test_a_kill_loses_nothing(tmp_path: Path, boot: Path) -> None:
    store = opened(tmp_path)
    keep(store, say("a"))
    epoch = store.open("red", 0).epoch
    killed(store)
    assert epoch_after(tmp_path) == epoch


def test_what_was_closed_well_lost_nothing(tmp_path: Path, boot: Path) -> None:
    store = opened(tmp_path)
    keep(store, say("a"))
    epoch = store.open("red", 0).epoch
    store.close()
    boot.write_text("second-run\n")
    assert epoch_after(tmp_path) == epoch


def test_who_only_had_the_file_in_between_hides_nothing(tmp_path: Path, boot: Path) -> None:
    store = opened(tmp_path)
    keep(store, say("a"))
    epoch = store.open("red", 0).epoch
    killed(store)
    boot.write_text("second-run\n")
    for _ in range(2):
        held = Lock(tmp_path / "chat.db")
        assert held.was_cut
        held.release()
    assert epoch_after(tmp_path) != epoch


def test_where_a_machine_does_not_name_its_runs_none_is_told_from_another(
    tmp_path: Path, boot: Path
) -> None:
    boot.unlink()
    store = opened(tmp_path)
    keep(store, say("a"))
    epoch = store.open("red", 0).epoch
    killed(store)
    assert epoch_after(tmp_path) == epoch


def test_a_file_is_one_process_at_a_time(tmp_path: Path) -> None:
    held = Lock(tmp_path / "chat.db")
    with pytest.raises(UnusableError, match=rf"in use by another Hubbub \(process {os.getpid()}\)"):
        Lock(tmp_path / "chat.db")
    held.release()
    Lock(tmp_path / "chat.db").release()


@pytest.fixture
def cut(tmp_path: Path, boot: Path) -> str:
    """A store with three events, left by a power cut; its epoch."""
    store = opened(tmp_path)
    keep(store, say("a"), say("b"), say("c"))
    epoch = store.open("red", 0).epoch
    killed(store)
    boot.write_text("second-run\n")
    return epoch


async def test_who_comes_back_after_a_power_cut_is_told_that_it_is_another_log(
    tmp_path: Path, cut: str
) -> None:
    async with house(store=f"sqlite:{tmp_path / 'chat.db'}") as here, here.client() as ann:
        await ann.say("join", room="red", username="ann", since=2, epoch=cut)
        welcome = await ann.until("welcome")
        assert welcome["reset"] is True
        assert [event["text"] for event in welcome["history"]] == ["a", "b", "c"]

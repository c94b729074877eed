"""A storm over one server with a SQLite file."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from tests.torture.picture import check
from tests.torture.server import Victim
from tests.torture.storm import Storm
from tests.torture.verdict import Log


class Alone(Storm):
    def __init__(self, seed: int, folder: Path, sync: str | None = None) -> None:
        super().__init__(seed)
        self.flags["sync"] = sync or self.dice.choice(["normal", "normal", "full"])
        self.file = folder / "chat.db"
        self.victim = Victim(folder, "server", f"sqlite:{self.file}", self.flag_list())

    async def begin(self) -> None:
        await self.victim.start()

    def door(self, dice: random.Random) -> int:
        return self.victim.port

    async def haunt(self, seconds: float) -> None:
        """The server dies, again and again."""
        dice = self._dice("deaths")
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            await asyncio.sleep(min(dice.expovariate(1 / self.calm), end - now))
            if dice.random() < 0.8:
                await self.victim.kill()
            else:
                await self._stop()
            await self.victim.start()

    async def _stop(self) -> None:
        """SIGTERM; leaves one file."""
        await self.victim.stop()
        left = sorted(path.name for path in self.file.parent.glob("chat.db*"))
        check(left == ["chat.db", "chat.db.lock"], "the files after a stop are", left)

    async def look(self) -> Log:
        await self._stop()
        await self.victim.start()
        return Log().read(self.file)

    async def stop(self) -> Log:
        await self._stop()
        return Log().read(self.file)

    async def put_down(self) -> None:
        await self.victim.put_down()

    def told(self) -> str:
        return f"{self.victim.kills} kills"

"""What someone hears who comes in: as a newcomer, or as one who comes back."""

from __future__ import annotations

from hubbub.chat.session import Again, Enter
from hubbub.delivery.feed import Feed
from hubbub.protocol.outgoing import Gap, Welcome


def welcome(feed: Feed, effect: Enter | Again, first: int) -> Welcome:
    """The welcome of a newcomer, with the room's last messages, as far as they are still kept.

    `first` is the oldest `seq` that is.
    """
    present = effect.present or effect.room.present()
    return Welcome(
        room=feed.name,
        username=effect.member.name,
        users=present.users,
        count=present.count,
        seq=feed.log.seq,
        epoch=feed.epoch,
        session=effect.session.secret or None,
        history=feed.latest(first),
        id=effect.id,
        names=present.names,
        guests=present.guests,
    )


def resume(frame: Welcome, since: int, epoch: str | None, first: int) -> int:
    """Make a welcome one of coming back after `since`; gives the `seq` after which events follow.

    `first` is the oldest `seq` that is still kept. Another log, or a future that it has not, is
    told as a reset: then the welcome stays a newcomer's.
    """
    head = frame.seq
    if since > head or (epoch is not None and epoch != frame.epoch):
        frame.reset = True
        return head
    frame.history = None
    first = min(first, head + 1)
    if first > since + 1:
        frame.gap = Gap(since + 1, first - 1)
    return max(since, first - 1)

"""The messages of a block one by one, for tests of the reading side."""

from __future__ import annotations

from collections.abc import Iterable

from ltp.feed.frames import MessageBlock


def cut_apart(messages: Iterable[bytes | MessageBlock]) -> list[bytes]:
    """Return the messages, those of a block one by one."""
    single: list[bytes] = []
    for message in messages:
        if isinstance(message, MessageBlock):
            block, gap, size = message
            step = gap + size
            single += [block[end - size : end] for end in range(step, len(block) + 1, step)]
        else:
            single.append(message)
    return single

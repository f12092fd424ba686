"""An answer to many rows, cut where each of its proposals begins and ends, without reading any of it as JSON.

As in `quick`: that a piece is a proposal shows once the store's row has the same digest, and not before.
"""

from __future__ import annotations

from typing import Final

from orchestration.ledger.links import members

_NAME: Final = b'"proposals":'
"""In a text it would stand with its quotes escaped."""
_QUOTE: Final = b'"'[0]
_LAST: Final = b'"}}'
_ENDS: Final = frozenset({_LAST, b'"},'})
"""What comes behind a proposal's last value: the end of all of them, or the next one."""


def cut_answer(payload: bytes) -> tuple[list[tuple[str, str, bytes]], str] | None:
    """Each proposal of an answer, with its action and row, and the payload without them; none if it has another form.

    Each has the name of its row behind all else. Where it ends is where that does, if the store's row has its digest.
    """
    begin = payload.find(_NAME + b'{"')
    if payload.count(_NAME) != 1:  # a name that comes twice is read as what stands behind the last of them
        return None
    if begin < 1 or not (begin == 1 or members(payload[: begin - 1].decode() + "}")):  # else it is within another part
        return None
    found: list[tuple[str, str, bytes]] = []
    at = begin + len(_NAME) + 1
    while (colon := payload.find(b'":{"', at)) >= 0 and (row := payload.find(b',"row_id":"', colon)) >= 0:
        end = payload.find(b'"', row + 11)
        action, row_id, last = payload[at + 1 : colon], payload[row + 11 : end], payload[end : end + 3]
        if payload[at] != _QUOTE or b"\\" in action or b"\\" in row_id or b'"' in action or last not in _ENDS:
            return None
        found.append((action.decode(), row_id.decode(), payload[colon + 2 : end + 2]))
        at = end + 3
        if last == _LAST:
            return found, (payload[:begin] + _NAME + b"{}" + payload[at:]).decode()
    return None

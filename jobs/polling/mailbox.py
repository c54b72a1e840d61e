"""A mailbox, through which one thread hands items to another.

The receiver is woken for the first item and for a full batch, not for each item.
"""

from collections import deque
from threading import Event


class Mailbox[T]:
    """Items in the order they came. Any number of threads put; one takes."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._has_enough = Event()
        self._needed = 1  # items that wake the receiver

    def put(self, item: T) -> None:
        """Hand over an item."""
        self._items.append(item)
        if len(self._items) >= self._needed:
            self._has_enough.set()

    def take(self, limit: int, *, wait: float, linger: float) -> list[T]:
        """The items that are there, at most `limit`.

        Units: `wait` and `linger` in seconds: for the first item, and then for more.
        """
        if self._wait_for(1, wait):
            self._wait_for(limit, linger)
        return [self._items.popleft() for _ in range(min(limit, len(self._items)))]

    def _wait_for(self, needed: int, seconds: float) -> bool:
        self._needed = needed
        self._has_enough.clear()
        # Only now: an item that is put after this look finds what is needed.
        return len(self._items) >= needed or (seconds > 0 and self._has_enough.wait(seconds))

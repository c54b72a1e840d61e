"""What one thread hands to another, who is woken for the first piece and for a full batch, not for each."""

from collections import deque
from threading import Event


class Mail[T]:
    """Pieces in the order they came. Any threads put; one takes."""

    def __init__(self) -> None:
        self._pieces: deque[T] = deque()
        self._enough, self._wanted = Event(), 1

    def put(self, piece: T) -> None:
        """Hand over a piece."""
        self._pieces.append(piece)
        if len(self._pieces) >= self._wanted:
            self._enough.set()

    def take(self, most: int, *, wait: float, linger: float) -> list[T]:
        """What is there, a batch of `most` at most; waits so many seconds for the first piece, and then lingers for others."""
        if self._await(1, wait):
            self._await(most, linger)
        return [self._pieces.popleft() for _ in range(min(most, len(self._pieces)))]

    def _await(self, wanted: int, seconds: float) -> bool:
        self._wanted = wanted
        self._enough.clear()
        # Only now: a piece that is put after this look finds what is wanted.
        return len(self._pieces) >= wanted or (seconds > 0 and self._enough.wait(seconds))

"""One event loop a process, in a thread of its own, where GES is asked: its connections stay open from call to call."""

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import uvloop

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_at_end: list[Callable[[], Awaitable[None]]] = []
STOP_SECONDS = 2


def running() -> asyncio.AbstractEventLoop:
    """The loop, started on first use."""
    global _loop, _thread
    with _lock:
        if _loop is None:
            _loop = uvloop.new_event_loop()
            _thread = threading.Thread(target=_loop.run_forever, name="ges", daemon=True)
            _thread.start()
        return _loop


def call[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives or raises, run on the loop while this thread waits."""
    return asyncio.run_coroutine_threadsafe(coroutine, running()).result()


def break_off() -> None:
    """End all calls that are under way; those who wait for one get CancelledError."""
    with _lock:
        loop = _loop
    if loop is not None:
        loop.call_soon_threadsafe(lambda: [call.cancel() for call in asyncio.all_tasks(loop)])


def at_end(close: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Have this done on the loop before it ends."""
    _at_end.append(close)
    return close


@atexit.register
def stop() -> None:
    """End the loop; the next use starts another."""
    global _loop, _thread
    with _lock:
        loop, thread, _loop, _thread = _loop, _thread, None, None
    if loop is None or thread is None:
        return

    async def end() -> None:
        for close in _at_end:
            await close()
        loop.stop()

    asyncio.run_coroutine_threadsafe(end(), loop)
    thread.join(STOP_SECONDS)
    if not thread.is_alive():
        loop.close()


def _forget() -> None:
    """A forked process has no such thread, and the connections are its parent's."""
    global _lock, _loop, _thread
    _lock, _loop, _thread = threading.Lock(), None, None


os.register_at_fork(after_in_child=_forget)

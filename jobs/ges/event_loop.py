"""One event loop per process, in a thread of its own, on which GES is called.

Connections stay open from call to call. A forked process starts a loop of its own on first use.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import uvloop

STOP_SECONDS = 2

#: Process-wide, as all threads share the loop's connections; `stop` ends it, between tests too.
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_closers: list[Callable[[], Awaitable[None]]] = []


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
    """Run the coroutine on the loop while this thread waits; return or raise what it does."""
    return asyncio.run_coroutine_threadsafe(coroutine, running()).result()


def cancel_calls() -> None:
    """Cancel all calls under way; whoever waits for one gets CancelledError."""
    with _lock:
        loop = _loop
    if loop is not None:
        loop.call_soon_threadsafe(lambda: [call.cancel() for call in asyncio.all_tasks(loop)])


def at_end(close: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Have `close` run on the loop before it ends; a decorator."""
    _closers.append(close)
    return close


@atexit.register
def stop() -> None:
    """End the loop; the next use starts another."""
    global _loop, _thread
    with _lock:
        loop, thread = _loop, _thread
        _loop = _thread = None
    if loop is None or thread is None:
        return

    async def end() -> None:
        for close in _closers:
            await close()
        loop.stop()

    asyncio.run_coroutine_threadsafe(end(), loop)
    thread.join(STOP_SECONDS)
    if not thread.is_alive():
        loop.close()


def _forget_parents_loop() -> None:
    """A forked process does not have the thread, and the connections are its parent's."""
    global _lock, _loop, _thread
    _lock = threading.Lock()
    _loop = _thread = None


os.register_at_fork(after_in_child=_forget_parents_loop)

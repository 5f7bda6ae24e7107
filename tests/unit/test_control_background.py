"""The worker thread: in order, with outcomes handed over inside the loop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from apid.control.background import Background


class WatchingLoop:
    """Calls the handler when the test says so; reading waits for the worker."""

    def __init__(self) -> None:
        self.handler: Callable[[int], None] = lambda _events: None

    def watch(self, descriptor: int, handler: Callable[[int], None]) -> None:
        os.set_blocking(descriptor, True)
        self.handler = handler


@pytest.fixture
def scene() -> Any:
    loop = WatchingLoop()
    background = Background(loop)  # type: ignore[arg-type]
    yield loop, background
    background.close(5.0)


def fail() -> None:
    raise OSError("no such thing")


def test_results_come_in_order_and_in_the_thread_of_the_loop(scene: Any) -> None:
    loop, background = scene
    got: list[Any] = []
    threads: set[str] = set()

    def done(result: Any, error: Exception | None) -> None:
        got.append((result, error))
        threads.add(threading.current_thread().name)

    for number in range(5):
        background.do(lambda number=number: number * number, done)
    while len(got) < 5:
        loop.handler(0)
    assert got == [(0, None), (1, None), (4, None), (9, None), (16, None)]
    assert threads == {threading.main_thread().name}


def test_an_expected_error_is_an_outcome(scene: Any) -> None:
    loop, background = scene
    got: list[Any] = []
    background.do(fail, lambda result, error: got.append(error), (OSError,))
    loop.handler(0)
    assert [str(error) for error in got] == ["no such thing"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_expected_ends_the_process(scene: Any) -> None:
    loop, background = scene
    background.do(fail, lambda result, error: None, (KeyError,))
    with pytest.raises(RuntimeError, match="background thread"):
        loop.handler(0)

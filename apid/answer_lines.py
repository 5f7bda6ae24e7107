"""The lines of an answer of control, put together again from the parts in which they travel."""

from __future__ import annotations

from bus.schema import Answer


class AnswerLines:
    """The lines of one answer."""

    def __init__(self) -> None:
        self._beginning: list[str] = []  # of a line that goes on in the next part

    def take(self, answer: Answer) -> list[str]:
        """Take a part; return the lines that are whole with it."""
        *lines, last = answer.lines or [""]
        whole = []
        for line in lines:
            whole.append("".join([*self._beginning, line]))
            self._beginning = []
        self._beginning.append(last)
        if answer.lines and not answer.unfinished:
            whole.append("".join(self._beginning))
            self._beginning = []
        return whole

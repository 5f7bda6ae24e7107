"""The helper of both speakers: writes the commands of a file one by one, keeps whatever it reads.

usage: program.py DIRECTORY, with DIRECTORY/commands (a line each; `@sleep SECONDS` and `@go` are for this program) and
DIRECTORY/lines, where `> command` and everything read is written. `@go` waits for the file DIRECTORY/go.
"""

import os
import select
import sys
import time

ANSWER_SECONDS = 3.0


class Helper:
    """Reads and writes by turns, so that answers stand behind their commands."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.rest = b""
        self.log = os.open(f"{directory}/lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def read(self, seconds: float, until_answer: bool) -> None:
        """Take lines for so long, or until an answer has come."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([0], [], [], left)[0]:
                return
            data = os.read(0, 1 << 16)
            if not data:
                os._exit(0)
            os.write(self.log, data)
            *lines, self.rest = (self.rest + data).split(b"\n")
            if until_answer and (b"done" in lines or b"error" in lines):
                return

    def run(self) -> None:
        """Carry out the file, then only listen."""
        with open(f"{self.directory}/commands") as file:
            commands = file.read().splitlines()
        for command in commands:
            word, _, argument = command.partition(" ")
            if word == "@sleep":
                self.read(float(argument), until_answer=False)
            elif word == "@go":
                while not os.path.exists(f"{self.directory}/go"):
                    self.read(0.05, until_answer=False)
            elif word == "@quick":
                self.say(argument)
                self.read(0.3, until_answer=True)
            else:
                self.say(command)
                self.read(ANSWER_SECONDS, until_answer=True)
        open(f"{self.directory}/finished", "w").close()
        while True:
            self.read(60, until_answer=False)

    def say(self, command: str) -> None:
        """Write one command."""
        os.write(self.log, f"> {command}\n".encode())
        data = f"{command}\n".encode()
        while data:
            data = data[os.write(1, data) :]


if __name__ == "__main__":
    Helper(sys.argv[1]).run()

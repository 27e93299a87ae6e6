# SPDX-License-Identifier: Apache-2.0
"""Keeps the processes that speak to the reader service: one that watches, and one for each card that is read.

A card or reader that hangs costs its process and nothing else: after `READ_S` it is ended, which closes its connection,
and the reader is left alone until the card is taken off. A watching process that falls silent is replaced.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

from node.card import reading
from node.card.board import EMPTY, PROBLEM, READ, READING, Board
from node.card.pcsc_watch import SAY_AT_LEAST_MS
from node.card.problems import WORDS

READ_S = 4.0  # a slow card takes 1.5 s; beyond this something hangs
SILENCE_S = 3 * SAY_AT_LEAST_MS / 1000
AGAIN_S = 1.0
TRIES = 2  # a card just laid down may bounce

log = logging.getLogger("township.node")


class PcscDriver:
    """Watches and reads until stopped. `environment`: where the reader service is, when it is not the usual one."""

    def __init__(
        self,
        board: Board,
        *,
        environment: Mapping[str, str] | None = None,
        read_s: float = READ_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._board = board
        self._environment = {**os.environ, **(environment or {})}
        self._read_s, self._silence_s = read_s, silence_s
        self._stopping = threading.Event()
        self._live: set[subprocess.Popen[str]] = set()
        self._readers: dict[str, _Reader] = {}
        self._spares: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="card watch", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._spares.put(self._process("pcsc_read"))
        self._thread.start()

    def stop(self) -> None:
        """End every process and thread."""
        self._stopping.set()
        for process in list(self._live):
            process.kill()
        self._thread.join()
        for reader in self._readers.values():
            reader.thread.join()
        while not self._spares.empty():
            self._end(self._spares.get())

    def read(self, name: str, counted: int) -> dict[str, Any]:
        """One card in a process of its own: {"card": …} or {"problem": code}. Ends in `read_s` whatever happens."""
        process = self._spares.get()
        if process.poll() is not None:
            process = self._process("pcsc_read")
        self._spares.put(self._process("pcsc_read"))  # ready for the next card, so that nobody waits for it to start
        try:
            said, _ = process.communicate(json.dumps({"reader": name, "counted": counted}) + "\n", self._read_s)
            answer: dict[str, Any] = json.loads(said)
            return answer
        except subprocess.TimeoutExpired:
            return {"problem": "hung"}
        except ValueError:  # it died: a broken library or no memory
            return {"problem": "disturbed"}
        finally:
            self._end(process)

    def _run(self) -> None:
        while not self._stopping.is_set():
            watcher = self._process("pcsc_watch")
            try:
                self._follow(watcher)
            finally:
                self._end(watcher)
            self._stopping.wait(AGAIN_S)

    def _follow(self, watcher: subprocess.Popen[str]) -> None:
        """Hear the watching process until it falls silent, ends, or the station stops."""
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=_pump, args=(watcher, lines), daemon=True).start()
        while not self._stopping.is_set():
            try:
                line = lines.get(timeout=self._silence_s)
            except queue.Empty:
                self._lost("service_stuck")
                return
            if not line:
                return
            self._heard(json.loads(line))

    def _heard(self, said: dict[str, Any]) -> None:
        if "problem" in said:
            self._lost(said["problem"])
            return
        self._board.only(set(said["readers"]))
        for name, now in said["readers"].items():
            reader = self._readers.get(name)
            if reader is None:
                reader = self._readers[name] = _Reader(self, self._board, name)
            reader.is_now(now["counted"], now["state"])

    def _lost(self, problem: str) -> None:
        for reader in self._readers.values():
            reader.is_now(-1, "gone")
        self._board.out_of_service(problem)

    def stopping(self) -> bool:
        return self._stopping.is_set()

    def _process(self, module: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"node.card.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=self._environment,
        )
        self._live.add(process)
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        self._live.discard(process)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # an order that was never taken
                    pipe.close()


class _Reader:
    """One reader: what the service says of it, and the thread that reads its cards one after the other."""

    def __init__(self, driver: PcscDriver, board: Board, name: str) -> None:
        self._driver, self._board, self._name = driver, board, name
        self._lock = threading.Lock()
        self._wanted: tuple[int, str] = (-2, "")
        self._busy = False
        self.thread = threading.Thread()
        self.thread.start()

    def is_now(self, counted: int, state: str) -> None:
        """What the service says now; each of its events is acted on once."""
        with self._lock:
            if (counted, state) == self._wanted:
                return
            self._wanted = (counted, state)
            if self._busy:
                return  # whoever reads looks again when he has finished
            self._busy = True
        self.thread = threading.Thread(target=self._work, name="card read", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        done: tuple[int, str] | None = None
        while True:
            with self._lock:
                wanted = self._wanted
                if wanted == done or self._driver.stopping():
                    self._busy = False
                    return
            self._act(*wanted)
            done = wanted

    def _act(self, counted: int, state: str) -> None:
        if state == "empty":
            self._board.put(self._name, EMPTY)
        elif state == "mute":
            self._board.put(self._name, PROBLEM, problem="mute")
        elif state == "present":
            self._board.put(self._name, READING)
            self._tell(self._read(counted), counted)

    def _read(self, counted: int) -> dict[str, Any]:
        answer: dict[str, Any] = {"problem": "disturbed"}
        for _ in range(TRIES):
            answer = self._driver.read(self._name, counted)
            if answer.get("problem") != "disturbed":
                break
        return answer

    def _tell(self, answer: dict[str, Any], counted: int) -> None:
        with self._lock:
            moved_on = self._wanted[0] != counted
        if moved_on and "card" in answer:
            # Taken off or exchanged while the answer was on its way: it belongs to nobody who stands here now.
            answer = {"problem": "removed"}
        if "card" in answer:
            self._board.put(self._name, READ, card=reading.from_json(answer["card"]))
        else:
            code = answer["problem"] if answer.get("problem") in WORDS else "disturbed"
            log.info("card not read: %s", code)
            self._board.put(self._name, PROBLEM, problem=code)


def _pump(process: subprocess.Popen[str], lines: queue.SimpleQueue[str]) -> None:
    assert process.stdout
    try:
        for line in process.stdout:
            lines.put(line)
    except ValueError:  # the pipe was closed while we read
        pass
    lines.put("")

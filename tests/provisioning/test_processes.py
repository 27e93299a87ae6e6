# SPDX-License-Identifier: Apache-2.0
"""Child processes, with Python's own little web server standing in for ours."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.processes import ProgramFailed, Programs, free_port, is_free


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    (tmp_path / "unlock").write_text("nobody needs it here")
    made = Programs(tmp_path / "unlock", tmp_path / "logs")
    yield made
    made.stop()


def _serve(programs: Programs, name: str) -> str:
    port = free_port(0)
    programs.start(name, "python", "-m", "http.server", "--bind", "127.0.0.1", port)
    return f"http://127.0.0.1:{port}/"


def test_a_program_is_given_the_unlock_file_and_its_words_come_back(programs: Programs, tmp_path: Path) -> None:
    said = programs.run("python", "-c", "import os; print(os.environ['TOWNSHIP_UNLOCK_FILE'])")
    assert said.strip() == str(tmp_path / "unlock")


def test_a_program_that_fails_says_why(programs: Programs) -> None:
    with pytest.raises(ProgramFailed, match="out of paper"):
        programs.run("python", "-c", "raise SystemExit('out of paper')")


def test_a_started_program_answers_until_it_is_stopped(programs: Programs) -> None:
    url = _serve(programs, "one")
    programs.wait_for("one", url)
    process = programs.running["one"]
    programs.stop()
    assert process.poll() is not None and programs.running == {}


def test_waiting_for_a_program_that_died_ends_with_its_last_words(programs: Programs) -> None:
    programs.start("one", "python", "-c", "raise SystemExit('no such folder')")
    with pytest.raises(ProgramFailed, match="no such folder"):
        programs.wait_for("one", f"http://127.0.0.1:{free_port(0)}/")


def test_a_program_that_ends_by_itself_is_noticed(programs: Programs) -> None:
    programs.start("one", "python", "-c", "raise SystemExit('power cut')")
    programs.running["one"].wait()
    with pytest.raises(ProgramFailed, match="power cut"):
        programs.watch()


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert not is_free(taken)
        assert free_port(taken) != taken

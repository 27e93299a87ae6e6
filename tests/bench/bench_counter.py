# SPDX-License-Identifier: Apache-2.0
"""One station with PERSONS (default 100,000) at its counter: the real program, its encrypted database, real HTTP.

Measured: start, searches of every kind, a card put on the (simulated) reader until its person's page is there, a case
submitted until its slip is asked for, a unit's page with 5,000 employees, a roster file of them all, memory. Targets:
search 95 of 100 within 100 ms, a card within 1,000 ms, the roster within 10 s, start within 3 s, 400 MB. The last line
is one JSON object.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from node.card import simulator_driver
from node.card.simulator import Holder
from schema import service
from tests.bench import counter_roster
from tests.bench.counter_station import OFFICER, PASSWORD, USCC, make_station

PERSONS = int(os.environ.get("PERSONS", "100000"))
SEED = 20261123
EACH = 60  # searches of each kind
CARDS, CASES = 40, 60
BIN = Path(sys.executable).parent
_INPUT = re.compile(r"<input\b[^>]*>")
_VALUE = re.compile(r'\b(name|value|type)="([^"]*)"')


class Counter:
    """A clerk's browser without a screen."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self.token = ""
        self.get("/login")
        answer = self.post("/login", {"operator_no": OFFICER, "password": PASSWORD})
        if answer.status_code != 302:
            raise SystemExit("nobody could log in")
        self.get("/")

    def get(self, path: str, **params: str) -> httpx.Response:
        return self._kept(self.http.get(path, params=params or None))

    def post(self, path: str, data: dict[str, Any], *, part: bool = False) -> httpx.Response:
        headers = {"HX-Request": "true"} if part else {}
        return self._kept(self.http.post(path, data={"csrf_token": self.token} | data, headers=headers))

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        self.token = found[1] if found else self.token
        return answer


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds that it took."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def at(part: float, values: list[float]) -> float:
    """The value that this part of all values does not exceed."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * part))], 1)


def searches(counter: Counter, people: list[dict[str, Any]], units: list[str]) -> dict[str, list[float]]:
    """Milliseconds by kind of what is typed; every answer must hold a hit."""
    kinds: dict[str, Callable[[dict[str, Any]], str]] = {
        "id_18": lambda p: p["id_number"],
        "id_15": lambda p: p["id_number"][:6] + p["id_number"][8:17],
        "id_begun": lambda p: p["id_number"][:12],
        "name": lambda p: p["name"],
        "surname": lambda p: p["name"][:1],
        "initials": lambda p: p["initials"],
        "pinyin": lambda p: p["pinyin"],
        "mixed": lambda p: p["pinyin"][:4] + p["initials"][1:],
        "phone": lambda p: p["phone"],
        "phone_begun": lambda p: p["phone"][:6],
    }
    out: dict[str, list[float]] = {name: [] for name in (*kinds, "unit")}
    for person in people:
        for name, typed in kinds.items():
            text = typed(person)
            out[name].append(timed(lambda text=text, name=name: found(counter, text, name)))  # type: ignore[misc]
    for unit in units:
        out["unit"].append(timed(lambda unit=unit: found(counter, unit, "unit")))  # type: ignore[misc]
    return out


def found(counter: Counter, typed: str, kind: str) -> None:
    """Search as the box does. Raises SystemExit when nothing comes."""
    answer = counter.post("/search", {"q": typed}, part=True)
    # A pinyin beginning may cut through a syllable of somebody else's name; all other kinds must hit.
    if answer.status_code != 200 or ("data-href" not in answer.text and kind != "mixed"):
        raise SystemExit(f"search {kind}: {answer.status_code}")


def card_to_page(counter: Counter, folder: Path, person: dict[str, Any]) -> float:
    """From the card on the reader to the person's whole page, as the page's own script does it."""
    n = counter.get("/card/listen").json()["n"]
    began = time.perf_counter()
    simulator_driver.put(folder, Holder(person["id_number"], person["name"], "A12345678"))
    state = ""
    while state not in ("read", "problem"):
        told = counter.get("/card/listen", after=str(n)).json()
        n, state = told["n"], told["state"]
    url = counter.post("/card/take", {"n": str(n)}).json()["url"]
    if "/persons/" not in url or person["name"] not in counter.get(url).text:
        raise SystemExit(f"the card of a person led to {url.split('?')[0]}")
    took = (time.perf_counter() - began) * 1000
    simulator_driver.take(folder)
    while counter.get("/card/listen", after=str(n)).json()["state"] != "empty":
        pass
    return took


def submit(counter: Counter, person: dict[str, Any], phone: str) -> float:
    """A changed phone, taken from the form that the page gives: until the case is taken and the slip asked for."""
    page = counter.get("/items/personal_data_change", person=person["id"].hex()).text
    draft = re.search(r'action="(/drafts/[0-9a-f]{32})"', page)
    fields = [dict(_VALUE.findall(tag)) for tag in _INPUT.findall(page[page.index('id="item"') :])]
    form: dict[str, Any] = {f["name"]: f.get("value", "") for f in fields if f.get("name", "materials") != "materials"}
    form |= {"phone": phone, "materials": [f["value"] for f in fields if f.get("name") == "materials"], "do": "submit"}
    if draft is None:
        raise SystemExit("no form")
    answers: list[httpx.Response] = []
    took = timed(lambda: answers.append(counter.post(draft[1], form)))
    if answers[0].status_code != 302 or "/slip" not in answers[0].headers["Location"]:
        said = re.findall(r'class="err">([^<]+)', answers[0].text)
        raise SystemExit(f"not submitted: {answers[0].status_code} {said[:3]}")
    return took


def memory_mb(pid: int) -> dict[str, int]:
    """Resident memory now and at its highest."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    told = dict(line.split(":", 1) for line in lines if line.startswith("Vm"))
    return {name: int(told[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM")}


def cpu_s(pid: int) -> float:
    """Seconds of processor time so far: what a start costs whatever else this machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "station"
        made = make_station(folder, PERSONS)
        print(f"station with {PERSONS} persons made in {made.seconds:.0f} s, {made.size_mb} MB", flush=True)
        people = rng.sample(made.people, max(EACH, CARDS, CASES))
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = door.getsockname()[1]
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        began = time.perf_counter()
        program = subprocess.Popen(
            [BIN / "township-node", "run", "--dir", folder, "--unlock-file", folder / "unlock", "--port", str(port)],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            start_s = _wait(url, program, began)
            start_cpu_s = cpu_s(program.pid)
            counter = Counter(url)
            by_kind = searches(counter, people[:EACH], made.units[:EACH])
            cards = [card_to_page(counter, folder, person) for person in people[:CARDS]]
            cases = [submit(counter, p, f"139{rng.randrange(10**8):08d}") for p in people[:CASES]]
            roster = [timed(lambda: counter.get(f"/units/{made.big_unit.hex()}", page="50")) for _ in range(10)]
            before_s = cpu_s(program.pid)
            taken = counter_roster.measure(counter, USCC, counter_roster.sheet(made.roster))
            taken["roster_cpu_s"] = round(cpu_s(program.pid) - before_s, 2)
            memory = memory_mb(program.pid)
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(30)
    for kind, values in by_kind.items():
        print(f"  search {kind:12} p50 {at(0.5, values):6.1f} ms   p95 {at(0.95, values):6.1f} ms")
    every = [value for values in by_kind.values() for value in values]
    print(json.dumps({
        "persons": PERSONS, "items": len(service.load_all()), "start_s": round(start_s, 2),
        "start_cpu_s": start_cpu_s,
        "search_ms_p50": at(0.5, every), "search_ms_p95": at(0.95, every),
        "card_to_page_ms_p50": at(0.5, cards), "card_to_page_ms_p95": at(0.95, cards),
        "submit_ms_p50": at(0.5, cases), "submit_ms_p95": at(0.95, cases),
        "roster_page_ms_p95": at(0.95, roster), **taken,
        "node_rss_mb": memory["VmRSS"], "node_rss_peak_mb": memory["VmHWM"], "database_mb": made.size_mb,
        "bench_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))  # fmt: skip


def _wait(url: str, program: subprocess.Popen[bytes], began: float) -> float:
    """Seconds until the login page is there."""
    while program.poll() is None and time.perf_counter() - began < 60:
        try:
            if httpx.get(f"{url}/login", timeout=5).status_code == 200:
                return time.perf_counter() - began
        except httpx.TransportError:
            time.sleep(0.02)
    raise SystemExit("the station did not start")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""A small app in the frame, with officers in memory whose keys are cheap to open."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Blueprint, Flask, g, render_template, request
from flask.testing import FlaskClient

from schema import keys
from schema.clock import Clock, FixedClock
from schema.errors import StoreError, UnknownSubject
from schema.web.auth import current_key, init_auth, require_role
from schema.web.door import Failures, Officer
from schema.web.frame import Place, init_app
from schema.web.keyring import KeyRing
from tests.schema.web.gallery import gallery

CHEAP = keys.Cost(memory_kib=64, rounds=1, lanes=1)
PASSWORD = "甘霖 rain 2026"
SECRET_WORDS = "330683196508120011 张建国"
TEMPLATES = Path(__file__).parent / "templates"


def make_officer(operator_no: str, *roles: str, password: str = PASSWORD, **more: object) -> Officer:
    """An officer whose key opens with the password."""
    public, wrapped = keys.new_officer_key(password, CHEAP)
    given = {"name": "王丽萍", "station": "0100-1"} | more
    return Officer(operator_no, roles=roles, wrapped_key=wrapped, public_key=public, **given)  # type: ignore[arg-type]


class MemoryStore:
    """An OfficerStore that a test can look into. It outlives an app, as a database does."""

    def __init__(self, *officers: Officer) -> None:
        self.officers = {officer.operator_no: officer for officer in officers}
        self.failed: dict[str, Failures] = {}

    def find(self, operator_no: str) -> Officer | None:
        return self.officers.get(operator_no)

    def failures(self, operator_no: str) -> Failures:
        return self.failed.get(operator_no, Failures())

    def record_failure(self, operator_no: str, at: datetime) -> None:
        self.failed[operator_no] = Failures(self.failures(operator_no).count + 1, at)

    def clear(self, operator_no: str) -> None:
        self.failed.pop(operator_no, None)

    def rewrap(self, operator_no: str, wrapped_key: bytes) -> None:
        self.change(operator_no, wrapped_key=wrapped_key, must_change=False)

    def change(self, operator_no: str, **fields: object) -> None:
        """Write some fields of an officer, as a sync would."""
        officer = self.officers[operator_no]
        self.officers[operator_no] = Officer(**(vars(officer) | fields))


class Seconds:
    """A monotonic clock a test moves by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


pages = Blueprint("pages", __name__)
machine = Blueprint("machine", __name__, url_prefix="/s1")


@pages.route("/", methods=["GET", "POST"])
def home() -> str:
    return render_template("home.html", said=request.form.get("said", ""))


@pages.post("/only-post")
def only_post() -> str:
    return "taken"


@pages.get("/check")
def check() -> str:
    return "anybody may see this"


@pages.get("/bar")
def bar() -> str:
    return "<span>bar</span>"


@pages.get("/review")
@require_role("review", "approve")
def review() -> str:
    return "review desk"


@pages.get("/no-variables")
def no_variables() -> str:
    g.database_is_gone = True
    return render_template("home.html")


@pages.app_context_processor
def from_the_database() -> dict[str, str]:
    if g.get("database_is_gone"):
        raise OSError("disk")
    return {}


@pages.get("/sign")
def sign() -> str:
    return current_key().sign(b"fact").hex()


@pages.get("/broken")
def broken() -> str:
    raise ValueError(SECRET_WORDS)


@pages.get("/closed")
def closed() -> str:
    raise StoreError("数据库打不开", "the database cannot be opened")


@pages.get("/gone")
def gone() -> str:
    raise UnknownSubject("这一件已不在本站", "this case is no longer here")


@machine.put("/chunk")
def chunk() -> str:
    return "frame taken"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(make_officer("3012", "clerk"), make_officer("2107", "review", name="赵敏", station=""))


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def build_app(store: MemoryStore, clock: Clock, ring: KeyRing, place: Place = "station", **config: object) -> Flask:
    """The program as it starts: frame, login, pages."""
    app = Flask("sample", template_folder=str(TEMPLATES), static_folder=None)
    app.config.update({"SECRET_KEY": "k" * 32, **config})
    init_app(app, place=place, texts=[Path(__file__).parent / "texts.toml"], clock=clock)
    init_auth(
        app, store, clock, public=("pages.check",), passive=("pages.bar",), machine=(machine,), ring=ring, cost=CHEAP
    )
    for blueprint in (pages, gallery, machine):
        app.register_blueprint(blueprint)
    return app


@pytest.fixture
def make_app(store: MemoryStore, clock: FixedClock, seconds: Seconds) -> Callable[..., Flask]:
    """`make_app()` starts the program anew over the same store."""

    def make(place: Place = "station", **config: object) -> Flask:
        return build_app(store, clock, KeyRing(monotonic=seconds), place, **config)

    return make


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def token_of(html: str) -> str:
    """The CSRF token a page carries."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, "the page carries no token"
    return found[1]


@pytest.fixture
def post(client: FlaskClient) -> Callable[..., object]:
    """Post a form as a browser does: with the token of a page that was opened before."""

    def send(path: str, data: dict[str, str], page: str = "/login") -> object:
        shown = client.get(page, follow_redirects=True).get_data(as_text=True)
        return client.post(path, data=data | {"csrf_token": token_of(shown)})

    return send


@pytest.fixture
def log_in(post: Callable[..., object]) -> Callable[..., object]:
    def enter(operator_no: str = "3012", password: str = PASSWORD, **more: str) -> object:
        return post("/login", {"operator_no": operator_no, "password": password} | more)

    return enter

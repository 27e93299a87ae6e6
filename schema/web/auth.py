# SPDX-License-Identifier: Apache-2.0
"""Sessions and roles: every page needs a login unless it is on an explicit list.

    init_auth(app, store, clock, public=("pages.check",), passive=("pages.status_bar",), machine=(sync_blueprint,))

    @pages.get("/queue")
    @require_role("accept", "calculate", "review", "approve")
    def queue(): ... current_officer() ... current_key()

The signing key of a logged-in officer is in the `KeyRing`, in memory only; the session cookie names it by a token.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import (
    Blueprint,
    Flask,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from schema import keys
from schema.clock import Clock
from schema.errors import Locked, NotAllowed, TownshipError, WrongKey, WrongPassword
from schema.findings import Finding
from schema.web import errors
from schema.web.door import Door, Officer, OfficerStore
from schema.web.frame import address, frame, here, safe_next, t
from schema.web.keyring import KeyRing

P = ParamSpec("P")
R = TypeVar("R")

STATIC = ("web.static", "static")
ALWAYS_PUBLIC = (*STATIC, "web.set_lang", "auth.login")
BEFORE_NEW_PASSWORD = ("auth.password", "auth.logout", "auth.lock")

auth = Blueprint("auth", __name__)


class SignedIn(UserMixin):  # type: ignore[misc]
    """The officer of this session, as Flask-Login sees one."""

    def __init__(self, token: str, officer: Officer) -> None:
        self.token = token
        self.officer = officer

    def get_id(self) -> str:
        """What the session cookie names: a token, never the officer."""
        return self.token


@dataclass(frozen=True)
class Auth:
    """What an app's login consists of, in `app.extensions["auth"]`."""

    door: Door
    ring: KeyRing
    public: frozenset[str]
    passive: frozenset[str]
    machine: frozenset[str] = field(default_factory=frozenset)


def init_auth(
    app: Flask,
    store: OfficerStore,
    clock: Clock,
    *,
    public: Iterable[str] = (),
    passive: Iterable[str] = (),
    machine: Iterable[Blueprint] = (),
    ring: KeyRing | None = None,
    cost: keys.Cost = keys.STANDARD,
) -> Auth:
    """Lay the login around an app that has its frame.

    `public`: endpoints anybody may see. `passive`: endpoints a page calls by itself (the status bar); they do not
    count as work, so the lock comes although they poll. `machine`: blueprints that check their caller themselves
    (signed frames): no login, no CSRF.
    """
    blueprints = tuple(machine)
    for blueprint in blueprints:
        app.extensions["web"].csrf.exempt(blueprint)
    kept = Auth(
        Door(store, clock, app.extensions["web"].texts, cost),
        ring or KeyRing(),
        frozenset((*ALWAYS_PUBLIC, *public)),
        frozenset(passive),
        frozenset(blueprint.name for blueprint in blueprints),
    )
    app.extensions["auth"] = kept
    manager = LoginManager(app)
    manager.session_protection = "strong"
    manager.user_loader(_load)
    app.before_request(_guard)
    app.jinja_env.globals.update(officer=officer_or_none, has_role=has_role)
    app.register_blueprint(auth)
    return kept


def officer_or_none() -> Officer | None:
    """The officer of this session, or None before the login."""
    user = current_user
    return user.officer if user and user.is_authenticated else None


def current_officer() -> Officer:
    """The officer of this session. Raises NotAllowed when there is none."""
    officer = officer_or_none()
    if officer is None:
        raise NotAllowed(**frame().texts.both("error.nobody"))
    return officer


def current_key() -> Ed25519PrivateKey:
    """The officer's unlocked key, for signing what the officer does now. Raises NotAllowed after the lock."""
    current_officer()
    key = _kept().ring.key(current_user.token)
    if key is None:
        raise NotAllowed(**frame().texts.both("error.nobody"))
    return key


def has_role(*roles: str) -> bool:
    """Whether this officer has one of the roles; for showing what can be done."""
    officer = officer_or_none()
    return officer is not None and not set(roles).isdisjoint(officer.roles)


def require_role(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The view is for officers with one of these roles; others get the 403 page, which names them."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not has_role(*roles):
                texts = frame().texts
                names = {
                    "zh": "、".join(texts.text(f"role.{role}", "zh") for role in roles),
                    "en": ", ".join(texts.text(f"role.{role}", "en") for role in roles),
                }
                raise NotAllowed(**{code: texts.text("error.role", code, roles=name) for code, name in names.items()})
            return view(*args, **kwargs)

        return guarded

    return decorate


@auth.route("/login", methods=["GET", "POST"])
def login() -> Response:
    """Officer number and password; also where a locked screen leads, with the number kept."""
    target = safe_next(request.values.get("next"))
    if request.method == "GET":
        return redirect(target) if officer_or_none() else _login_page(target, session.get("operator_no", ""))
    operator_no = unicodedata.normalize("NFKC", request.form.get("operator_no", "")).strip()
    try:
        officer, key = _kept().door.open(operator_no, request.form.get("password", ""))
    except (WrongPassword, Locked, NotAllowed, WrongKey) as error:
        return _login_page(target, operator_no, error)
    session.clear()  # a session made before the login must not become a logged-in one
    login_user(SignedIn(_kept().ring.hold(officer.operator_no, key), officer))
    session["operator_no"] = officer.operator_no
    return redirect(target)


@auth.route("/password", methods=["GET", "POST"])
def password() -> Response:
    """Choose a new password: the same signing key is wrapped anew."""
    if request.method == "GET":
        return _password_page([])
    officer = current_officer()
    old, new, again = (request.form.get(name, "") for name in ("old", "new", "again"))
    findings = keys.password_findings(new, names=(officer.operator_no, officer.name))
    if new == old:
        findings.append(Finding("password_same", "block", "new", **frame().texts.both("password.same")))
    if new != again:
        findings.append(Finding("password_differs", "block", "again", **frame().texts.both("password.differs")))
    if not findings:
        try:
            _kept().door.change(officer, old, new)
        except (WrongPassword, Locked) as error:
            findings.append(Finding(error.code, "block", "old", error.zh, error.en))
    if findings:
        return _password_page(findings)
    _kept().ring.drop_officer(officer.operator_no, keep=current_user.token)
    flash(t("password.changed"), "done")
    return redirect("/")


@auth.post("/lock")
def lock() -> Response:
    """Lock the screen: the key leaves the memory, the officer number stays on the login page."""
    _end_session()
    return redirect(url_for("auth.login", next=safe_next(request.form.get("next"))))


@auth.post("/logout")
def logout() -> Response:
    """End the session and forget who it was."""
    _end_session()
    session.clear()
    return redirect(url_for("auth.login"))


def _end_session() -> None:
    if officer_or_none():
        _kept().ring.drop(current_user.token)
    logout_user()


def _password_page(findings: list[Finding]) -> Response:
    page = render_template("web/password.html", findings=findings, least=keys.PASSWORD_MIN_CHARS)
    return make_response(page, 422 if findings else 200)


def _login_page(target: str, operator_no: str, error: TownshipError | None = None) -> Response:
    said = {"zh": error.zh, "en": error.en} if error else None
    minutes = round(_kept().ring.idle_s / 60)
    page = render_template("web/login.html", next=target, operator_no=operator_no, error=said, idle_minutes=minutes)
    return make_response(page, 422 if error else 200)


def _kept() -> Auth:
    kept: Auth = current_app.extensions["auth"]
    return kept


def _load(token: str) -> SignedIn | None:
    """The session's officer as the store knows him now: one disabled a minute ago is out at the next click."""
    kept = _kept()
    operator_no = kept.ring.operator_no(token)
    officer = kept.door.store.find(operator_no) if operator_no else None
    if officer is None or kept.door.disabled(officer):
        kept.ring.drop(token)
        return None
    return SignedIn(token, officer)


def _guard() -> Response | None:
    kept, endpoint = _kept(), request.endpoint
    if endpoint is None or endpoint in STATIC or request.blueprint in kept.machine:
        return None
    officer = officer_or_none()
    if officer is None:
        return None if endpoint in kept.public else _to_login()
    if endpoint not in kept.passive:
        kept.ring.touch(current_user.token)
    if officer.must_change and endpoint not in kept.public and endpoint not in BEFORE_NEW_PASSWORD:
        return redirect(url_for("auth.password"))
    return None


def _to_login() -> Response:
    if request.headers.get("HX-Request") == "true":
        page = address(request.headers.get("HX-Current-URL", ""))
        target = safe_next(f"{page.path}?{page.query}" if page.query else page.path)
        return make_response("", 401, {"HX-Redirect": url_for("auth.login", next=target)})
    if errors.wants_json():
        return errors.answer(401, "401")
    return redirect(url_for("auth.login", next=here()))

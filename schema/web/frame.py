# SPDX-License-Identifier: Apache-2.0
"""What `init_app` lays around every page: templates, texts, language, CSRF, headers, limits, error pages.

    app = Flask(__name__)
    app.config["SECRET_KEY"] = secrets.web_secret
    init_app(app, place="station", texts=[Path("node/texts.toml")], clock=clock)
    init_auth(app, store, clock)          # schema.web.auth

Templates extend `web/base.html` (its head says which variables an app gives it) and call `web/macros.html`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from schema import case
from schema.clock import Clock
from schema.errors import ConfigError
from schema.logs import WithoutValues
from schema.web import errors, formats
from schema.web.texts import LANGS, Catalogue, MissingText, pick

Place = Literal["station", "hub"]

HERE = Path(__file__).parent
SECRET_MIN_BYTES = 32
BODY_MAX_BYTES = 16 * 1024 * 1024  # one scanned page; the largest thing an officer sends
FIELD_MAX_BYTES = 1024 * 1024
LANG_COOKIE = "lang"
YEAR_S = 365 * 86400

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",
}


Words = Mapping[str, Mapping[str, str]]


@dataclass
class Frame:
    """What the frame keeps for an app, in `app.extensions["web"]`.

    `words`: those of the rules in force, which go before the app's own; `spoken`: both, until the rules change.
    """

    place: Place
    texts: Catalogue
    clock: Clock
    csrf: CSRFProtect
    words: Callable[[], Words]
    spoken: tuple[Words, Catalogue]

    def catalogue(self) -> Catalogue:
        """The texts as they are in this request."""
        if "texts" not in g:
            words = self.words()
            if words and words is not self.spoken[0]:
                self.spoken = words, self.texts.with_words(words)
            g.texts = self.spoken[1] if words else self.texts
        found: Catalogue = g.texts
        return found


web = Blueprint("web", __name__, template_folder="templates", static_folder="static", static_url_path="/web/static")


def init_app(
    app: Flask, *, place: Place, texts: Iterable[Path], clock: Clock, words: Callable[[], Words] = dict
) -> Frame:
    """Lay the frame around `app`. `texts`: the app's own catalogues, added to the frame's; `words`: see `Frame`.

    Raises ConfigError when the app has no proper SECRET_KEY or a catalogue is wrong: it must not start then.
    """
    _check_secret(app)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_CONTENT_LENGTH"] or BODY_MAX_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = FIELD_MAX_BYTES
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # as long as the session: a login page may stand open all night
    _set_cookie(app, place)
    own = Catalogue([HERE / "texts.toml", *texts])
    frame = Frame(place, own, clock, CSRFProtect(app), words, ({}, own))
    app.extensions["web"] = frame
    app.logger.addFilter(WithoutValues())
    app.before_request(_choose_lang)
    app.after_request(_add_headers)
    errors.init_errors(app)
    _fill_jinja(app)
    app.register_blueprint(web)
    return frame


def frame() -> Frame:
    """The frame of the app that serves this request."""
    kept: Frame = current_app.extensions["web"]
    return kept


def lang() -> str:
    """The reader's language: zh or en."""
    return str(g.get("lang", LANGS[0]))


def t(key: str, **values: Any) -> str:
    """The text of that key in the reader's language. A missing one is an error in tests, its key in production."""
    try:
        return frame().catalogue().text(key, lang(), **values)
    except MissingText:
        if current_app.testing or current_app.debug:
            raise
        return key


def tb(key: str, **values: Any) -> Markup:
    """The same with its values in bold."""
    return frame().catalogue().marked(key, lang(), **values)


def safe_next(target: str | None) -> str:
    """A place inside this app to go to, or the start page: a link must never lead a logged-in officer elsewhere."""
    text = target or ""
    plain = text.isprintable() and "\\" not in text and " " not in text
    parts = address(text) if plain else None
    inside = parts and not parts.scheme and not parts.netloc and text.startswith("/") and not text.startswith("//")
    return text if inside else "/"


def address(text: str) -> SplitResult:
    """The parts of an address somebody sent; all empty for one that is none, such as `http://[`."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def here() -> str:
    """This page's own address, for coming back to it; the start page when it cannot be asked for by GET."""
    rule = request.url_rule
    if rule is None or "GET" not in (rule.methods or ()):
        return "/"
    return request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else request.path


@web.get("/lang/<code>")
def set_lang(code: str) -> AnyResponse:
    """Switch the language and come back."""
    answer = redirect(safe_next(request.args.get("next")))
    if code in LANGS:
        answer.set_cookie(LANG_COOKIE, code, max_age=YEAR_S, httponly=True, samesite="Lax", secure=request.is_secure)
    return answer


def asset(name: str) -> str:
    """The address of a static file of the frame, changing with its content so that browsers may keep it for good."""
    return url_for("web.static", filename=name, v=_digest(name))


@lru_cache
def _digest(name: str) -> str:
    path = HERE / "static" / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else "none"


def _check_secret(app: Flask) -> None:
    secret = app.config.get("SECRET_KEY") or b""
    raw = secret.encode() if isinstance(secret, str) else secret
    if len(raw) < SECRET_MIN_BYTES:
        raise ConfigError(
            f"网页会话密钥没有给，或不足 {SECRET_MIN_BYTES} 字节。请重新安装本站的密钥文件",
            f"SECRET_KEY is missing or shorter than {SECRET_MIN_BYTES} bytes: install the secrets file again",
        )


def _set_cookie(app: Flask, place: Place) -> None:
    """Cookies do not know ports: two stations and a hub on one machine need names of their own."""
    secret = app.config["SECRET_KEY"]
    raw = secret.encode() if isinstance(secret, str) else secret
    own = hashlib.sha256(b"cookie name " + raw).hexdigest()[:8]
    app.config.update(
        SESSION_COOKIE_NAME=f"{place}_{own}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    app.session_interface = _Sessions()


class _Sessions(SecureCookieSessionInterface):
    """Secure as soon as the page came over TLS: the station serves plain loopback, the hub TLS, with one code."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure


def _choose_lang() -> None:
    wanted = request.cookies.get(LANG_COOKIE, LANGS[0])
    g.lang = wanted if wanted in LANGS else LANGS[0]


def _add_headers(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_S}")
    if request.endpoint in ("web.static", "static") and answer.status_code == 200:
        answer.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable" if "v" in request.args else "no-cache"
    else:
        # Pages hold personal data; after the lock the Back key must show nothing.
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _fill_jinja(app: Flask) -> None:
    def in_lang(function: Callable[..., str]) -> Callable[..., str]:
        return lambda value: function(value, lang())

    app.jinja_env.globals.update(
        t=t, tb=tb, lang=lang, asset=asset, here=here, place=app.extensions["web"].place, case_states=case.STATES,
        case_steps=case.STEPS, legal_states=case.LEGAL, now=lambda: frame().clock.now(),
    )  # fmt: skip
    app.jinja_env.filters.update(
        pick=in_lang(pick),
        yuan=formats.yuan,
        gain=partial(formats.yuan, signed=True),
        count=formats.count,
        day=formats.day,
        hour=formats.hour,
        today=lambda instant: formats.day(formats.civil(instant).date()),
        full=formats.full,
        short=lambda instant: formats.short(instant, frame().clock.today()),
        paper_day=in_lang(formats.paper_day),
        duration=in_lang(formats.duration),
        phone=formats.phone,
        phone_masked=formats.phone_masked,
        name_masked=formats.name_masked,
        id_masked=formats.id_masked,
        grouped=formats.grouped,
        fours=formats.fours,
        tail=formats.tail,
        opening=formats.opening,
        months=formats.months,
    )

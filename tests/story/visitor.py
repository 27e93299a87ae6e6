# SPDX-License-Identifier: Apache-2.0
"""A person at a page, without a browser: follows links, fills the forms that are really there, keeps the session.

Only what a page offers can be sent: a form is found by its action, its hidden fields (the CSRF token among them) go
along unchanged, and a field the page does not have is an error. So a scripted story cannot do what a person could not.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx


@dataclass
class Form:
    """A form of a page: where it goes, what it carries, what may be chosen."""

    action: str
    method: str
    id: str = ""
    values: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: set[str] = field(default_factory=set)
    options: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self._select = ""
        self._area = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {k: v or "" for k, v in attrs}
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "a" and a.get("href"):
            self.links.append(a["href"])
        if tag == "form":
            self.forms.append(Form(a.get("action", ""), a.get("method", "get").lower(), a.get("id", "")))
        owner = self._owner(a.get("form", ""))
        if owner and "disabled" not in a:
            self._control(owner, tag, a)

    def _owner(self, form_id: str) -> Form | None:
        """A control belongs to the form it stands in, or to the one its `form` attribute names."""
        if form_id:
            return next((f for f in self.forms if f.id == form_id), None)
        return self.forms[-1] if self.forms else None

    def _control(self, form: Form, tag: str, a: dict[str, str]) -> None:
        name = a.get("name", "")
        if tag == "option" and self._select:
            form.options.setdefault(self._select, []).append(a.get("value", ""))
            if "selected" in a or self._select not in form.values:
                form.values[self._select] = [a.get("value", "")]
        if not name:
            return
        kind = a.get("type", "text")
        if tag == "button" or (tag == "input" and kind == "submit"):
            form.buttons.add(name)
            return
        if tag in ("input", "select", "textarea"):
            form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area = name
            form.values.setdefault(name, [""])
        elif tag == "input" and (kind not in ("checkbox", "radio") or "checked" in a):
            form.values.setdefault(name, []).append(a.get("value", "on" if kind == "checkbox" else ""))

    def handle_data(self, data: str) -> None:
        if self._area and self.forms:
            self.forms[-1].values[self._area][0] += data
        if not self._silent:
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent -= 1
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""


@dataclass
class Page:
    """What came back: status, address, text, forms, links."""

    status: int
    url: str
    html: str
    text: str
    forms: list[Form]
    links: list[str]

    def form(self, action: str) -> Form:
        """The form whose action ends so. Fails when the page has none: then a person could not do it either."""
        found = [f for f in self.forms if urlsplit(f.action).path.endswith(action)]
        if not found:
            offered = [f.action for f in self.forms]
            raise LookupError(
                f"{self.url} ({self.status}) has no form to {action!r}, only {offered}: {self.text[:300]}"
            )
        return found[0]

    def link(self, part: str) -> str:
        """The first link that contains `part`."""
        return next(href for href in self.links if part in href)


class Visitor:
    """One person with one session."""

    def __init__(self, base_url: str, ca_file: str | None = None) -> None:
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else True
        self.http = httpx.Client(base_url=base_url, verify=verify, follow_redirects=True, timeout=60, trust_env=False)

    def get(self, path: str) -> Page:
        return self._page(self.http.get(path))

    def send(self, page: Page, action: str, fill: dict[str, str | list[str]] | None = None, press: str = "") -> Page:
        """Fill and send one of the page's forms; `press` is `name=value` of the button used."""
        form = page.form(action)
        values: dict[str, list[str]] = dict(form.values)
        for name, value in (fill or {}).items():
            if name not in form.names | form.buttons:
                raise LookupError(f"{page.url}: the form to {action} has no field {name!r}, only {sorted(form.names)}")
            values[name] = value if isinstance(value, list) else [value]
        if press:
            name, _, value = press.partition("=")
            values[name] = [value]
        target = urljoin(page.url, form.action or page.url)
        if form.method == "get":
            return self._page(self.http.get(target, params=values))
        return self._page(self.http.post(target, data=values, headers={"referer": page.url}))

    def log_in(self, operator_no: str, password: str) -> Page:
        """Log in through the login page. Raises when that did not work."""
        page = self.send(self.get("/login"), "/login", {"operator_no": operator_no, "password": password})
        if "/login" in page.url:
            raise PermissionError(f"login of {operator_no} refused: {page.text[:400]}")
        return page

    def close(self) -> None:
        self.http.close()

    def _page(self, response: httpx.Response) -> Page:
        parser = _Forms()
        parser.feed(response.text)
        text = " ".join(" ".join(parser.text).split())
        return Page(response.status_code, str(response.url), response.text, text, parser.forms, parser.links)

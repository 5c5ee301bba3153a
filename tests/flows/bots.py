"""Appraisers without a browser: they read the pages' own forms and send them as a browser would."""

import http.client
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie


class Form(HTMLParser):
    """The hidden fields and the buttons of a page's form that posts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside = False
        self.hidden: dict[str, str] = {}
        self.buttons: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.inside = found.get("method", "").lower() == "post"
        elif self.inside and tag == "input" and found.get("type") == "hidden":
            self.hidden[found["name"]] = found.get("value", "")
        elif self.inside and tag == "button" and found.get("name"):
            self.buttons.append((found["name"], found["value"]))

    def pressed(self, name: str, place: int = 0) -> dict[str, str]:
        """What is sent by a button of that name; there may be others, for the language."""
        return self.hidden | dict([[each for each in self.buttons if each[0] == name][place]])

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"


@dataclass
class Bot:
    """One visitor with a cookie jar; ``statuses`` are all answers that it ever got."""

    host: str
    port: int
    cookies: SimpleCookie = field(default_factory=SimpleCookie)
    statuses: list[int] = field(default_factory=list)

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[str, str]:
        """The body and the redirect's target; neither is followed."""
        return self.exchange(method, path, fields)[1:]

    def exchange(
        self, method: str, path: str, fields: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        """The status too."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=600)
        jar = "; ".join(f"{name}={morsel.value}" for name, morsel in self.cookies.items())
        headers = {"Cookie": jar, "Origin": f"http://{self.host}:{self.port}"}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        for header in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(header)
        self.statuses.append(answer.status)
        return answer.status, text, answer.headers.get("Location", "")

    def take_part(self, slug: str) -> str:
        """Start, then consent and begin, each sent twice; the private address."""
        start = f"/s/{slug}/"
        _, consent = self.ask("POST", start, Form(self.ask("GET", start)[0]).hidden)
        sent = self.send_twice(consent, Form(self.ask("GET", consent)[0]).hidden, together=True)
        assert len(sent) == 1, self.statuses
        (private,) = sent
        assert private.startswith("/a/"), self.statuses
        form = Form(self.ask("GET", private)[0])
        self.send_twice(f"{private}begin/", form.hidden, together=False)
        return private

    def judge(self, private: str, n_questions: int, prefer: int) -> str:
        """Answer every question, each answer sent twice; the last page."""
        for number in range(n_questions):
            form = Form(self.ask("GET", private)[0])
            fields = form.pressed("choice", (number + prefer) % 2)
            self.send_twice(f"{private}answer/", fields, together=number % 2 == 0)
        return self.ask("GET", private)[0]

    def send_twice(self, path: str, fields: dict[str, str], *, together: bool) -> set[str]:
        """As an impatient double click (both in flight at once), or a resend after the answer.

        The addresses that the two led to.
        """
        if together:
            with ThreadPoolExecutor(2) as two:
                return {
                    target
                    for _, target in two.map(lambda _: self.ask("POST", path, fields), range(2))
                }
        return {self.ask("POST", path, fields)[1] for _ in range(2)}

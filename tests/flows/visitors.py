"""Appraisers as they are, over HTTP: restless, in two tabs, away for hours, and with a ledger each.

The ledger of a visitor says what its pages told it: which movies stood where, what it chose, and
which of its answers were taken. Afterwards the database has to say the same.
"""

import hashlib
import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.flows.bots import Bot, Form

CODE = re.compile(r'value="([0-9A-Z]{5}-[0-9A-Z]{5})"')
TITLE = re.compile(r'<h3 class="card-title"[^>]*>(.*?)</h3>')
PROGRESS = re.compile(r'<progress value="(\d+)" max="(\d+)"')
TOLD = re.compile(r"please choose “<bdi[^>]*>(.*?)</bdi>” here")
CHANGE = re.compile(r'href="(/a/[\w-]+/answers/\d+/)"')
KEPT = re.compile(r'<span class="own-choice">(?:<span[^>]*>)?(.*?)</span>')
#: What only one kind of page holds.
MARKS = {
    "begin": '/begin/"',
    "questionnaire": 'name="part"',
    "question": 'name="assignment"',
    "review": '/confirm/"',
    "full": "Every place is taken",
    "closed": "This study has ended",
    "screened": "looking for other people",
    "failed": "That was the last question.</h1>",
    "done": "Your completion code",
}
#: More pages than any visit has.
PATIENCE = 40
#: Why an answer was not taken: the study ended, or the next question is answered.
REFUSALS = ("This study has ended.", "Your answer stays as it was.")
TIE = "Both fit equally well or badly"
#: Ways of answering, and how often each is drawn.
WAYS = {"plainly": 3, "twice": 3, "tabs": 3, "back": 2, "stale": 2, "foreign": 1, "forged": 1}
WAYS |= {"changing": 3, "race": 3}


@dataclass
class Seen:
    """A question as it stood on the page, with the form that answers it."""

    fields: dict[str, str]
    left: str
    right: str
    practice: bool
    told: str
    done: int
    change: str

    @classmethod
    def of(cls, page: str) -> "Seen":
        left, right = TITLE.findall(page)
        told, change, progress = TOLD.search(page), CHANGE.search(page), PROGRESS.search(page)
        assert progress
        return cls(
            fields=Form(page).hidden,
            left=left,
            right=right,
            practice="does not count" in page,
            told=told[1] if told else "",
            done=int(progress[1]),
            change=change[1] if change else "",
        )

    @property
    def key(self) -> str:
        return self.fields["assignment"]

    @property
    def asked_for(self) -> str:
        """The side that a check says to choose; the right one where nothing is said."""
        return "left" if self.told == self.left else "right"

    def movie(self, choice: str) -> str:
        return {"left": self.left, "right": self.right}.get(choice, TIE)


@dataclass
class Entry:
    """An answer that was taken, as often as it changed; each is one of what was sent at once.

    ``sent`` is when the first of them went out.
    """

    seen: Seen
    history: list[set[str]]
    sent: float


@dataclass
class Post:
    """An answer on its way; ``taken`` as the reply said."""

    choice: str
    sent: float
    status: int
    replied: float

    @property
    def taken(self) -> bool:
        return self.status == 302


@dataclass
class Hall:
    """What all visitors of a study share: its address, keys to steal, and a count of answers."""

    port: int
    slug: str
    keys: list[str] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    marks: dict[int, threading.Event] = field(default_factory=dict)

    def note(self, post: Post) -> None:
        self.posts.append(post)
        for count, event in self.marks.items():
            if len(self.posts) >= count:
                event.set()

    def wait_for(self, posts: int) -> None:
        """Until so many answers were sent by everybody together; the mark was set before."""
        assert self.marks[posts].wait(900), f"{len(self.posts)} answers came, not {posts}"


class Visitor:
    """One who takes part; ``ledger`` is by assignment key, in the order of the answers."""

    def __init__(self, hall: Hall, name: str, **habits: object) -> None:
        self.hall, self.habits = hall, habits
        self.rng = random.Random(f"{hall.slug}/{name}")
        self.bot = Bot("127.0.0.1", hall.port)
        self.private = self.end = self.code = ""
        self.ledger: dict[str, Entry] = {}
        self.open: Seen | None = None
        self.refused: list[Post] = []
        self.erased: int | None = None

    # -- the way in ------------------------------------------------------------------------------

    def join(self) -> bool:
        """Start and consent, the latter twice at once; whether there was a place."""
        start = f"/s/{self.hall.slug}/"
        page, _ = self.bot.ask("GET", start)
        if self.kind_of(page) in {"full", "closed"}:
            self.end = self.kind_of(page)
            return False
        _, consent = self.bot.ask("POST", start, Form(page).hidden)
        page, _ = self.bot.ask("GET", consent)
        if self.kind_of(page) in {"full", "closed"}:
            self.end = self.kind_of(page)
            return False
        ways = self.bot.send_twice(consent, Form(page).hidden, together=True)
        links = {way for way in ways if way.startswith("/a/")}
        # The last place may go between the two: then the second is led to the first page, or in.
        assert len(links) <= 1, ways
        if not links:
            self.end = self.kind_of(self.bot.ask("GET", start)[0])
            return False
        (self.private,) = links
        return True

    @property
    def digest(self) -> str:
        token = self.private.removeprefix("/a/").rstrip("/")
        return hashlib.sha256(token.encode()).hexdigest()

    # -- from page to page -------------------------------------------------------------------------

    def go_on(self, until: int = 1000) -> None:
        """Do what each page asks for, until so many answers are given or the pages end."""
        for _ in range(PATIENCE):
            if self.end:
                return
            page, _ = self.bot.ask("GET", self.private)
            kind = self.kind_of(page)
            if kind == "question":
                self.look(page)
                if len(self.ledger) >= until:
                    return
                self.answer()
            elif kind in {"begin", "questionnaire", "review"}:
                self.step(kind, page)
            else:
                self.end, code = kind, CODE.search(page)
                self.code = code[1] if code else ""
        raise AssertionError(f"the pages have no end: {kind}")

    def step(self, kind: str, page: str) -> None:
        form, path = Form(page), self.private
        if kind == "questionnaire":
            path += "responses/"
            glasses = "never" if self.habits.get("screened") else "sometimes"
            fields = form.hidden | {"item-glasses": glasses, "item-remark": "none"}
        else:
            path += {"begin": "begin/", "review": "confirm/"}[kind]
            fields = form.hidden
        if kind == "review" and (last := self.changeable(page)) and self.rng.random() < 0.5:
            self.change(last)
        self.bot.send_twice(path, fields, together=self.rng.random() < 0.5)

    def look(self, page: str) -> Seen:
        """The page tells how many answers it has: so many as the ledger holds."""
        self.open = Seen.of(page)
        self.hall.keys.append(self.open.key)
        assert self.open.done == len(self.ledger), (self.open, self.ledger)
        assert self.open.key not in self.ledger
        return self.open

    @staticmethod
    def kind_of(page: str) -> str:
        return next((kind for kind, mark in MARKS.items() if mark in page), page[-3000:])

    # -- answers -----------------------------------------------------------------------------------

    def answer(self) -> None:
        seen = self.open
        assert seen
        choice = self.rng.choice(["left", "right", "left", "right", "tie"])
        other = self.rng.choice(sorted({"left", "right", "tie"} - {choice}))
        way = self.rng.choices(list(WAYS), list(WAYS.values()))[0]
        if seen.told:
            choice = "tie" if self.habits.get("careless") else seen.asked_for
            way = "twice"
        getattr(self, way)(seen, choice, other)

    def plainly(self, seen: Seen, choice: str, _other: str) -> None:
        self.send(seen, choice)

    def twice(self, seen: Seen, choice: str, _other: str) -> None:
        self.send(seen, choice, choice)

    def tabs(self, seen: Seen, choice: str, other: str) -> None:
        """Two tabs that disagree at the same instant: one is taken, and the pages say which."""
        self.send(seen, choice, other)
        self.told_which(seen)

    def back(self, seen: Seen, choice: str, other: str) -> None:
        """The back button, another choice, and the same form once more."""
        self.send(seen, choice)
        self.post(seen, other)

    def stale(self, seen: Seen, choice: str, other: str) -> None:
        """A form from long ago first."""
        if self.ledger:
            old = self.rng.choice(list(self.ledger.values())).seen
            self.post(old, other)
        self.send(seen, choice)

    def foreign(self, seen: Seen, choice: str, other: str) -> None:
        """A question of somebody else under one's own link."""
        # Whoever else came so far: the draw itself must not depend on how many they are.
        key = self.hall.keys[int(self.rng.random() * len(self.hall.keys))]
        if key != seen.key and key not in self.ledger:
            self.post(seen, other, assignment=key)
        self.send(seen, choice)

    def forged(self, seen: Seen, choice: str, other: str) -> None:
        """Something else than what was shown, and a revision that never was."""
        self.post(seen, other, shown="0" * 32)
        self.post(seen, other, revision="7")
        self.send(seen, choice)

    def change(self, seen: Seen) -> None:
        """A change of mind, twice at once, then the first form of all once more."""
        entry = self.ledger[seen.key]
        page, _ = self.bot.ask("GET", seen.change)
        if self.kind_of(page) != "question":
            return  # the study ended meanwhile
        form = Seen.of(page)
        assert (form.key, form.left, form.right) == (seen.key, seen.left, seen.right)
        now = entry.history[-1]
        new = self.rng.choice(sorted({"left", "right", "tie"} - now))
        if any(post.taken for post in self.both(form, new, new)):
            entry.history.append({new})
        self.post(form, self.rng.choice(sorted(now)))

    def changing(self, seen: Seen, choice: str, other: str) -> None:
        """Answer, look at the next question, and go back to change it."""
        if self.send(seen, choice) and (last := self.next_page()):
            self.change(last)

    def race(self, seen: Seen, choice: str, other: str) -> None:
        """The next answer in one tab while another tab still changes the last one."""
        if not self.send(seen, choice) or not (last := self.next_page()):
            return
        following = self.open
        page, _ = self.bot.ask("GET", last.change)
        if self.kind_of(page) != "question" or following is None or following.told:
            return
        form = Seen.of(page)
        with ThreadPoolExecutor(2) as two:
            changed = two.submit(self.post, form, other)
            self.send(following, choice)
            if changed.result().taken:
                self.ledger[seen.key].history.append({other})

    def next_page(self) -> Seen | None:
        """The question that follows is looked at; the one before it, where it may be changed."""
        page, _ = self.bot.ask("GET", self.private)
        if self.kind_of(page) != "question":
            return None
        self.look(page)
        return self.changeable(page)

    def changeable(self, page: str) -> Seen | None:
        """The last answer, if this page leads to a change of it, and it is no check."""
        way = CHANGE.search(page)
        last = list(self.ledger.values())[-1].seen if self.ledger else None
        if not way or not last or last.told or last.practice:
            return None
        last.change = way[1]
        return last

    def send(self, seen: Seen, *choices: str) -> bool:
        """First answers to a question; those that were taken stand in the ledger, as one."""
        posts = self.both(seen, *choices) if len(choices) > 1 else [self.post(seen, choices[0])]
        self.open = None
        if taken := [post for post in posts if post.taken]:
            choices_taken = {post.choice for post in taken}
            self.ledger[seen.key] = Entry(seen, [choices_taken], min(post.sent for post in taken))
            return True
        self.refused += posts
        return False

    def told_which(self, seen: Seen) -> None:
        """The page of one's own answers names the movie that was chosen last."""
        page, _ = self.bot.ask("GET", f"{self.private}answers/")
        kept = KEPT.findall(page)
        if kept and not seen.practice and seen.key in self.ledger:
            first = self.ledger[seen.key].history[0]
            first &= {choice for choice in first if seen.movie(choice) == kept[-1].strip()}

    def both(self, seen: Seen, *choices: str) -> list[Post]:
        with ThreadPoolExecutor(2) as two:
            return list(two.map(lambda choice: self.post(seen, choice), choices))

    def post(self, seen: Seen, choice: str, **forged: str) -> Post:
        sent = time.monotonic()
        fields = seen.fields | forged | {"choice": choice}
        status, page, _ = self.bot.exchange("POST", f"{self.private}answer/", fields)
        if status == 409:
            assert any(words in page for words in REFUSALS), page[-3000:]
        post = Post(choice, sent, status, time.monotonic())
        self.hall.note(post)
        return post

    # -- the way out -------------------------------------------------------------------------------

    def withdraw(self) -> None:
        """Have everything erased, twice, while another tab still answers."""
        page, _ = self.bot.ask("GET", f"{self.private}withdraw/")
        fields = Form(page).hidden | {"understood": "1"}
        with ThreadPoolExecutor(2) as two:
            ways = two.submit(
                self.bot.send_twice, f"{self.private}withdraw/", fields, together=True
            )
            if self.open:
                self.send(self.open, "left")
            assert {way.split("?")[0] for way in ways.result()} == {f"/s/{self.hall.slug}/erased/"}
        assert self.bot.exchange("GET", self.private)[0] == 404
        self.end, self.erased = "erased", len(self.ledger)

"""What a data set calls its items, and where people can look them up; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, quote_plus, urlsplit

from recommender.core.errors import ConfigurationError

#: One item, and several.
Words = tuple[str, str]
#: A name, and the template of an address.
Link = tuple[str, str]

#: By kind and language; in Chinese, the word for one item begins with its measure word.
KINDS: dict[str, dict[str, Words]] = {
    "movie": {
        "en": ("movie", "movies"),
        "de": ("Film", "Filme"),
        "es": ("película", "películas"),
        "zh-hans": ("部电影", "电影"),
    },
    "book": {
        "en": ("book", "books"),
        "de": ("Buch", "Bücher"),
        "es": ("libro", "libros"),
        "zh-hans": ("本书", "书"),
    },
    "game": {
        "en": ("game", "games"),
        "de": ("Spiel", "Spiele"),
        "es": ("juego", "juegos"),
        "zh-hans": ("个游戏", "游戏"),
    },
    "song": {
        "en": ("song", "songs"),
        "de": ("Lied", "Lieder"),
        "es": ("canción", "canciones"),
        "zh-hans": ("首歌曲", "歌曲"),
    },
    "joke": {
        "en": ("joke", "jokes"),
        "de": ("Witz", "Witze"),
        "es": ("chiste", "chistes"),
        "zh-hans": ("个笑话", "笑话"),
    },
}

WEB = "https://www.google.com/search?q="
#: Of items that are of no known kind.
OTHER_LINKS: list[Link] = [("Web", f"{WEB}{{title}}")]
#: By kind. Of several templates with one name, the first one counts whose values are all known.
LINKS: dict[str, list[Link]] = {
    "movie": [
        ("Web", f"{WEB}{{title}}+{{year}}+movie"),
        ("Web", f"{WEB}{{title}}+movie"),
        ("IMDb", "https://www.imdb.com/title/{imdb}/"),
        ("IMDb", "https://www.imdb.com/find/?q={title}+{year}"),
        ("IMDb", "https://www.imdb.com/find/?q={title}"),
    ],
    "book": [
        ("Web", f"{WEB}{{title}}+book"),
        ("Open Library", "https://openlibrary.org/isbn/{isbn}"),
        ("Open Library", "https://openlibrary.org/search?q={title}"),
    ],
    "game": [
        ("Web", f"{WEB}{{title}}+game"),
        (
            "BoardGameGeek",
            "https://boardgamegeek.com/geeksearch.php?objecttype=boardgame&q={title}",
        ),
    ],
    "song": [
        ("Web", f"{WEB}{{title}}+song"),
        ("MusicBrainz", "https://musicbrainz.org/search?type=recording&query={title}"),
    ],
    "joke": OTHER_LINKS,
}
PLACEHOLDERS = ("title", "year", "id", "imdb", "tmdb", "isbn")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
ISBN = re.compile(r"(?:\d{9}[\dXx]|\d{13})")


def parse_words(text: str) -> dict[str, Words]:
    """``podcast,podcasts`` or ``de=Podcast,Podcasts``; ConfigurationError with the remedy."""
    language, _, words = text.rpartition("=")
    parts = [part.strip() for part in words.split(",")]
    is_known = language in {"", *KINDS["movie"]}
    if not is_known or len(parts) != 2 or not all(part and part.isprintable() for part in parts):
        raise ConfigurationError(
            f"{text[:60]!r} is not possible. Give the words for one and for several, such as "
            f"podcast,podcasts, or with a language ({', '.join(KINDS['movie'])}): "
            "de=Podcast,Podcasts."
        )
    return {language or "en": (parts[0], parts[1])}


def parse_link(text: str) -> Link:
    """``IMDb=https://www.imdb.com/title/{imdb}/``; ConfigurationError with the remedy."""
    name, _, template = text.partition("=")
    name, template = name.strip(), template.strip()
    unknown = {found for found in PLACEHOLDER.findall(template) if found not in PLACEHOLDERS}
    parts = urlsplit(PLACEHOLDER.sub("", template))
    problem = (
        f"{{{min(unknown)}}} is not known"
        if unknown
        else "the address does not begin with https:// and a host"
        if parts.scheme != "https" or not parts.hostname or "{" in urlsplit(template).netloc
        else "the name is not one of 1 to 30 printable characters"
        if not (name.isprintable() and 1 <= len(name) <= 30)
        else ""
    )
    if problem:
        raise ConfigurationError(
            f"The link {text[:80]!r} is not possible: {problem}. Write a name and an https address "
            f"with {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}, such as "
            "'IMDb=https://www.imdb.com/title/{imdb}/'."
        )
    return name, template


def look_up(templates: Sequence[Link], values: Mapping[str, str]) -> dict[str, str]:
    """The address under each name of ``templates``, of those whose ``values`` are all known."""
    found: dict[str, str] = {}
    for name, template in templates:
        if all(values.get(each) for each in PLACEHOLDER.findall(template)):
            found.setdefault(name, _fill(template, values))
    return found


def _fill(template: str, values: Mapping[str, str]) -> str:
    path, mark, query = template.partition("?")
    path = PLACEHOLDER.sub(lambda place: quote(values[place[1]], safe=""), path)
    return path + mark + PLACEHOLDER.sub(lambda place: quote_plus(values[place[1]]), query)

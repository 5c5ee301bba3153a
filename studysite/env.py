"""Strict readers of the environment: a wrong value stops the start, with the remedy."""

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
SHORTEST_SECRET = 50


class SettingError(ImproperlyConfigured):
    """A setting is missing or wrong; the message names it and says what to write."""


def read_file(path: Path) -> None:
    """Take settings from a .env file; what the environment already says wins."""
    if path.is_file():
        environ.Env.read_env(path, encoding="utf-8")


def text(name: str, default: str = "") -> str:
    # An empty variable counts as unset, so that a shell can switch a .env line off.
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise SettingError(f"{name}={value!r} is not a yes or no. Write 1 or 0.")


def whole_number(name: str, default: int, *, minimum: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or int(value) < minimum:
        raise SettingError(f"{name}={value!r} is not a whole number of at least {minimum}.")
    return int(value)


def secret(name: str) -> str:
    value = text(name)
    if not value:
        raise SettingError(
            f"{name} is not set. Run 'make setup', which writes a random one to .env, or export it."
        )
    if len(value) < SHORTEST_SECRET or len(set(value)) < 5:
        raise SettingError(
            f"{name} is too easy to guess: it needs {SHORTEST_SECRET} random characters. "
            "Run: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return value


def hosts(name: str) -> list[str]:
    names = [part.strip() for part in text(name).split(",") if part.strip()]
    for host in names:
        if host == "*" or "/" in host or " " in host:
            raise SettingError(
                f"{name} holds {host!r}. List host names without scheme, port or '*', "
                "separated by commas: study.example.org,www.example.org"
            )
    return names


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def site_url(name: str, default: str) -> str:
    """The public address, without a trailing slash; plain http is for this machine only."""
    value = text(name, default).rstrip("/")
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.path or parts.query:
        raise SettingError(
            f"{name}={value!r} is not an address. Write scheme and host: https://study.example.org"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingError(
            f"{name}={value!r} would send private links in the clear. "
            "Use https, or a loopback address such as http://localhost:8000."
        )
    return value


def database(name: str, default: Path) -> dict[str, object]:
    """DATABASE_URL as a Django database; SQLite in the home folder when unset."""
    url = text(name) or f"sqlite:///{default}"
    try:
        config: dict[str, object] = environ.Env.db_url_config(url)
    except (ValueError, ImproperlyConfigured) as error:
        raise SettingError(f"{name} cannot be read: {error}.") from error
    engine = str(config.get("ENGINE", ""))
    if engine not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
        raise SettingError(
            f"{name} names an unsupported database. Write postgres://user:password@host/name "
            "or sqlite:////absolute/path/file.sqlite3, or leave it unset for SQLite."
        )
    return config


def redis_url(name: str) -> str:
    value = text(name)
    if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise SettingError(f"{name}={value!r} is not a Redis address. Write redis://host:6379/0.")
    return value


def folder(name: str, default: Path) -> Path:
    path = Path(text(name) or default).expanduser()
    if not path.is_absolute():
        path = default.parent / path
    if path.exists() and not path.is_dir():
        raise SettingError(f"{name}={path} is a file, not a folder. Name a folder, or unset it.")
    return path

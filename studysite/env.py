"""Strict readers of environment variables: a wrong value stops the start and names the remedy."""

import ipaddress
import os
import re
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
SHORTEST_SECRET = 50
HOST = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]"
REDIS = re.compile(rf"rediss?://(.*@)?({HOST})(:[1-9]\d{{0,4}})?([/?].*)?|unix://.+")
LINE = re.compile(r"(export )?[A-Za-z_0-9]+=.*")


class SettingError(ImproperlyConfigured):
    """A setting is missing or wrong; the message names it and the remedy."""


def read_file(path: Path) -> None:
    """Read settings from a .env file; variables that are already set take precedence."""
    if not path.is_file():
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        # django-environ would skip such a line with a warning only.
        if line and not line.startswith("#") and not LINE.fullmatch(line):
            raise SettingError(f"{path}:{number}: not a setting. Write NAME=value.")
    environ.Env.read_env(path, encoding="utf-8")


def text(name: str, default: str = "") -> str:
    # An empty variable counts as unset, so that the shell can override a .env line.
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if value and value not in TRUE | FALSE:
        raise SettingError(f"{name}={value!r} is not a yes or no. Write 1 or 0.")
    return value in TRUE if value else default


def integer(name: str, default: int, *, minimum: int) -> int:
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
        if not re.fullmatch(HOST, host):
            raise SettingError(
                f"{name} includes {host!r}. List host names without scheme, port or '*', "
                "separated by commas: study.example.org,www.example.org"
            )
    return names


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def public_url(name: str, default: str) -> str:
    """The public address without a trailing slash; plain http is for loopback hosts only."""
    value = text(name, default).rstrip("/")
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    bare = f"[{host}]" if ":" in host else host
    if (
        parts.scheme not in {"http", "https"}
        or not re.fullmatch(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]", bare)
        or value.lower() != f"{parts.scheme}://{bare}" + (f":{port}" if port else "")
    ):
        raise SettingError(
            f"{name}={value!r} is not an address. Write scheme and host: https://study.example.org"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingError(
            f"{name}={value!r} would send private links unencrypted. "
            "Use https, or a loopback address such as http://localhost:8000."
        )
    return value


def host_of(url: str) -> str:
    """The host of an address, in the form of ALLOWED_HOSTS."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def refuse_unsafe(*, debug: bool, site: str, allowed: list[str]) -> None:
    """Refuse settings that are valid one by one but unsafe or useless together."""
    if not validate_host(host_of(site), allowed):
        raise SettingError(
            f"ALLOWED_HOSTS does not include {host_of(site)}, the host of SITE_URL. "
            "Add it; otherwise every page is refused."
        )
    elsewhere = [name for name in allowed if not is_loopback(name.lstrip("."))]
    if elsewhere and site.startswith("http://"):
        raise SettingError(
            f"ALLOWED_HOSTS includes {', '.join(elsewhere)}, but SITE_URL is plain http. "
            "Set SITE_URL to the public https address, or list loopback hosts only."
        )
    if debug and elsewhere:
        raise SettingError(
            "DEBUG=1 shows settings and source code to visitors, and ALLOWED_HOSTS includes "
            f"{', '.join(elsewhere)}. Unset DEBUG, or list loopback hosts only."
        )


def database(name: str, default: Path) -> dict[str, Any]:
    """DATABASE_URL as a Django database; SQLite in the home folder when unset."""
    remedy = (
        "Write postgres://user:password@host/name or sqlite:////absolute/path/file.sqlite3, "
        "or leave it unset for SQLite."
    )
    if not (url := text(name)):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is refused below
            config: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, ImproperlyConfigured):
        # Without the original message, which may repeat the password.
        raise SettingError(f"{name} cannot be read. {remedy}") from None
    engine, database = config.get("ENGINE"), str(config.get("NAME", ""))
    if engine not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
        raise SettingError(f"{name} names an unsupported database. {remedy}")
    if not database or (engine == "django.db.backends.sqlite3" and not database.startswith("/")):
        # A relative path or a database in memory would differ between processes.
        raise SettingError(f"{name} names no database that all processes can share. {remedy}")
    return config


def redis_url(name: str) -> str:
    value = text(name)
    if value and not REDIS.fullmatch(value):
        # Without the value, which may contain a password.
        raise SettingError(f"{name} is not a Redis address. Write redis://host:6379/0.")
    return value


def folder(name: str, default: Path) -> Path:
    """A folder, created for its owner only if it does not exist."""
    path = Path(text(name) or default).expanduser()
    if not path.is_absolute():
        path = default.parent / path
    if path.exists() and not path.is_dir():
        raise SettingError(f"{name}={path} is a file, not a folder. Name a folder, or unset it.")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"cannot create the folder {name}={path}: {error.strerror}.") from error
    return path

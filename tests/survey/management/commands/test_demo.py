"""The demo: its parts, and the whole on a tiny data set through start, stop and resume."""

import json
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from survey.management.commands import demo
from survey.management.site import current_site_url, localhost_warning
from tests.installation import ROOT, Installation, still_alive

PATIENCE = 600


def test_the_facts_file_is_readable_by_its_owner_only(tmp_path):
    file = tmp_path / "demo.json"
    file.write_text("{}")
    file.chmod(0o644)
    demo.write_private(file, {"judge": "http://localhost/"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {"judge": "http://localhost/"}
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]


def test_a_busy_port_is_refused_with_another_to_try():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match="make demo PORT="):
            demo.refuse_busy_port(taken.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_an_invalid_port_is_refused(port):
    with pytest.raises(CommandError, match=str(port)):
        demo.refuse_busy_port(port)


@pytest.mark.parametrize("url", ["postgres://study@127.0.0.1:1/study", "sqlite:////{home}/x.db"])
def test_another_database_gets_no_administrator_by_default(tmp_path, url):
    site = Installation(tmp_path, DATABASE_URL=url.format(home=tmp_path))
    done = site.manage("demo", "--port", str(site.port), ok=False)
    assert done.returncode == 2
    assert "make demo DATABASE_URL=" in done.stderr
    assert not list(tmp_path.glob("*.sqlite3")) + list(tmp_path.glob("*.json"))


def test_the_database_of_its_home_is_the_demos_own(tmp_path):
    demo.refuse_other_database({"NAME": str(tmp_path / "studysite.sqlite3")}, tmp_path)


def test_the_demo_uses_any_database_on_request(tmp_path):
    site = Installation(tmp_path, DATABASE_URL="postgres://study@127.0.0.1:1/study")
    done = site.manage("demo", "--any-database", "--port", str(site.port), ok=False)
    assert "the database refused" in done.stderr


def test_a_home_has_one_demo_at_a_time(tmp_path):
    with demo.lock_home(tmp_path, "http://localhost:9000"):
        second = demo.lock_home(tmp_path, "http://localhost:9001")
        with pytest.raises(CommandError, match="STUDYSITE_HOME"):
            second.__enter__()
    with demo.lock_home(tmp_path, "http://localhost:9000"):
        pass


def test_commands_print_the_address_of_a_running_demo(tmp_path, settings):
    settings.STUDYSITE_HOME, settings.SITE_URL = tmp_path, "https://study.example.org"
    assert current_site_url() == "https://study.example.org"
    assert localhost_warning() == ""
    for port in (19000, 9000):
        with demo.lock_home(tmp_path, f"http://localhost:{port}"):
            assert current_site_url() == f"http://localhost:{port}"
            assert "SITE_URL" in localhost_warning()
    assert current_site_url() == "https://study.example.org"


@pytest.mark.parametrize(
    ("file", "name"),
    [("ml-latest-small.zip", "ml-latest-small"), ("my ratings (2).csv", "my-ratings-2")],
)
def test_a_data_set_is_named_after_its_file(tmp_path, file, name):
    (tmp_path / file).write_text("")
    assert demo.dataset_name_from(tmp_path / file) == name


def test_a_missing_source_is_refused(tmp_path):
    with pytest.raises(CommandError, match="Name a folder"):
        demo.dataset_name_from(tmp_path / "nothing.zip")


@pytest.mark.django_db
def test_the_administrator_is_created_once_and_remembered(tmp_path, client):
    file = tmp_path / "demo.json"
    username, password = demo.ensure_administrator(file)
    demo.write_private(file, {"username": username, "password": password})
    assert demo.ensure_administrator(file) == (username, password)
    assert len(password) >= 16
    assert client.login(username="researcher", password=password)


@pytest.mark.django_db
@pytest.mark.parametrize("known", [{}, {"username": "researcher", "password": "not rita's"}])
def test_an_existing_account_keeps_its_password(tmp_path, client, known):
    get_user_model().objects.create_user("researcher", password="rita's own")
    demo.write_private(tmp_path / "demo.json", known)
    username, password = demo.ensure_administrator(tmp_path / "demo.json")
    assert username == "researcher-2"
    assert client.login(username="researcher", password="rita's own")
    assert client.login(username=username, password=password)


# -- the whole of it --------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path):
    """400 users and 80 movies, in the plain form; enough to be stopped in training."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    rows = ["user,item,rating,timestamp"]
    for user in range(400):
        for nth in range(40):
            item, stars = (7 * user + 11 * nth) % 80, 1 + (user * nth + user + nth) % 5
            rows.append(f"{user},{item},{stars},{1_000_000_000 + 60 * len(rows)}")
    (folder / "ratings.csv").write_text("\n".join(rows) + "\n")
    titles = [f"{item},Film {item} ({1950 + item}),Drama" for item in range(80)]
    (folder / "movies.csv").write_text("\n".join(["item,title,genres", *titles]) + "\n")
    return folder


class Demo:
    """``manage.py demo`` as a person starts it, its words in a file."""

    def __init__(self, site: Installation, source) -> None:
        self.output = site.home / "output"
        options = ["--port", str(site.port), "--dataset", str(source), "--web-workers", "2"]
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", *options],
                cwd=ROOT,
                env=site.env,
                stdout=out,
                stderr=out,
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.said(), re.M):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def interrupt(self) -> None:
        """Ctrl-C for the supervisor alone: everything stops."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        assert len(below) >= 4  # gunicorn and its two, the worker
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0, self.said()
        assert still_alive(child.pid for child in below) == []


def web_server(processes: list[psutil.Process]) -> psutil.Process:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # one of a step that has just ended
            if "gunicorn" in process.cmdline():
                return process
    raise AssertionError("gunicorn does not run")


@pytest.fixture
def start(tmp_path, source):
    (tmp_path / "home").mkdir()
    site = Installation(tmp_path / "home")
    begun = []

    def start() -> Demo:
        begun.append(Demo(site, source))
        return begun[-1]

    start.site = site
    yield start
    for each in begun:
        if each.process.poll() is None:
            each.process.terminate()
            each.process.wait(PATIENCE)


def test_the_demo_stops_in_training_resumes_and_keeps_its_data(start):
    first = start()
    first.wait_for("autoencoder: training, pass")
    first.interrupt()
    second = start()
    second.wait_for("^Login: ")
    for word in ("Judge:", "Results:", "Paper:", "Admin:", "Login:"):
        assert len(re.findall(f"^{word} ", second.said(), re.M)) == 1
    facts = json.loads((start.site.home / "demo.json").read_text())
    assert facts["judge"] == f"http://localhost:{start.site.port}/s/demo-tiny/"
    second.interrupt()
    kept = start.site.ask(
        "from survey.models import Judgment; from recommender.models import TrainedModel;"
        "print(Judgment.objects.count(), TrainedModel.objects.count())"
    )
    assert kept == "600 3"
    third = start()
    third.wait_for("^Login: ")
    assert "Training" not in third.said()
    assert json.loads((start.site.home / "demo.json").read_text()) == facts
    third.interrupt()


def test_a_web_server_that_dies_ends_the_demo_with_a_message(start):
    running = start()
    running.wait_for("first page is up")
    below = psutil.Process(running.process.pid).children(recursive=True)
    web_server(below).kill()
    assert running.process.wait(PATIENCE) == 1
    assert "the web server ended by itself" in running.said()
    assert "Traceback" not in running.said()
    assert still_alive(child.pid for child in below) == []

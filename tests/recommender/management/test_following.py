"""The display of progress on a terminal and elsewhere."""

from types import SimpleNamespace

from django.core.management.base import OutputWrapper
from django.core.management.color import color_style

from recommender.core.runs import Progress
from recommender.management import following


class Terminal:
    """A stream that takes everything and claims to be a terminal, or not."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.text, self._is_terminal = "", is_terminal

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return self._is_terminal


def test_a_terminal_shows_one_line_that_is_redrawn(db):
    stream = Terminal(is_terminal=True)
    display = following.Display(OutputWrapper(stream))
    display.show("autoencoder", Progress("training", 5, 10, 2, 0.91234, 75.0))
    display.show("autoencoder", Progress("training", 6, 10, 2, 0.9, 60.0))
    assert stream.text.count("\r") == 2
    assert "\n" not in stream.text
    assert "pass 2, loss 0.9123, 1 min 15 s left" in stream.text
    assert " 60%" in stream.text


def test_progress_is_not_red_on_a_terminal():
    terminal = Terminal(is_terminal=True)
    stream = OutputWrapper(terminal)
    stream.style_func = color_style(force_color=True).ERROR
    following.Display(stream).show("autoencoder", Progress("training", 5, 10, 2, 0.9))
    assert "training" in terminal.text
    assert "\x1b" not in terminal.text


def test_without_a_terminal_a_line_is_written_for_each_phase_and_pass(db):
    stream = Terminal(is_terminal=False)
    display = following.Display(OutputWrapper(stream))
    for done, epoch in ((1, 1), (2, 1), (3, 2)):
        display.show("autoencoder", Progress("training", done, 10, epoch, 0.9))
    assert stream.text.splitlines() == [
        "autoencoder: training, pass 1, loss 0.9000",
        "autoencoder: training, pass 2, loss 0.9000",
    ]


def test_a_rate_is_shown_and_a_line_is_written_every_minute(monkeypatch):
    clock, stream = iter([0.0, 30.0, 61.0]), Terminal(is_terminal=False)
    # The module's own name: other threads go on by the clock.
    monkeypatch.setattr(following, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    display = following.Display(OutputWrapper(stream))
    for done in (100, 200, 300):
        display.show("autoencoder", Progress("training", done, 10_300, 1, None, 50.0))
    assert stream.text.splitlines() == [
        "autoencoder: training, pass 1, 50 s left, 204/s",
        "autoencoder: training, pass 1, 50 s left, 200/s",
    ]

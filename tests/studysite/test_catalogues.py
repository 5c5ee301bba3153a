"""Strings are found, compiled and checked without gettext."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from studysite import catalogues


def test_strings_of_templates_and_modules_are_found():
    found = {message.id for message in catalogues.strings()}
    assert "Skip to the content" in found


def test_a_plural_of_a_template_is_read_with_its_placeholder(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "{% blocktranslate count n=movies trimmed %} {{ n }} movie {% plural %} {{ n }} movies "
        "{% endblocktranslate %}<p>don't stop</p>{% translate 'Hello' context 'door' %}"
    )
    assert catalogues.as_python(page).decode().splitlines() == [
        "ngettext(u'%(n)s movie', u'%(n)s movies', count)",
        "pgettext(u'door', u'Hello')",
    ]


def test_missing_and_mismatched_translations_are_problems():
    catalogue = Catalog(locale="de")
    untranslated = catalogue.add("Start")
    broken = catalogue.add("%(n)s movies", "%(m)s Filme", flags=["python-format"])
    assert list(catalogues.problems_of(untranslated)) == ["is not translated."]
    assert "does not fit" in " ".join(catalogues.problems_of(broken))


def test_fields_and_markup_must_stay_as_they_are():
    catalogue = Catalog(locale="de")
    broken = [
        catalogue.add("{shown} of {all}", "{shown} von {alle}"),
        catalogue.add("Keys: <kbd>1</kbd>", "Tasten: <kdb>1</kbd>"),
        catalogue.add("{n} star", "ein Stern"),
    ]
    assert ["{fields}" in " ".join(catalogues.problems_of(each)) for each in broken] == [True] * 3


def test_a_reader_finds_a_whole_file_while_many_processes_compile(tmp_path):
    catalogue, target = Catalog(locale="de"), tmp_path / "django.mo"
    for number in range(200):
        catalogue.add(f"Movie {number}", f"Film {number}")
    catalogues.compile_catalogue(catalogue, target)

    def compile_and_read(_):
        catalogues.compile_catalogue(catalogue, target)
        with target.open("rb") as file:
            return len(list(read_mo(file)))

    with ThreadPoolExecutor(8) as people:
        assert set(people.map(compile_and_read, range(80))) == {201}
    assert list(tmp_path.iterdir()) == [target]


def test_wrong_usage_prints_the_commands(capsys):
    assert catalogues.main([]) == 2
    assert "extract|compile|check" in capsys.readouterr().err


def test_every_string_is_translated_into_every_language():
    assert list(catalogues.find_problems()) == []


def test_two_plurals_of_one_singular_are_refused():
    catalogue = Catalog()
    catalogue.add(("One minute.", "{n} minutes."))
    catalogues.refuse_second_plural(catalogue, ("One minute.", "{n} minutes."), None)
    with pytest.raises(ValueError, match="Give one of them a context"):
        catalogues.refuse_second_plural(catalogue, ("One minute.", "%(n)s minutes."), None)

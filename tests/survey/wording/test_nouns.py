"""The nouns of a data set in the language of a page."""

import pytest
from django.utils import translation

from recommender.models import Dataset
from survey.wording.nouns import nouns_of


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("en-gb", "1 book", "1,500 books"),
        ("de", "1 Buch", "1.500 Bücher"),
        ("es", "1 libro", "1\xa0500 libros"),
        ("zh-hans", "1 本书", "2 本书"),
    ],
)
def test_a_number_takes_the_noun_of_the_language(language, one, many):
    number = 2 if language == "zh-hans" else 1500
    with translation.override(language):
        nouns = nouns_of(Dataset(item_kind="book"))
        assert (nouns.counted(1), nouns.counted(number)) == (one, many)


def test_own_words_are_used_where_a_language_is_missing():
    dataset = Dataset(item_words={"en": ["podcast", "podcasts"], "de": ["Folge", "Folgen"]})
    for language, many in (("de", "Folgen"), ("es", "podcasts"), ("en-gb", "podcasts")):
        with translation.override(language):
            assert nouns_of(dataset).many == many

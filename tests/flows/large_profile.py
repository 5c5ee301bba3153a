"""A profile as large as they come, made of movies one can search for."""

from recommender.models import Item
from survey.models import Question, Study
from survey.profiles import HALF_STARS
from survey.scales import RatingScale

WORDS = ("Night", "River", "Stranger", "Garden", "Winter", "Letter", "Ocean", "Promise")
PLACES = ("Paris", "the North", "Amélie", "Babel", "Tomorrow", "Kyoto", "the Moon")
GENRES = ("Drama", "Comedy", "Thriller", "Sci-Fi", "Film-Noir", "War", "Romance", "Western")


def rate_many(study: Study, n_movies: int, scale: RatingScale = HALF_STARS) -> None:
    """Every profile of the study becomes one of that many movies, on all of the scale.

    Ratings follow the genre a little: Film-Noir is liked best, Western least.
    """
    movies = Item.objects.bulk_create(
        Item(
            dataset=study.dataset,
            external_id=f"large-{n}",
            title=f"{WORDS[n % 8]} of {PLACES[n // 8 % 7]} {n}",
            year=1930 + n * 7 % 90,
            genres=sorted({GENRES[n % 8], GENRES[n // 8 % 8]}),
        )
        for n in range(n_movies)
    )
    type(study.dataset).objects.filter(pk=study.dataset_id).update(
        scale_minimum=scale.minimum, scale_maximum=scale.maximum, scale_step=scale.step
    )
    rated = [(movie.pk, rating(nth, scale), movie.title) for nth, movie in enumerate(movies)]
    rated.sort(key=lambda row: (-row[1], row[2]))
    profile = [[pk, given] for pk, given, _ in rated]
    Question.objects.filter(study=study).update(profile=profile)


def rating(nth: int, scale: RatingScale) -> float:
    liking = {4: 2, 7: -3}.get(nth % 8, 0)
    tenth = max(1, min(10, 5 + liking + nth * 13 % 5))
    if scale == HALF_STARS:
        return 0.5 * tenth
    level = round((scale.n_levels - 1) * (tenth - nth % 100 / 100) / 10)
    return float(scale.lowest) + level * scale.step

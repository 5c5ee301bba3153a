"""What an appraiser sees: the next question, and whether there is a place."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.models import Movie
from survey.models import Appraiser, Study
from survey.profiles import Card, MovieFacts, Profile, card, profile


@dataclass(frozen=True)
class QuestionPage:
    """The question an appraiser has to answer next; nothing in it tells one arm from the other.

    ``assignment_key`` is what the form sends back as ``assignment``; ``number`` counts from 1.
    """

    assignment_key: str
    number: int
    total: int
    profile: Profile
    left: Card
    right: Card


def places_left(study: Study) -> int:
    """How many may still join: in a pilot appraisers of that kind, otherwise real ones."""
    trial = study.status == Study.Status.PILOT
    kind = Appraiser.Kind.PILOT if trial else Appraiser.Kind.REAL
    return max(0, study.quota - study.appraisers.filter(kind=kind).count())


def question_page(appraiser: Appraiser) -> QuestionPage | None:
    """The first question without an answer, or None when all are answered."""
    assignment = (
        appraiser.assignments.filter(judgment=None)
        .select_related("question__first_movie", "question__second_movie")
        .order_by("position")
        .first()
    )
    if assignment is None:
        return None
    question = assignment.question
    first, second = (_card(movie) for movie in (question.first_movie, question.second_movie))
    first_is_left = assignment.left_arm_id == question.first_arm_id
    left, right = (first, second) if first_is_left else (second, first)
    return QuestionPage(
        assignment_key=str(assignment.key),
        number=assignment.position,
        total=appraiser.assignments.count(),
        profile=_profile(question.profile),
        left=left,
        right=right,
    )


def _facts(movie: Movie) -> MovieFacts:
    return MovieFacts(movie.title, movie.year, movie.genres)


def _card(movie: Movie) -> Card:
    return card(_facts(movie))


def _profile(pairs: list[tuple[int, float]]) -> Profile:
    wanted = Movie.objects.filter(pk__in=[movie for movie, _ in pairs])
    movies = {movie.pk: _facts(movie) for movie in wanted.only("title", "year", "genres")}
    return profile([(movies[movie], stars) for movie, stars in pairs])

"""How a stranger's taste is shown."""

from recommender.models import Item
from survey.profiles import count_tastes, favourite_genres, profile
from survey.scales import RatingScale


def rated(*triples):
    return [
        (Item(title=title, year=year, genres=list(genres)), stars)
        for title, year, genres, stars in triples
    ]


def test_a_profile_groups_every_movie_by_stars_best_first():
    shown = profile(
        rated(("Alien", 1979, ["Horror"], 5.0), ("Big", 1988, [], 3.5), ("Cube", 1997, [], 3.5))
    )
    assert [(group.stars, [movie.title for movie in group.movies]) for group in shown.groups] == [
        (5.0, ["Alien"]),
        (3.5, ["Big", "Cube"]),
    ]
    assert (shown.n_movies, shown.first_year, shown.last_year) == (3, 1979, 1997)
    assert shown.mean_stars == 4.0


def test_on_a_fine_scale_a_profile_groups_every_movie_by_bins_best_first():
    taste = rated(("Azul", 2017, [], 7.31), ("Go", None, [], 7.0), ("Risk", 1959, [], 6.99))
    shown = profile(taste, RatingScale(1, 10, 0.01))
    assert [(group.bin.low, group.bin.high, group.rated) for group in shown.groups] == [
        (7, 8, taste[:2]),
        (6, 7, taste[2:]),
    ]


def test_a_profile_without_years_or_movies_is_shown_too():
    assert profile(rated(("Alien", None, [], 5.0))).first_year is None
    assert profile([]).groups == []


def test_favourite_genres_are_liked_more_than_the_rest():
    taste = rated(*[("a", 1, ["Western"], 5.0)] * 3, *[("b", 1, ["Drama"], 2.0)] * 9)
    assert favourite_genres(taste) == ["Western"]


def test_one_lucky_film_does_not_make_a_favourite_genre():
    taste = rated(
        ("a", 1, ["Noir"], 5.0), *[("b", 1, ["Comedy"], 4.5)] * 8, *[("c", 1, ["War"], 1.0)] * 8
    )
    assert favourite_genres(taste) == ["Comedy", "Noir"]


def test_equal_ratings_of_everything_give_the_most_frequent_genres():
    taste = rated(*[("a", 1, ["War"], 4.0)] * 2, *[("b", 1, ["Drama", "War"], 4.0)] * 3)
    assert favourite_genres(taste) == ["War", "Drama"]


def test_there_are_three_favourites_at_most_and_ties_go_by_name():
    taste = rated(*[(name, 1, [name], 5.0) for name in "DCBA"], ("x", 1, ["X"], 1.0))
    assert favourite_genres(taste) == ["A", "B", "C"]


def test_genres_and_decades_come_best_rated_first_with_their_numbers():
    shown = profile(
        rated(("a", 1994, ["War", "Drama"], 5.0), ("b", 1999, ["War"], 2.0), ("c", 2003, [], 4.5))
    )
    assert [(t.name, t.movies, t.mean_stars) for t in shown.genres.all] == [
        ("Drama", 1, 5.0),
        ("War", 2, 3.5),
    ]
    assert [(t.name, t.movies) for t in shown.decades.all] == [("2000", 1), ("1990", 2)]


def test_a_movie_without_a_year_belongs_to_no_decade():
    assert profile(rated(("a", None, [], 5.0))).decades.all == []


def names(found):
    return [tally.name for tally in found]


def test_the_worst_are_named_worst_first_and_nothing_is_best_and_worst_at_once():
    found = count_tastes(
        [(name, stars) for stars, name in enumerate("FEDCBA") for _ in range(3)], 18
    )
    assert (names(found.best), names(found.worst)) == (["A", "B", "C"], ["F", "E", "D"])
    found = count_tastes([(name, stars) for stars, name in enumerate("CBA") for _ in range(3)], 9)
    assert (names(found.best), names(found.worst)) == (["A", "B"], ["C"])
    assert (names(count_tastes([], 0).best), names(count_tastes([], 0).worst)) == ([], [])


def test_one_lucky_film_makes_no_best_genre():
    pairs = [("Noir", 5.0)] * 4 + [("War", 4.0)] * 10
    assert names(count_tastes(pairs, 500).best) == ["War"]
    assert names(count_tastes([("Noir", 5.0), *[("War", 4.0)] * 3], 4).best) == ["War"]


def test_equal_means_are_ordered_by_movies_and_then_by_name():
    pairs = [("B", 0.1), ("B", 0.2), ("B", 0.3), ("A", 0.2), ("C", 0.2)]
    assert names(count_tastes(pairs, 5).all) == ["B", "A", "C"]

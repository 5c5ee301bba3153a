"""Small side files of the tiny MovieLens source, for the tests of side information."""

from recommender.core.readers.label_sources import find_places
from recommender.core.readers.side_information import open_side_files, read_side_files

TAGS = (
    "userId,movieId,tag,timestamp\n"
    '1,10,Funny,100\n2,10,"  funny ",200\n2,20,"dark, but good",300\n3,40,old,300\n3,99,new,300\n'
)
SCORES = "movieId,tagId,relevance\n10,1,0.25\n10,2,0\n20,2,0.5\n40,1,1\n99,1,0.5\n"
GENOME_TAGS = "tagId,tag\n1,action\n2,noir\n"
KEYWORDS = "movieId,tmdbId,keywords\n10,862,toy|friendship\n20,603,\n30,,city\n"
PEOPLE = (
    "movieId,title,year,directors,actors\n"
    '10,Toy Story,1995,John Lasseter,Tom Hanks|Tim Allen\n20,The Matrix,1999,,"Reeves, Keanu"\n'
)
FILES = {
    "tags.csv": TAGS,
    "genome-scores.csv": SCORES,
    "genome-tags.csv": GENOME_TAGS,
    "keywords.csv": KEYWORDS,
    "people.csv": PEOPLE,
}
#: Items 10, 20 and 30 are rated, 40 is not.
PLACES = find_places(
    [
        ("10", {"imdb": "tt0114709", "tmdb": "862"}, 0),
        ("20", {"imdb": "tt0133093", "tmdb": "603"}, 1),
        ("30", {}, 2),
        ("40", {}, None),
    ]
)


def read_side(places=PLACES, **paths):
    """The labels read from files by their role, underscores for hyphens."""
    with open_side_files({role.replace("_", "-"): path for role, path in paths.items()}) as files:
        return read_side_files(files, places)


def statements(labels):
    """Every statement as (item position, label, weight, time)."""
    times = labels.times.tolist() if labels.times is not None else [None] * len(labels.items)
    return list(
        zip(
            labels.items.tolist(),
            labels.names[labels.labels].tolist(),
            labels.weights.tolist(),
            times,
            strict=True,
        )
    )

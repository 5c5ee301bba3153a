"""Small sources of ratings, written as folders, zips or files, for the tests of the readers."""

import zipfile
from pathlib import Path

MOVIELENS = {
    "ratings.csv": (
        "userId,movieId,rating,timestamp\n"
        "1,10,4.0,964982703\n1,20,0.5,964981247\n2,10,5.0,964982224\n7,30,3.5,964983815\n"
    ),
    "movies.csv": (
        "movieId,title,genres\n"
        "10,Toy Story (1995),Adventure|Comedy\n"
        '20,"Matrix, The (1999)",Action\n'
        '30,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Fantasy\n'
        "40,Nobody Rated Me,(no genres listed)\n"
    ),
    "links.csv": "movieId,imdbId,tmdbId\n10,0114709,862\n20,0133093,603\n30,0112682,\n40,,\n",
    "README.txt": (
        "Summary\n=======\n\nTiny.\n\nUsage License\n=============\n\n"
        "The data may be used for tests.\n\nCitation\n========\n\nNobody.\n"
    ),
}
DAT = {
    "ratings.dat": "1::10::4::964982703\n1::20::1::964981247\n2::10::5::964982224\n",
    "movies.dat": "10::Toy Story (1995)::Comedy\n20::Amélie (2001)::Comedy|Romance\n",
}
FLAGS = "|".join("0" * 19)
HUNDRED = {
    "u.data": "1\t1\t3\t881250949\n1\t2\t3\t891717742\n2\t1\t1\t878887116\n2\t3\t5\t880606923\n",
    "u.item": (
        f"1|Toy Story (1995)|01-Jan-1995|||0|0|0|1|1|1{'|0' * 13}\n"
        f"2|Misérables, Les (1995)|01-Jan-1995|||{FLAGS}\n"
        f"3|unknown||||1{'|0' * 18}\n"
    ),
    "u1.base": "1\t1\t3\t881250949\n2\t3\t5\t880606923\n",
    "u1.test": "2\t1\t1\t878887116\n1\t2\t3\t891717742\n",
}
PLAIN = "user,item,rating,timestamp\n1,2,4,100\n1,3,5,200\n2,2,1,300\n"


def folder(where: Path, files: dict[str, str | bytes], encoding: str = "utf-8") -> Path:
    where.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode(encoding)
        (where / name).write_bytes(raw)
    return where


def zipped(where: Path, files: dict[str, str | bytes], encoding: str = "utf-8") -> Path:
    with zipfile.ZipFile(where, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            raw = content if isinstance(content, bytes) else content.encode(encoding)
            archive.writestr(name, raw)
    return where


def plain(where: Path, content: str | bytes = PLAIN) -> Path:
    """A plain CSV file in the folder ``where``."""
    folder(where, {"stars.csv": content})
    return where / "stars.csv"

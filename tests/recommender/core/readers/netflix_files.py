"""The Netflix Prize in small: three movies, four users, nine ratings."""

FIRST = "1:\n7,3,2005-09-06\n12,5,2005-05-13\n3,1,1999-11-11\n2:\n7,4,2004-02-29\n"
SECOND = "3:\n3,2,2005-12-31\n12,3,2005-01-01\n2649429,5,2005-01-02\n7,1,2005-09-06\n"
COMBINED = {"combined_data_1.txt": FIRST, "combined_data_2.txt": SECOND + "10:\n12,4,2003-03-03\n"}
MOVIES = {
    "mv_0000001.txt": FIRST.split("2:\n")[0],
    "mv_0000002.txt": "2:\n7,4,2004-02-29\n",
    "mv_0000003.txt": SECOND,
    "mv_0000010.txt": "10:\n12,4,2003-03-03\n",
}
TITLES = (
    "1,2003,Dinosaur Planet\n2,2004,Isle of Man TT 2004 Review\n3,NULL,Caf\xe9, Bar, Cinema\n"
    "10,1999,Fighter\n11,1996,Never Rated\n"
).encode("latin-1")
PROBE = "1:\n12\n3\n10:\n12\n"
WHOLE = {**COMBINED, "movie_titles.txt": TITLES, "probe.txt": PROBE, "qualifying.txt": "1:\n5,x\n"}
SECONDS = {"2005-09-06": 1125964800, "2004-02-29": 1078012800}

"""Makes the report of the paper's tables and figures for a data set; run by a job."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from django.db import close_old_connections
from numpy.typing import NDArray

from recommender import store
from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.duplicates import with_duplicates
from recommender.core.exhibits import accuracy, clusters, documents, paper
from recommender.core.exhibits.definitions import list_definitions
from recommender.core.exhibits.exhibit import Exhibit
from recommender.core.exhibits.neurons import FEWEST_CANDIDATES, Neurons, examine_neurons
from recommender.core.exhibits.paper import Card, Result
from recommender.core.metrics import UserFigures, average_users
from recommender.core.profile_policies import TRAIN_ONLY
from recommender.core.ratings import Ratings
from recommender.core.runs import Progress, RunOptions
from recommender.core.significance import bootstrap, compare_systems
from recommender.core.splitting import split as split_ratings
from recommender.core.systems import describe_preset, system
from recommender.lease import Lease
from recommender.loaders import load_ratings
from recommender.models import Dataset, Evaluation, Item, Job, TrainedModel
from recommender.restoring import restore_model
from recommender.selectors import duplicates_of, models_to_report
from recommender.services.publishing import keep_report

RESAMPLES = 2_000  # for the interval of an error
PROFILE_RANGE = (5, 60)  # ratings of the profile in Figure 6, if there is one
CANDIDATES = 100  # profiles tried for two different recommendations
#: why an exhibit is missing although its systems were trained; no command helps
TOO_SHORT = ("The training was too short for a curve.", "")
SAME_ITEMS = (f"The two systems recommend the same item to each of {CANDIDATES} profiles.", "")
FEW_ITEMS = (f"The data set has fewer than {FEWEST_CANDIDATES} rated items.", "")


def run_report(job: Job, lease: Lease, options: RunOptions) -> None:
    """Make every exhibit that the stored models allow, and write it in every format."""
    from recommender.core.exhibits import drawing  # matplotlib takes a second to load

    dataset = Dataset.objects.get(pk=job.params["dataset"])
    split = job.params["split"]
    lease.phase("loading")
    ratings = load_ratings(dataset)
    models = models_to_report(dataset=dataset, split=split)
    exhibits, findings = make_exhibits(dataset, ratings, split, models, options)
    files: dict[str, bytes] = {}
    for done, exhibit in enumerate(exhibits):
        lease.report(Progress("drawing", done, len(exhibits)))
        files |= _texts(exhibit)
        if not exhibit.missing:
            drawn = drawing.draw_exhibit(exhibit)
            files |= {f"{exhibit.name}.{kind}": data for kind, data in drawn.items()}
    title = f"Tables and figures of the paper on {dataset.name}, {split}"
    files["paper.pdf"] = drawing.bind_exhibits(title, findings, exhibits)
    parts = [f"# {title}\n", *(f"{line}\n" for line in findings)]
    parts += [documents.markdown_text(exhibit) for exhibit in exhibits]
    files["paper.md"] = "\n".join(parts).encode()
    facts = {
        "split": split,
        "findings": findings,
        "exhibits": [exhibit.to_dict() for exhibit in exhibits],
        "files": sorted(files),
    }
    files["report.json"] = json.dumps(facts).encode()
    lease.phase("saving")
    checksum = store.write_files(lease.claim.report, files)
    close_old_connections()
    keep_report(claim=lease.claim, dataset=dataset, checksum=checksum)


def make_exhibits(
    dataset: Dataset,
    ratings: Ratings,
    split: str,
    models: Sequence[TrainedModel],
    options: RunOptions,
) -> tuple[list[Exhibit], list[str]]:
    """The figures, then the tables, and what they say of the paper's claims."""
    network = next(filter(_has_layers, models), None)
    results = results_of(models, network)
    knn = next((model for model in models if model.system == "user-knn"), None)
    train = f"manage.py train_models --dataset {dataset.name} --split {split} --systems"
    where = f"not been trained on {dataset.name} with the split {split}."
    no_network = f"The autoencoder has {where}", f"{train} autoencoder"
    no_pair = f"User-user KNN and the autoencoder have {where}", f"{train} autoencoder,user-knn"
    no_errors = f"Systems that predict ratings have {where}", no_pair[1]
    mine = results[network.pk] if network else None
    other = results[knn.pk] if knn else None
    titles, names, genres = _labels(dataset, ratings.n_items)
    neurons = _neurons(network, genres, options) if network else None
    profile, cards = _question(dataset, ratings, [m for m in (network, knn) if m], options)
    exhibits = [
        *paper.draw_networks(mine, ratings.n_items, *no_network),
        paper.count_ratings(ratings.values, ratings.scale),
        paper.draw_training(mine, *(TOO_SHORT if network else no_network)),
        accuracy.compare_all(list(results.values()), *no_errors),
        paper.show_question(profile, cards, *(SAME_ITEMS if network and knn else no_pair)),
        clusters.list_clusters(neurons, titles, names, *(FEW_ITEMS if network else no_network)),
        accuracy.compare_two(other, mine, *no_pair),
        list_definitions(
            split_ratings(ratings, split, knn.split_seed if knn else 0), progress=options.progress
        ),
    ]
    findings = accuracy.state_findings(
        list(results.values()), mine, other, clusters.state_clusters(neurons)
    )
    return exhibits, findings


def _has_layers(model: TrainedModel) -> bool:
    return model.system == "autoencoder" and isinstance(model.config.get("hidden"), list)


def results_of(models: Sequence[TrainedModel], reference: TrainedModel | None) -> dict[int, Result]:
    """What is stored of the errors of each system and preset, by the id of its newest model.

    ``models`` are the newest first. Those that differ only in their seed are averaged. Intervals
    and comparisons with the reference need the errors of single users, which models evaluated by an
    earlier version lack. Only models of the reference's test ratings are compared.
    """
    groups: dict[tuple[str, str], list[TrainedModel]] = {}
    for model in models:
        shown = describe_preset(model.system, model.preset, model.config)
        groups.setdefault((model.system, shown), []).append(model)
    results, by_user, seeds = {}, {}, {}
    for group in groups.values():
        pk, stored = group[0].pk, [_errors(model) for model in group]
        found = [errors for errors in stored if errors is not None]
        users = [
            UserFigures.from_arrays(store.read_arrays(one.users, one.users_checksum))
            for one in found
            if one.users
        ]
        if users and len(users) == len(found):
            by_user[pk], seeds[pk] = average_users(users), group[0].split_seed
        results[pk] = _result(group[0], found, by_user.get(pk))
    if reference is None or reference.pk not in by_user:
        return results
    others = {
        str(pk): figures
        for pk, figures in by_user.items()
        if pk != reference.pk and seeds[pk] == reference.split_seed
    }
    for row in compare_systems(by_user[reference.pk], others):
        pk = int(row["system"])
        results[pk] = replace(results[pk], p=row["p"], p_holm=row["p_holm"])
    return results


def _errors(model: TrainedModel) -> Evaluation | None:
    for found in model.evaluations.all():
        if found.policy == TRAIN_ONLY and found.rmse is not None:
            return found
    return None


def _result(
    model: TrainedModel, errors: Sequence[Evaluation], by_user: UserFigures | None
) -> Result:
    found = Result(
        system=model.system,
        label=system(model.system).label,
        preset=describe_preset(model.system, model.preset, model.config),
        config=model.config,
        loss_curve=model.loss_curve,
    )
    if not errors:
        return found
    rmse, rmse_spread = _mean_and_spread([one.rmse for one in errors])
    mae, mae_spread = _mean_and_spread([one.mae for one in errors])
    found = replace(
        found,
        train_rmse=_mean_and_spread([one.train_rmse for one in errors])[0],
        rmse=rmse,
        mae=mae,
        seeds=len(errors),
        rmse_spread=rmse_spread,
        mae_spread=mae_spread,
    )
    if by_user is None:
        return found
    return replace(
        found,
        rmse_interval=_interval(by_user.squared, by_user.counts, root=True),
        mae_interval=_interval(by_user.absolute, by_user.counts, root=False),
    )


def _mean_and_spread(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """The mean and the standard deviation (None for a single value) of those that there are."""
    known = [value for value in values if value is not None]
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return (float(np.mean(known)) if known else None), spread


def _interval(
    sums: NDArray[np.float64], counts: NDArray[np.int64], *, root: bool
) -> tuple[float, float]:
    """The 95 % interval of an error: that of its difference from no error at all."""
    found = bootstrap(np.zeros(len(sums)), sums, counts, root=root, resamples=RESAMPLES)
    return found.low, found.high


def _neurons(
    network: TrainedModel, genres: NDArray[np.bool_], options: RunOptions
) -> Neurons | None:
    model = restore_model(network).to(options.device)
    if not isinstance(model, Autoencoder):
        return None
    return examine_neurons(model, genres, seed=network.seed, progress=options.progress)


def _labels(dataset: Dataset, n_items: int) -> tuple[list[str], list[str], NDArray[np.bool_]]:
    """Titles (n_items), the names of the genres, and which item has which (n_items, n_genres)."""
    items = list(Item.objects.filter(dataset=dataset).exclude(position=None).order_by("position"))
    names = sorted({genre for item in items for genre in item.genres})
    genres = np.zeros((n_items, len(names)), bool)
    for item in items:
        genres[item.position, [names.index(genre) for genre in item.genres]] = True
    return [str(item) for item in items], names, genres


def _question(
    dataset: Dataset,
    ratings: Ratings,
    models: Sequence[TrainedModel],
    options: RunOptions,
) -> tuple[list[tuple[str, float]], list[Card]]:
    """The first profile of a usual length for which two systems recommend different items."""
    if len(models) != 2:
        return [], []
    lengths = np.diff(ratings.indptr)
    low, high = PROFILE_RANGE
    usual = np.flatnonzero((lengths >= low) & (lengths <= high))[:CANDIDATES]
    users = usual if len(usual) else np.argsort(-lengths, kind="stable")[:CANDIDATES]
    profiles = ratings.matrix()[users]
    rated = with_duplicates(profiles, duplicates_of(dataset, ratings.n_items))
    chosen = [
        restore_model(model).to(options.device).recommend(profiles, 1, rated, options=options)
        for model in models
    ]
    first, second = (ranking.items[:, 0] for ranking in chosen)
    differing = np.flatnonzero((first != second) & (first >= 0) & (second >= 0))
    if not len(differing):
        return [], []
    row = int(differing[0])
    span = slice(*ratings.indptr[[users[row], users[row] + 1]])
    positions, stars = ratings.indices[span].tolist(), ratings.values[span].tolist()
    wanted = [*positions, int(first[row]), int(second[row])]
    items = {
        item.position: item for item in Item.objects.filter(dataset=dataset, position__in=wanted)
    }
    profile = sorted(
        ((str(items[place]), rating) for place, rating in zip(positions, stars, strict=True)),
        key=lambda line: (-line[1], line[0]),
    )
    cards = [
        _card(items[int(places[row])], model)
        for places, model in zip((first, second), models, strict=True)
    ]
    return profile, cards


def _card(item: Item, model: TrainedModel) -> Card:
    facts = " · ".join(filter(None, [str(item.year or ""), ", ".join(item.genres)]))
    return Card(item.title, facts, system(model.system).label)


def _texts(exhibit: Exhibit) -> dict[str, bytes]:
    texts = {
        f"{exhibit.name}.md": documents.markdown_text(exhibit),
        f"{exhibit.name}.tex": documents.latex_text(exhibit),
        **{f"{table.name}.csv": documents.csv_text(table) for table in exhibit.tables},
    }
    return {name: text.encode() for name, text in texts.items()}

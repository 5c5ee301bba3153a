"""The researchers' list of studies, and the models that may become arms."""

import pytest

from recommender.core.systems import SYSTEMS
from survey.errors import StudyError
from survey.models import Appraiser
from survey.selectors.arm_labels import label_arms
from survey.selectors.studies import model_for_arm, study_list
from tests.factories import NOW, DatasetFactory, StudyFactory, TrainedModelFactory
from tests.survey.judging import judge

pytestmark = pytest.mark.django_db


def test_the_list_counts_real_and_simulated_apart_in_one_query(study, django_assert_num_queries):
    done = judge(study, "a" * 15)
    Appraiser.objects.filter(pk=done.pk).update(finished_at=NOW, outcome="done")
    judge(study, "aaa")
    judge(study, "a" * 15, kind="simulated")
    StudyFactory(slug="newer", dataset=study.dataset)
    with django_assert_num_queries(1):
        newer, line = study_list()
    assert (newer.slug, newer.n_judgments) == ("newer", 0)
    assert (line.n_judgments, line.n_finished, line.n_simulated_judgments) == (18, 1, 15)


def test_an_arm_is_the_newest_of_its_system_or_the_one_with_that_number(db, home):
    dataset = DatasetFactory(name="films")
    paper = TrainedModelFactory(dataset=dataset, system="autoencoder", preset="paper")
    old, new = (TrainedModelFactory(dataset=dataset, system="autoencoder") for _ in range(2))
    TrainedModelFactory(dataset=DatasetFactory(name="others"), system="autoencoder")
    found = {
        text: model_for_arm(dataset=dataset, text=text)
        for text in ("autoencoder", "autoencoder:compact", "autoencoder:paper", str(old.pk))
    }
    assert list(found.values()) == [new, new, paper, old]


def test_an_arm_may_be_named_by_the_former_or_present_name_of_its_system(home):
    model = TrainedModelFactory(system="autoencoder", preset="tuned")
    for text in ("autoencoder:tuned", "dual-autoencoder", "dual-autoencoder:tuned"):
        assert model_for_arm(dataset=model.dataset, text=text) == model
    assert label_arms([model]) == ["Dual autoencoder"]
    with pytest.raises(StudyError, match=r"\(dual-autoencoder:tuned\)"):
        model_for_arm(dataset=model.dataset, text="99999")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("nonsense", ", ".join(SYSTEMS)),
        ("user-knn:compact", "Choose from: paper"),
        ("autoencoder", "train_models --dataset films --systems autoencoder"),
        ("autoencoder:paper", "--systems autoencoder --preset paper"),
        ("99999", "(bias:default)"),
    ],
)
def test_a_text_that_names_no_model_is_refused_with_the_available_ones(text, remedy):
    model = TrainedModelFactory(dataset=DatasetFactory(name="films"), system="bias")
    with pytest.raises(StudyError) as refused:
        model_for_arm(dataset=model.dataset, text=text)
    assert remedy in str(refused.value)

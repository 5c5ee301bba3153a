"""How the tables of a comparison are written."""

from io import StringIO

import pytest
from django.core.management.base import OutputWrapper

from recommender.management.comparisons import ComparisonWriter
from recommender.services.comparing import plan_lines
from tests.recommender.fake import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_heart")]


@pytest.fixture
def write(dataset, start):
    run(start(system="bias"))
    lines = plan_lines(
        dataset=dataset, systems=["bias", "popularity"], profile="train-only", seeds=1
    )

    def written(**options):
        out, err = OutputWrapper(StringIO()), OutputWrapper(StringIO())
        writer = ComparisonWriter(out, err, **options)
        writer.add(lines)
        writer.end({"netflix-probe": "It has no probe."})
        return out.getvalue(), err.getvalue()

    return written


def test_a_markdown_table_has_a_heading_and_a_line_for_each_system(write, dataset):
    out, _ = write(form="markdown")
    title, blank, heading, rules, bias, popularity, *_ = out.splitlines()
    assert title == f"## time-90-10, profiles train-only, {dataset.name}"
    assert (blank, heading[:20]) == ("", "| system | preset | ")
    assert rules.startswith("| --- | --- | --- | --- | ---: |")
    assert bias.startswith("| bias | default | done | no | ")
    assert popularity.startswith("| popularity | default | missing | no | – | – |")


def test_a_single_table_as_text_has_no_title(write):
    assert write()[0].startswith("system ")


def test_with_json_the_reasons_and_the_cost_are_on_the_other_stream(write):
    out, err = write(form="json")
    assert out.startswith("[")
    assert "probe" not in out
    assert "No table for netflix-probe: It has no probe." in err
    assert "This command took" in err

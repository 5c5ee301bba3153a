"""Flags follow from the options; what they cannot mean is refused."""

from argparse import ArgumentParser

import pytest

from recommender.options import add_flags, flag_form
from survey.errors import StudyError
from survey.protocol import flags, panels
from survey.protocol.fields import Protocol, StudyPlan

PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")


def parsed(*arguments):
    parser = ArgumentParser()
    add_flags(parser, StudyPlan, flags.flag_of, defaults=True)
    flags.add_protocol_arguments(parser)
    return flags.protocol_from(vars(parser.parse_args(arguments)))


def test_without_flags_a_study_is_that_of_the_paper():
    assert parsed() == Protocol()


def test_checks_are_all_to_be_passed_unless_a_number_is_given():
    assert parsed("--checks", "2").checks_to_pass == 2
    assert parsed("--checks", "2", "--checks-to-pass", "1").checks_to_pass == 1


def test_a_share_of_repeats_is_of_the_questions():
    assert parsed("--questions", "30", "--repeats", "10%").n_repeats == 3


def test_every_option_has_a_flag_or_needs_a_file():
    names = {name for name, field in Protocol.model_fields.items() if flag_form(field)}
    assert set(Protocol.model_fields) - names == {"translations", "panel", "before", "after"}


def test_a_flag_overrides_the_file_and_the_rest_of_it_holds(tmp_path):
    file = tmp_path / "protocol.toml"
    file.write_text('third_answer = "unsure"\nn_checks = 2\nera_to = 1999\nask_comment = true\n')
    assert parsed("--protocol", str(file), "--tie", "--era", "1950-") == Protocol(
        third_answer="tie", n_checks=2, checks_to_pass=2, era_from=1950, ask_comment=True
    )


@pytest.mark.parametrize("text", ["n_practise = 2", 'entry = "panel"', '[[before]]\nname = "age"'])
def test_a_problem_in_a_file_names_the_file(tmp_path, text):
    file = tmp_path / "protocol.toml"
    file.write_text(text)
    with pytest.raises(StudyError, match=r"protocol\.toml: "):
        parsed("--protocol", str(file))


def test_an_era_can_be_open_at_either_end():
    assert flags.read_era("1980-1999") == {"era_from": 1980, "era_to": 1999}
    assert flags.read_era("1980-") == {"era_from": 1980, "era_to": None}
    assert flags.read_era("-1999") == {"era_from": None, "era_to": 1999}


@pytest.mark.parametrize("text", ["", "-", "1980", "80-99", "1980-1990-2000", "a-b"])
def test_an_era_that_is_none_is_refused(text):
    with pytest.raises(StudyError, match="--era"):
        flags.read_era(text)


def test_prolific_needs_its_three_codes_only():
    assert parsed("--prolific", "CDONE, CSCREEN,CFAIL") == Protocol(entry="panel", panel=PROLIFIC)


@pytest.mark.parametrize("text", ["", "A,B", "A,B,C,D"])
def test_fewer_or_more_codes_are_refused(text):
    with pytest.raises(StudyError, match="--prolific"):
        flags.read_prolific(text)

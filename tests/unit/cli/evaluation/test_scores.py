"""Scores of rankings and answers."""

from math import log2

import pytest

from cli.evaluation.scores import exact_match, f1, hit_at, is_quoted, ndcg_at


def test_hits_count_from_one() -> None:
    assert hit_at(1, [1]) == 1
    assert hit_at(1, [2]) == 0
    assert hit_at(5, [7, 5]) == 1
    assert hit_at(5, []) == 0


def test_ndcg_is_one_for_the_ideal_order() -> None:
    assert ndcg_at(10, [1, 2], 2) == pytest.approx(1)
    assert ndcg_at(10, [2], 1) == pytest.approx(1 / log2(3))
    assert ndcg_at(10, [1], 2) == pytest.approx(1 / (1 + 1 / log2(3)))
    assert ndcg_at(10, [11], 1) == 0
    assert ndcg_at(10, range(1, 11), 40) == pytest.approx(1)


def test_case_punctuation_and_articles_do_not_count() -> None:
    assert exact_match("The Nine, fathoms.", ["nine fathoms"]) == 1
    assert exact_match("nine fathoms deep", ["nine fathoms", "9"]) == 0
    assert exact_match("", ["nine"]) == 0


def test_f1_takes_the_best_known_answer() -> None:
    assert f1("It is nine fathoms deep", ["nine fathoms", "ten"]) == pytest.approx(4 / 7)
    assert f1("seven", ["nine fathoms"]) == 0
    assert f1("", ["nine"]) == 0


def test_a_script_without_spaces_is_compared_by_characters() -> None:
    assert f1("水深九米", ["九米"]) == pytest.approx(2 * 0.5 * 1 / 1.5)
    assert is_quoted(["水曜日"], ["毎週水曜日は休館です。"]) == 1


def test_an_answer_is_quoted_word_by_word() -> None:
    assert is_quoted(["4 Nm", "x"], ["Scheibe: 4 Nm,\nT25"]) == 1
    assert is_quoted(["4 Nm"], ["14 Nm", "4", "Nm"]) == 0

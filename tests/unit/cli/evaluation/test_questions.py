"""The file of an evaluation."""

import json
from pathlib import Path

import pytest

from cli.evaluation.questions import BadFile, read_questions


def written(folder: Path, *lines: object) -> Path:
    path = folder / "questions.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("\n".join(texts), "utf-8")
    return path


def test_a_line_is_a_question(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"question": " How deep? ", "sources": ["a/ports.md"], "tags": ["en"]},
        "",
        {"question": "Who?", "id": "q2", "answerable": False},
    )
    first, second = read_questions(path)
    assert (first.id, first.line, first.question.question) == ("line 1", 1, "How deep?")
    assert (second.id, second.line, second.question.answerable) == ("q2", 3, False)


def test_a_byte_order_mark_is_no_part_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"question": "Who?", "answers": ["I"]}\r\n')
    assert len(read_questions(path)) == 1


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "line 2: This must be JSON"),
        ("[" * 100_000, "line 2: This must be JSON"),
        ("[]", "line 2: Input should be"),
        ({"question": " ", "answers": ["a"]}, "line 2: /question: "),
        ({"question": "Who?"}, "line 2: A question must have sources, chunks or answers"),
        ({"question": "Who?", "answerable": False, "answers": ["I"]}, "line 2: A question that"),
        ({"question": "Who?", "answerable": "no"}, "line 2: /answerable: "),
        ({"question": "Who?", "source": "a"}, "line 2: /source: Extra inputs"),
        ({"question": "Who?", "sources": ["a", "a"]}, "line 2: /sources: The same value"),
        ({"question": "Who?", "sources": [7]}, "line 2: /sources/0: "),
        ({"question": "Who?", "answers": ["I"], "id": "a"}, "line 2: Line 1 also has the id 'a'"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: object, fault: str) -> None:
    path = written(tmp_path, {"question": "Where?", "answers": ["Here"], "id": "a"}, line)
    with pytest.raises(BadFile) as error:
        read_questions(path)
    assert str(error.value).startswith(f"{path}: {fault}")


def test_a_file_without_questions_is_bad(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="has no questions"):
        read_questions(written(tmp_path, "", " "))
    with pytest.raises(BadFile, match="can't be read: No such file"):
        read_questions(tmp_path / "missing.jsonl")
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes('{"question": "Où?"}'.encode("latin-1"))
    with pytest.raises(BadFile, match="not UTF-8"):
        read_questions(latin)

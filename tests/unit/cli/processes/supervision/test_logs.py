from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cli.processes.supervision.logs import MAX_LINE_BYTES, LogFile, split_lines


def test_each_line_says_whose_it_is(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "all.log")
    log.write("api", "listening")
    log.write("temporal", "100 % {of} it")
    log.close()
    first, second = log.path.read_text().splitlines()
    assert first.endswith(" api      | listening")
    assert second.endswith(" temporal | 100 % {of} it")


def test_a_second_run_appends(tmp_path: Path) -> None:
    for line in ("one", "two"):
        log = LogFile(tmp_path / "all.log")
        log.write("api", line)
        log.close()
    assert len((tmp_path / "all.log").read_text().splitlines()) == 2


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))), st.data())
def test_lines_are_the_same_however_they_arrive(lines: list[str], data: st.DataObject) -> None:
    sent = "".join(f"{line}\n" for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)))))
    received: list[str] = []
    pending = b""
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        whole, pending = split_lines(pending, sent[start:end])
        received += whole
    assert received == lines
    assert pending == b""


def test_a_line_without_end_is_cut() -> None:
    lines, rest = split_lines(b"", b"x" * (2 * MAX_LINE_BYTES + 1))
    assert [len(line) for line in lines] == [MAX_LINE_BYTES, MAX_LINE_BYTES]
    assert rest == b"x"


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert split_lines(b"", b"\xff\r\n") == (["\ufffd"], b"")

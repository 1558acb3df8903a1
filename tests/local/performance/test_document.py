"""Each command rewrites its own section of the document alone."""

from pathlib import Path

from local.performance.document import table, write_section


def test_a_section_is_added_replaced_and_left(tmp_path: Path):
    path = tmp_path / "performance.md"
    write_section(path, "One", "first")
    write_section(path, "Two", "### Part\n\nsecond")
    assert path.read_text() == "# Performance\n\n## One\n\nfirst\n\n## Two\n\n### Part\n\nsecond\n"
    write_section(path, "One", "\\1 is new\n\n")
    assert path.read_text() == "# Performance\n\n## One\n\n\\1 is new\n\n## Two\n\n### Part\n\nsecond\n"
    write_section(path, "Two", "last")
    assert path.read_text() == "# Performance\n\n## One\n\n\\1 is new\n\n## Two\n\nlast\n"


def test_a_table():
    assert table(["name", "n"], [["a", "1"]]) == "| name | n |\n| --- | ---: |\n| a | 1 |"

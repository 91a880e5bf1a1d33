"""What deploy/ ships agrees with the code and the guide it stands beside."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = ["-Q gpu", "-c 1", "--pool-start-method spawn", "--max-tasks-per-child 1", "--disable-prefetch"]


def words_of(name: str) -> str:
    """The file's commands on one line, as a shell or a list of words."""
    return re.sub(r'[\s"\',\\\[\]]+', " ", (ROOT / name).read_text())


def test_the_unit_and_the_container_start_the_worker_as_the_tests_do() -> None:
    for name in ("deploy/preferably-node.service", "deploy/Containerfile.node"):
        assert [option for option in OPTIONS if option not in words_of(name)] == [], name


def test_every_variable_of_the_nodes_file_is_one_we_read() -> None:
    table = (ROOT / "docs/configuration.md").read_text()
    named = re.findall(r"^([A-Z_]+)=", (ROOT / "deploy/node.env.example").read_text(), re.MULTILINE)

    assert [name for name in named if f"`{name}`" not in table] == []

"""The documentation: what is written from elsewhere is current, what is named exists."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pluvo_client.schema.contract import Contract
from pluvo_client.settings import problems
from pluvo_client.settings.sources import from_environment, variable_of
from pluvo_sandbox.__main__ import _parser as sandbox_parser
from pluvo_webhooks.__main__ import _parser as webhooks_parser
from pluvo_webhooks.metrics import Metrics
from tap_pluvo.filters import parse_filters
from tap_pluvo.metrics import OF_RUN, OF_STREAM
from tap_pluvo.streams import STREAMS
from tap_pluvo.tap import TapPluvo
from target_pluvo.target import TargetPluvo
from target_thought_industries.target import TargetThoughtIndustries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Target

TARGET_CLASSES: list[type[Target]] = [TargetPluvo, TargetThoughtIndustries]
ROOT = Path(__file__).parents[2]
ROOTS = {stream.name: stream.root_field() for stream in STREAMS if stream.takes_filters}
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
MKDOCS = ROOT / ".venv-tools/docs/bin/mkdocs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Whose settings the pages show; those of all others are the tap's.
PROGRAM_OF = {
    **dict.fromkeys(
        ("how-to/hr.md", "how-to/issue-certificates.md", "how-to/write-safely.md"), "target-pluvo"
    ),
    "reference/target-pluvo.md": "target-pluvo",
    "how-to/bridge.md": "target-thought-industries",
    "reference/target-thought-industries.md": "target-thought-industries",
}
PREFIXES = ("TAP_PLUVO", "TARGET_PLUVO", "TARGET_THOUGHT_INDUSTRIES")
OTHERS = {"TAP_PLUVO__SELECT", "TAP_PLUVO_PIP_URL"}  # read by Meltano, not by the tap

PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))
JOBS = {job["name"] for job in PROJECT["jobs"]}
PLUGINS = {plugin["name"] for kind in PROJECT["plugins"].values() for plugin in kind}
PARSERS = {"pluvo-sandbox": sandbox_parser, "pluvo-webhooks": webhooks_parser}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def name_of(path: Path) -> str:
    return str(path.relative_to(DOCS))


def blocks(*languages: str, program: str | None = None) -> list[Any]:
    """Return the blocks of all pages, or of those about one program's settings."""
    return [
        pytest.param(text, id=f"{name_of(page)}-{number}")
        for page in PAGES
        if program in {None, PROGRAM_OF.get(name_of(page), "tap-pluvo")}
        for number, (language, text) in enumerate(BLOCK.findall(page.read_text("utf-8")), 1)
        if language in languages
    ]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The settings of the tap, those of the SDK included."""
    schema: dict[str, Any] = json.loads(json.dumps(TapPluvo.config_jsonschema))
    TapPluvo.append_builtin_config(schema)
    return schema


def target_schema(target: type[Target]) -> dict[str, Any]:
    """The settings of a target, those of the SDK included."""
    schema: dict[str, Any] = json.loads(json.dumps(target.config_jsonschema))
    target.append_builtin_config(schema)
    return schema


# What is generated


def test_generated_files_are_current(tmp_path: Path) -> None:
    program = ROOT / "scripts/docs/generate.py"
    subprocess.run([sys.executable, str(program), "--into", str(tmp_path)], check=True)
    wanted = {
        path.relative_to(tmp_path): path.read_text("utf-8")
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    found = {path: (ROOT / path).read_text("utf-8") for path in wanted}
    assert found == wanted, "run `make generate`"
    reference = {path.relative_to(ROOT) for path in (DOCS / "reference").iterdir()}
    assert reference <= wanted.keys(), "no longer generated"


def test_files_for_meltano_and_its_hub_are_current() -> None:
    command = [sys.executable, str(ROOT / "scripts/meltano_settings.py"), "--check"]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_every_setting_and_every_column_is_there(schema: dict[str, Any]) -> None:
    settings = (DOCS / "reference/settings.md").read_text("utf-8")
    assert set(re.findall(r"^### `(\w+)`", settings, re.MULTILINE)) == set(schema["properties"])
    streams = (DOCS / "reference/streams.md").read_text("utf-8")
    for path in (ROOT / "schemas").glob("*.json"):
        section = streams.partition(f"\n## `{path.stem}`\n")[2].partition("\n## ")[0]
        columns = json.loads(path.read_text("utf-8"))["properties"]
        assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == list(columns)


# What is named


def commands(text: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Give the commands of a block, each with the variables that it sets."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "export":
            words = words[1:]
        variables = {}
        while words and re.match(r"[A-Z_0-9]+=", words[0]):
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
        for separator in ("|", "<", ">", ">>"):
            if separator in words:
                words = words[: words.index(separator)]
        yield variables, words


def shell(text: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Give the commands of a block that is no program of another language."""
    if "python -c" not in text:
        yield from commands(text)


@pytest.mark.parametrize("text", blocks("sh"))
def test_commands_exist(text: str, schema: dict[str, Any]) -> None:
    programs = (TapPluvo, TargetPluvo)
    options = {option for cls in programs for item in cls.cli.params for option in item.opts}
    for variables, words in shell(text):
        known = {f"TAP_PLUVO_{name.upper()}" for name in schema["properties"]}
        known |= {
            variable_of(target.name, name)
            for target in TARGET_CLASSES
            for name in target_schema(target)["properties"]
        }
        ours = {name for name in variables if name.startswith(PREFIXES)}
        assert ours - OTHERS <= known
        given = {name: value for name, value in variables.items() if value != "..."}
        settings = from_environment(given, schema)
        assert problems(settings, schema) == []
        parse_filters(settings.get("filters", {}), ROOTS, Contract())
        if not words:
            continue
        program, *arguments = words
        flags = {word.partition("=")[0] for word in arguments if word.startswith("--")}
        match Path(program).name:
            case "tap-pluvo" | "target-pluvo" | "target-thought-industries":
                assert flags <= options | {"--help"}
            case "pluvo-sandbox" | "pluvo-webhooks" as ours_too:
                PARSERS[ours_too]().parse_args(arguments)
            case "make":
                assert set(arguments[:1]) <= TARGETS
            case "meltano":
                plain = [word for word in arguments if not word.startswith("--")]
                if plain[0] == "run":
                    name, _, command = plain[1].partition(":")
                    # tap-csv is added on the page itself.
                    assert name in (PLUGINS if command else JOBS | {"tap-csv"})
                elif plain[0] in {"invoke", "select"}:
                    assert plain[1].partition(":")[0] in PLUGINS
            case "python" | "bash" | "pytest":
                path = next(word for word in arguments if not word.startswith("-"))
                assert (ROOT / path).exists() or (ROOT / "dbt" / path).exists(), path


@pytest.mark.parametrize(
    "text", [item for item in blocks("json", program="tap-pluvo") if "..." not in item.values[0]]
)
def test_settings_in_json_are_accepted(text: str, schema: dict[str, Any]) -> None:
    settings = json.loads(text)
    if "streams" not in settings:  # of a catalog
        assert problems(settings, schema) == []


@pytest.mark.parametrize(
    ("target", "text"),
    [
        pytest.param(target, *item.values, id=item.id)
        for target in TARGET_CLASSES
        for item in blocks("json", program=target.name)
    ],
)
def test_settings_of_a_target_in_json_are_accepted(target: type[Target], text: str) -> None:
    settings = json.loads(text)
    if "files" not in settings:  # of tap-csv
        assert problems(settings, target_schema(target), target.name) == []


def extractors(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if part.get("name") in {"tap-pluvo", "tap-pluvo-batch"}:
            yield part
        for value in part.values():
            yield from extractors(value)
    elif isinstance(part, list):
        for value in part:
            yield from extractors(value)


@pytest.mark.parametrize("text", blocks("yaml"))
def test_project_files_fit(text: str, schema: dict[str, Any]) -> None:
    document = yaml.safe_load(text)
    for extractor in extractors(document):
        assert problems(extractor.get("config", {}), schema) == []
    for schedule in document.get("schedules", []):
        assert schedule["job"] in JOBS
    assert problems(document.get("config", {}), schema) == []


def said_by_the_tap() -> str:
    """Return all texts of what the tap is made of, those inside f-strings part by part."""
    texts = [
        node.value
        for package in ("pluvo_client", "pluvo_singer", "tap_pluvo")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return "\n".join(texts)


def test_messages_are_those_of_the_tap() -> None:
    said = said_by_the_tap()
    page = (DOCS / "how-to/errors.md").read_text("utf-8")
    messages = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(messages) > 20
    for message in messages:
        for part in message.split("…"):
            assert part.strip() in said, message


@pytest.mark.parametrize("file", ["how-to/monitor.md", "../orchestrate/prometheus/pluvo.rules.yml"])
def test_metrics_that_are_named_exist(file: str) -> None:
    known = {f"tap_pluvo_{name}" for name in OF_STREAM | OF_RUN}
    daily = (ROOT / "orchestrate/daily.sh").read_text("utf-8")
    known |= set(re.findall(r"pluvo_job_\w+", daily))
    named = set(re.findall(r"\b(?:tap_pluvo|pluvo_job)_\w+", (DOCS / file).read_text("utf-8")))
    assert named
    assert named <= known
    if file.startswith("how-to"):
        assert named == known


def test_metrics_of_the_receiver() -> None:
    known = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in Metrics().registry.collect()
        if metric.name.startswith("pluvo_webhooks")
    }
    page = (DOCS / "how-to/webhooks.md").read_text("utf-8")
    assert set(re.findall(r"\bpluvo_webhooks_\w+", page)) == known


def test_tests_that_are_named_exist() -> None:
    named = [
        found
        for page in PAGES
        for found in re.findall(r"`([\w/]+\.py)::(\w+)`", page.read_text("utf-8"))
    ]
    assert len(named) > 30
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / "tests" / file).read_text("utf-8"), f"{file}::{test}"


def test_pages_of_the_vendor_are_those_of_the_contract() -> None:
    contract = (ROOT / "schemas/pluvo.graphql").read_text("utf-8")
    known = set(re.findall(r"[\w-]+", " ".join(re.findall(r"\[(.*?)\]", contract))))
    known |= {"introduction-2", "getting-started-2"}  # on access only
    known |= {"webhooks-2", "webhooks-0b489"}
    for page in PAGES:
        for cited in re.findall(r"\(pages? (`[^)]*)\)", page.read_text("utf-8")):
            assert set(re.findall(r"`([\w-]+)`", cited)) <= known, f"{name_of(page)}: {cited}"


# The site


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{name_of(page)}: {link}"


def test_nothing_of_this_machine_is_shown() -> None:
    for page in PAGES:
        assert not re.search(r"/(home|root|work|tmp|Users)/", page.read_text("utf-8")), page


@pytest.mark.skipif(not MKDOCS.exists(), reason="run `make setup`")
def test_the_site_is_built_and_needs_no_network(tmp_path: Path) -> None:
    process = subprocess.run(
        [MKDOCS, "build", "--strict", "--site-dir", tmp_path],
        check=False,
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.returncode == 0, process.stdout
    for page in tmp_path.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"""<(script|img|iframe)[^>]+src=["']?(https?:)?//""", text), page
        assert not re.search(r"""<link[^>]+href=["']?(https?:)?//""", text), page


# The hub and the workflows

HUB_KEYS = {
    *("capabilities", "description", "domain_url", "executable", "keywords", "label", "log_parser"),
    *("logo_url", "maintenance_status", "name", "namespace", "pip_url", "quality", "repo"),
    *("select", "settings", "settings_group_validation", "supported_python_versions", "variant"),
}
HUB_SETTING_KEYS = {"description", "kind", "label", "name", "options", "sensitive", "value"}
HUB_KINDS = {
    *("array", "boolean", "date_iso8601", "decimal", "email", "file", "hidden", "integer", "oauth"),
    *("object", "options", "password", "string"),
}
HUB_CAPABILITIES = {
    *("about", "activate-version", "batch", "catalog", "discover", "log-based", "properties"),
    *("schema-flattening", "state", "stream-maps", "structured-logging", "test"),
}


def in_order(part: Any) -> bool:
    """Tell whether the keys of all objects are sorted, as the hub's linter wants."""
    if isinstance(part, dict):
        return list(part) == sorted(part) and all(map(in_order, part.values()))
    return not isinstance(part, list) or all(map(in_order, part))


@pytest.mark.parametrize("path", sorted((ROOT / "hub").glob("*/*/*.yml")), ids=str)
def test_an_entry_for_the_hub(path: Path) -> None:
    """What the hub's JSON Schema and its linter ask of a plugin definition."""
    entry = yaml.safe_load(path.read_text("utf-8"))
    assert entry["name"] == path.parent.name
    assert entry["variant"] == path.stem == path.stem.lower()
    assert f"/{path.stem}/" in entry["repo"].lower()
    assert set(entry) <= HUB_KEYS
    assert in_order(entry)
    assert entry["capabilities"] == sorted(entry["capabilities"])
    assert set(entry["capabilities"]) <= HUB_CAPABILITIES
    assert entry["quality"] in {"gold", "silver", "bronze", "unknown"}
    assert entry["maintenance_status"] in {"active", "beta", "development", "inactive", "unknown"}
    names = [setting["name"] for setting in entry["settings"]]
    assert names == sorted(names)
    for setting in entry["settings"]:
        assert set(setting) <= HUB_SETTING_KEYS
        assert setting["kind"] in HUB_KINDS
        assert setting["label"]
        assert setting["description"]
        assert (setting["kind"] == "password") == setting.get("sensitive", False)
        assert all(isinstance(item["value"], str) for item in setting.get("options", []))
    for group in entry["settings_group_validation"]:
        assert set(group) <= set(names)
    assert all(re.fullmatch(r"3\.\d+", item) for item in entry["supported_python_versions"])


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=str)
def test_workflows(path: Path) -> None:
    text = path.read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
    for script in re.findall(r"run: bash (\S+)", text):
        assert (ROOT / script).is_file()
    for target in re.findall(r"run: make (\S+)", text):
        assert target in TARGETS

import json
import re
import shutil
from pathlib import Path

import pytest

from bot.domain.triage import CATEGORIES
from bot.model.prompts import PromptError, load
from bot.sandbox.messages.output_schema import problem

SHIPPED = Path(__file__).parents[2] / "prompts"
TASK = "id: triage\nversion: 1\nmax_output_tokens: 4000\neffort: low\n"
SCHEMA = """{
  "type": "object",
  "additionalProperties": false,
  "required": ["word"],
  "properties": {
    "word": {
      "type": "string",
      "maxLength": 5
    }
  }
}
"""
EXAMPLES = '[\n  {"context": "say hello", "answer": {"word": "hello"}}\n]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    task = tmp_path / "triage"
    task.mkdir()
    (task / "task.yaml").write_text(TASK)
    (task / "prompt.md").write_text("Say one word.\n")
    (task / "schema.json").write_text(SCHEMA)
    (task / "examples.json").write_text(EXAMPLES)
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(PromptError) as caught:
        load(folder)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_prompt_is_read_whole(folder):
    prompt = load(folder)["triage"]
    assert (prompt.id, prompt.version, prompt.max_output_tokens, prompt.effort) == ("triage", 1, 4000, "low")
    assert prompt.system.startswith("Say one word.")
    assert "say hello" in prompt.system
    assert '"word": "hello"' in prompt.system


@pytest.mark.parametrize("file", ["task.yaml", "prompt.md", "schema.json", "examples.json"])
def test_the_digest_changes_with_every_file(folder, file):
    before = load(folder)["triage"].digest
    replaced = {
        "task.yaml": ("1", "2"),
        "prompt.md": ("one", "a"),
        "schema.json": ("5", "6"),
        "examples.json": ("say", "do"),
    }
    path = folder / "triage" / file
    path.write_text(path.read_text().replace(*replaced[file], 1))
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert load(folder)["triage"].digest != before


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("task.yaml", "version: 1", "version: one", "triage/task.yaml:2: version: must be of type integer"),
        ("task.yaml", "effort: low", "effort: heroic", "triage/task.yaml:4: effort: must be one of low, medium, high"),
        ("task.yaml", "version: 1\n", "", "triage/task.yaml:1: the whole: version is missing"),
        ("task.yaml", "effort: low", "efort: low", "triage/task.yaml:1: the whole:"),
        ("task.yaml", "effort: low", "effort: low\nspeed: 1", "has a key that is not known; accepted: id, version"),
        ("task.yaml", "version: 1", "version: [", "triage/task.yaml:4: not YAML"),
        ("task.yaml", "effort: low", "effort: low\nversion: 2", "triage/task.yaml:5: version is given twice"),
        ("task.yaml", "id: triage", "id: review", "triage/task.yaml:1: id: must be 'triage', the folder's name"),
        ("prompt.md", "Say one word.", "", "triage/prompt.md:1: is empty"),
        ("schema.json", '"maxLength": 5', '"maxLength": 5,', "triage/schema.json:9: is not JSON"),
        (
            "schema.json",
            '"maxLength": 5',
            '"maxLength": "5"',
            "triage/schema.json:8: properties.word.maxLength: must be of",
        ),
        (
            "schema.json",
            '"string"',
            '["string", "null"]',
            "triage/schema.json:7: properties.word.type: a list of types",
        ),
        ("schema.json", '"additionalProperties": false,\n', "", "an object must say additionalProperties: false"),
        (
            "schema.json",
            '"type": "string",',
            '"oneOf": [{"type": "string"}], "anyOf": [{"type": "string"}],',
            "write anyOf",
        ),
        (
            "examples.json",
            '{"word": "hello"}',
            '{"word": "goodbye"}',
            "triage/examples.json:2: [0].answer.word: must satisfy",
        ),
        ("examples.json", '"context"', '"contxt"', "triage/examples.json:2: [0]: "),
    ],
)
def test_a_broken_file_is_refused_by_file_line_and_key(folder, file, old, new, said):
    path = folder / "triage" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert said in refusal(folder)


def test_a_missing_file_is_named(folder):
    (folder / "triage" / "schema.json").unlink()
    assert refusal(folder) == "triage/schema.json: cannot be read: No such file or directory"


def test_a_file_that_is_no_text(folder):
    (folder / "triage" / "prompt.md").write_bytes(b"fine\n\xff\xfe")
    assert refusal(folder) == "triage/prompt.md:2: is not UTF-8 text"


def test_a_huge_file_is_refused_unread(folder):
    (folder / "triage" / "prompt.md").write_text("x" * 300_000)
    assert "is larger than 262,144 bytes" in refusal(folder)


def test_deep_nesting_is_refused(folder):
    (folder / "triage" / "examples.json").write_text("[" * 100_000)
    assert "triage/examples.json" in refusal(folder)


def test_no_folder_and_an_empty_folder_say_what_to_do(tmp_path):
    assert "SIGNOFF_PROMPTS" in refusal(tmp_path / "nowhere")
    assert "no prompt in it" in refusal(tmp_path)


def test_a_misfit_is_told_without_repeating_the_answer(folder):
    prompt = load(folder)["triage"]
    assert prompt.problem({"word": "ok"}) is None
    assert prompt.problem({"word": "a secret that is long"}) == "word: must satisfy maxLength 5"
    assert prompt.problem({}) == "the whole: word is missing"
    assert prompt.problem({"word": "ok", "secret": 1}) == "the whole: has a key that is not known; accepted: word"


class TestShipped:
    def test_the_schema_survives_the_sdk_and_the_api_takes_it(self):
        from anthropic import transform_schema

        schema = load(SHIPPED)["triage"].schema
        wire = transform_schema({key: value for key, value in schema.items() if key != "$schema"})
        assert problem(wire) is None
        assert set(wire["properties"]) == set(schema["properties"])
        assert "additionalProperties" not in json.dumps(wire).replace('"additionalProperties": false', "")

    def test_categories_and_severities_are_those_of_the_domain(self):
        properties = load(SHIPPED)["triage"].schema["properties"]
        assert tuple(properties["category"]["enum"]) == CATEGORIES

    def test_examples_cite_only_what_they_show_and_propose_only_what_is_on_offer(self):
        for example in load(SHIPPED)["triage"].examples:
            shown = set(re.findall(r"^(E\d+) ", example.context, re.M))
            offered = set(re.findall(r"^RUNBOOK ([\w-]+):", example.context, re.M))
            parts = [*example.answer["causes"], *example.answer["proposals"]]
            assert {cited for part in parts for cited in part["evidence"]} <= shown
            assert {proposal["runbook"] for proposal in example.answer["proposals"]} <= offered
            for proposal in example.answer["proposals"]:
                assert all(str(pair["value"]) in example.context for pair in proposal["parameters"])

    def test_they_load_from_a_copy(self, tmp_path):
        shutil.copytree(SHIPPED, tmp_path / "prompts")
        assert load(tmp_path / "prompts")["triage"].digest == load(SHIPPED)["triage"].digest

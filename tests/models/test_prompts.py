"""Prompts keep track of the user's words, whatever the template does around them."""

from __future__ import annotations

import pytest

from explore.errors import CheckpointError, QuestionError
from explore.layout import Role
from explore.models.prompts import Prompt, PromptWriter
from tests.tiny import tiny_processor, tiny_runner

LISTED = (
    "{% for m in messages %}[{{ m['role'] }}]{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] | trim }}{% endif %}{% endfor %}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
PLAIN = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
PARTS = "{% for p in m['content'] %}{{ p.get('text', '<image>') }}{% endfor %}"


def writer(template: str | None) -> PromptWriter:
    processor = tiny_processor()
    processor.chat_template = template
    return PromptWriter(processor, tiny_runner()._family.plain_prompt)


def marked(prompt: Prompt, role: Role) -> list[str]:
    return [prompt.text[start:end] for start, end, each in prompt.spans if each is role]


def test_without_a_template_it_is_llavas() -> None:
    prompt = writer(None).write("what is this?", 1)
    assert prompt.text == "USER: <image>\nwhat is this? ASSISTANT:"
    assert marked(prompt, Role.QUESTION) == ["what is this?"]
    assert prompt.bridge == " "


def test_without_a_template_system_text_stands_before_everything() -> None:
    prompt = writer(None).write("what is this?", 1, "  Be brief. ")
    assert prompt.text == "Be brief. USER: <image>\nwhat is this? ASSISTANT:"
    assert marked(prompt, Role.SYSTEM) == ["Be brief."]


def test_blank_system_text_is_none() -> None:
    assert writer(LISTED).write("a", 1, "  ") == writer(LISTED).write("a", 1)


@pytest.mark.parametrize("template", [None, LISTED, PLAIN], ids=["none", "listed", "plain"])
@pytest.mark.parametrize("question", ["user", "USER", "assistant", "[user]", "a {{ brace }}", "ünï ✓", "two\nlines"])
@pytest.mark.parametrize("system", [None, "Be brief, user."])
def test_the_question_is_found_by_place(template: str | None, question: str, system: str | None) -> None:
    prompt = writer(template).write(f"  {question} ", 2, system)
    assert marked(prompt, Role.QUESTION) == [question]
    assert marked(prompt, Role.SYSTEM) == ([system] if system else [])
    assert prompt.text.count("<image>") == 2
    assert len(prompt.spans) == 1 + (system is not None)


def test_the_bridge_is_the_templates_own() -> None:
    assert writer(LISTED).write("a", 1).bridge == ""
    assert writer(PLAIN).write("a", 1).bridge == " "


def test_a_template_that_ends_in_a_line_break_needs_no_bridge() -> None:
    template = "{% for m in messages %}" + PARTS + "{% endfor %}{{ ':\n' }}"
    assert writer(template).write("a", 1).bridge == ""


@pytest.mark.parametrize("question", ["", "   ", "\n"])
def test_empty_questions_are_refused(question: str) -> None:
    with pytest.raises(QuestionError, match="at least one character"):
        writer(None).write(question, 1)


def test_no_text_is_refused() -> None:
    with pytest.raises(QuestionError):
        writer(None).write(None, 1)  # type: ignore[arg-type]


def test_a_placeholder_in_the_question_is_refused() -> None:
    with pytest.raises(QuestionError, match="stands for a picture"):
        writer(None).write("what is <image>?", 1)


def test_a_template_without_pictures_is_refused() -> None:
    with pytest.raises(CheckpointError, match="placeholders"):
        writer("{% for m in messages %}{{ m['role'] }}{% endfor %}").write("a", 1)


def test_a_template_without_a_place_for_system_text_is_refused() -> None:
    template = "{% for m in messages if m['role'] == 'user' %}" + PARTS + "{% endfor %}"
    with pytest.raises(CheckpointError, match="system"):
        writer(template).write("a", 1, "be brief")


def test_a_template_that_changes_the_question_is_refused() -> None:
    template = "{% for m in messages %}" + PARTS.replace("<image>')", "<image>') | lower") + "{% endfor %}"
    made = writer(template)
    made.write("lower case", 1)
    with pytest.raises(CheckpointError, match="changes the question"):
        made.write("Upper", 1)


def test_a_template_error_is_a_checkpoint_error() -> None:
    with pytest.raises(CheckpointError, match="roles must alternate"):
        writer("{{ raise_exception('roles must alternate') }}").write("a", 1)


def test_a_first_token_in_the_text_is_not_added_again() -> None:
    assert not writer("<s>" + LISTED).write("a", 1).add_special
    assert writer(LISTED).write("a", 1).add_special

"""The prompt format of the shipped model, which is LLaVA-1.5's."""

from __future__ import annotations

from explore.sketch.language import Question

IMAGE_TOKEN = "<image>"
PREFIX = "USER: " + IMAGE_TOKEN + "\n"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}"
    "{{ message['content'] if message['content'] is string else message['content'][0]['text'] }} {% endif %}"
    "{% if message['role'] == 'user' %}USER: "
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}"
    "{% endif %}{% endif %}"
    "{% if message['role'] == 'assistant' %} ASSISTANT: "
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}"
    "{% endif %}</s>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)


def turn_text(question: Question) -> str:
    """One turn as it follows ``PREFIX``: question, assistant mark, answer, without the end token."""
    return f"{question.text} ASSISTANT: {question.answer}"

"""What the builders share: a tokenizer of bytes and a few words, small sizes, chat templates, random values everywhere.

Every size is small and no two that a family could mix up are equal: decoder 32 wide, vision tower 24, feed-forward 48
and 40, patches of 4 pixels, pictures of about 16 to 64.
"""

from __future__ import annotations

from typing import Any
from unittest import mock

import torch
import transformers
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from transformers.processing_utils import ProcessorMixin

from explore.models import torchvision_free

_WORDS = ("what", "is", "the", "colour", "of", "this", "picture", "red", "green", "blue", "user", "assistant", "model")
_BASIC = ("<pad>", "<s>", "</s>", "<unk>")
CONTEXT = 2048
QUESTION = "what is the colour of this?"
_IN_FRONT = ("Florence2Processor", "FuyuProcessor", "Kosmos2_5Processor")  # they write their placeholders themselves


def tokenizer(*more: str, bos: bool = False, **named: Any) -> PreTrainedTokenizerFast:
    """Bytes, some words with the space before them, and a family's control tokens.

    Parameters
    ----------
    more
        Control tokens without a name.
    bos
        Whether the tokenizer puts its first token in front by itself.
    named
        Control tokens with the name the processor asks for (``image_token="<image>"``). Other values are set as they
        are.
    """
    control = [*dict.fromkeys([*_BASIC, *more, *(each for each in named.values() if isinstance(each, str))])]
    vocab = {piece: index for index, piece in enumerate([*control, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    merges = list[tuple[str, str]]()
    for word in _WORDS:
        for built in ("Ġ", ""):
            rest, first = (word, built) if built else (word[1:], word[0])
            for letter in rest:
                if (first, letter) not in merges:
                    merges.append((first, letter))
                first += letter
                vocab.setdefault(first, len(vocab))
    raw = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens([AddedToken(each, normalized=False, special=True) for each in control])
    if bos:
        from tokenizers.processors import TemplateProcessing

        raw.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", vocab["<s>"])])
    made = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens={name: each for name, each in named.items() if isinstance(each, str)},
    )
    for name, value in named.items():
        if not isinstance(value, str):
            setattr(made, name, value)
    return made


def text_sizes(own: PreTrainedTokenizerFast, **more: Any) -> dict[str, Any]:
    """Sizes of a tiny decoder: two layers, four heads of eight, two of keys and values."""
    return {
        "vocab_size": len(own),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": CONTEXT,
        "pad_token_id": own.pad_token_id,
        "bos_token_id": own.bos_token_id,
        "eos_token_id": own.eos_token_id,
        "tie_word_embeddings": False,
    } | more


def tower_sizes(**more: Any) -> dict[str, Any]:
    """Sizes of a tiny vision tower: three layers, three heads of eight, patches of four pixels."""
    return {
        "hidden_size": 24,
        "intermediate_size": 40,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "image_size": 16,
        "patch_size": 4,
    } | more


def sam_sizes() -> dict[str, Any]:
    """Sizes of a tiny tower of the SAM kind."""
    return {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "image_size": 64,
        "patch_size": 4,
        "window_size": 6,
        "global_attn_indexes": [1],
        "mlp_dim": 40,
    }


def chat(
    image: str, turn: str = "{role}: ", end: str = "\n", start: str = "", video: str | None = None, **names: str
) -> str:
    """A chat template: `turn` and `end` around every turn, `image` for every picture, `start` once.

    `video` is made of `image` where it is not given. `names` are what the template calls a role.
    """
    before, after = (repr(each)[1:-1] for each in turn.split("{role}"))
    video = video or image.replace("image", "video")
    called = "{" + ", ".join(f"'{role}': '{name}'" for role, name in names.items()) + "}"
    say = f"{{{{ '{before}' + called.get(role, role) + '{after}' }}}}"
    return (
        f"{{% set called = {called} %}}{{{{ {start!r} }}}}"
        "{% for message in messages %}{% set role = message['role'] %}"
        + say
        + "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
        "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
        + f"{{{{ {image!r} }}}}"
        + "{% elif part['type'] == 'video' %}"
        + f"{{{{ {video!r} }}}}"
        + "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
        + f"{{{{ {end!r} }}}}"
        + "{% endfor %}{% if add_generation_prompt %}{% set role = 'assistant' %}"
        + say
        + "{% endif %}"
    )


def class_of(name: str, folder: str | None = None) -> Any:
    """A class of transformers by name; with its folder and file ("llama4.image_processing_llama4") also without
    torchvision."""
    return getattr(torchvision_free.module_of(folder), name) if folder else getattr(transformers, name)


def processor(cls: Any, **parts: Any) -> Any:
    """A processor of these parts. Classes are not checked: without torchvision the library knows none for video."""
    with mock.patch.object(ProcessorMixin, "check_argument_for_proper_class"):
        return cls(**parts)


def shaken(model_class: Any, config: Any, seed: int = 0) -> Any:
    """A model in which every parameter is random: norms, biases, gates, layer scales, so that a skipped one shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config).float().eval()
        with torch.no_grad():
            for name, values in model.named_parameters():
                noise = torch.randn(values.shape)
                scale = "norm" in name.lower() and name.endswith("weight")
                values.copy_(1 + 0.2 * noise if scale else 0.15 * noise)
    model.generation_config.do_sample = False
    return model


def inputs(
    model: Any, own: Any, pictures: list[Image.Image], question: str = QUESTION, mixed: bool = False, **more: Any
) -> tuple[str, dict[str, Any]]:
    """A prompt and what the processor makes of it, called as the toolkit does it; pixels in the model's number type.

    `mixed` gives the pictures as parts of the text. `more` goes to the processor.
    """
    text = prompt(own, len(pictures), question)
    given = {"text": [[*pictures, text]]} if mixed else {"text": [text], "images": pictures}
    made = own(
        **given,
        return_tensors="pt",
        add_special_tokens=special(own, text),
        return_offsets_mapping=True,
        return_text_replacement_offsets=True,
        **more,
    )
    cast = {
        name: value.to(model.dtype) if isinstance(value, torch.Tensor) and value.is_floating_point() else value
        for name, value in made.items()
    }
    return text, cast


def special(own: Any, text: str) -> bool:
    """Whether the tokenizer is to put its own tokens around a prompt: not where template or processor write them."""
    first, asked = own.tokenizer.bos_token, getattr(own, "text_kwargs", {}).get("add_special_tokens", True)
    return bool(asked) and not (first and text.startswith(first))


def prompt(own: Any, pictures: int, question: str = QUESTION, films: int = 0) -> str:
    """The prompt the checkpoint's own template makes of some pictures or films and a question."""
    content = [{"type": "image"}] * pictures + [{"type": "video"}] * films + [{"type": "text", "text": question}]
    turn = [{"role": "user", "content": content}]
    if getattr(own, "chat_template", None) is None:
        token = getattr(own, "image_token", None)
        if not isinstance(token, str) or type(own).__name__ in _IN_FRONT:
            return question
        return token * pictures + question
    return str(own.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))

"""A request is written in pieces; whoever looks at its body, and whoever does not, sends the same bytes."""

from __future__ import annotations

import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from attrs import asdict, evolve
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import presets, to_json

from orpolicy.compiled import Compiled
from orpolicy.errors import OrpolicyError, UsageError
from orpolicy.language.compiler import Compiler
from orpolicy.language.files import Memory
from orpolicy.language.lowered import Lowered
from orpolicy.language.request import Outline, Request, encode
from orpolicy.language.values import FrozenDict, FrozenList, freeze
from orpolicy.language.workspace import Workspace

TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(["", "né ☃ 🦜", '\u2028\x00\\"/\x7f', "]}"])
ANY_TEXTS = TEXTS | st.text(st.characters(categories=["Cs"]), min_size=1)  # half of a pair goes into no UTF-8
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.decimals(allow_nan=False)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=12)
PARTS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["text", "image_url"]), "text": ANY_TEXTS}), max_size=3
)
SAID = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "tool"])}, optional={"content": ANY_TEXTS | PARTS}
)
MESSAGES = ANY_TEXTS | st.lists(SAID | st.dictionaries(TEXTS, JSON), max_size=4)
NAMES = st.sampled_from(["model", "provider", "messages", "stream", "temperature"]) | TEXTS
LOWERED = st.builds(
    Lowered,
    body=st.dictionaries(NAMES, JSON, max_size=5),
    headers=st.just({"X-Title": "Support"}),
    base_url=st.just("https://openrouter.ai/api/v1"),
    system=st.none() | ANY_TEXTS,
    max_cost=st.none(),
    moved=st.just({}),
)


def plain(lowered: Lowered, messages: Any) -> dict[str, Any]:
    """Make a whole body, as somebody would who has never heard of pieces."""
    said = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
    system = [] if lowered.system is None else [{"role": "system", "content": lowered.system}]
    return {**lowered.body, "messages": [*system, *said]}


def dumped(value: Any) -> bytes:
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=float)
    return written.encode()


def outcome(write: Any) -> bytes | str:
    """Return what is written, or, where it is refused, that it is."""
    try:
        written: bytes = write()
    except (UsageError, ValueError):  # UnicodeEncodeError, too
        return "refused"
    return written


@given(LOWERED, MESSAGES, st.booleans())
def test_pieces_are_the_bytes_of_the_whole(lowered: Lowered, messages: Any, stream: bool) -> None:
    body = plain(lowered, messages)
    if stream:
        body["stream"] = True
    request = Outline(lowered, "triage").request(messages)
    assert outcome(lambda: request.to_bytes(stream=stream)) == outcome(lambda: dumped(body))


@given(LOWERED, MESSAGES, st.booleans())
def test_looking_at_the_body_changes_no_byte(lowered: Lowered, messages: Any, stream: bool) -> None:
    outline = Outline(lowered, "triage")
    looked_at = outline.request(messages)
    assert type(looked_at.body) is dict
    assert repr(looked_at.body) == repr(plain(lowered, messages))  # NaN is not equal to itself
    assert list(looked_at.body) == list(plain(lowered, messages))
    unseen = outline.request(messages)
    assert outcome(lambda: looked_at.to_bytes(stream=stream)) == outcome(
        lambda: unseen.to_bytes(stream=stream)
    )


@given(
    preset=presets(environments=("prod",)),
    messages=MESSAGES,
    temperature=st.none() | st.sampled_from([0, 1.5]),
)
def test_the_same_holds_for_compiled_presets_and_overrides(
    preset: Any, messages: Any, temperature: Any
) -> None:
    files = {"orpolicy.yaml": "environments: [prod]\n", "presets/a.yaml": yaml.safe_dump(to_json(preset))}
    overrides = {} if temperature is None else {"temperature": temperature}
    try:
        compiled = Compiler(Workspace(Memory(files))).compile("a")
        request = compiled.request(messages, **overrides)
    except OrpolicyError:
        assume(False)
    whole = compiled.request(messages, **overrides).body
    assert outcome(request.to_bytes) == outcome(lambda: dumped(whole)) == outcome(lambda: encode(whole))


LIMITED = """\
model: openai/gpt-5-mini
system: Be brief.
max_tokens: 100
max_cost: 0.01
provider: {max_price: {prompt: 1, completion: 2}}
"""


def limited(**overrides: Any) -> Request:
    compiler = Compiler(Workspace(Memory({"presets/a.yaml": LIMITED})))
    return Compiled.of(compiler.compile("a"), None).request([{"role": "user", "content": "né"}], **overrides)


@pytest.mark.parametrize("overrides", [{}, {"max_tokens": 5}, {"skin": "responses"}, {"skin": "messages"}])
def test_what_edits_the_body_is_in_the_bytes(overrides: dict[str, Any]) -> None:
    request = limited(**overrides)
    assert request.to_bytes() == dumped(request.body)


OUTLINE = Outline(
    Lowered(
        {"model": "a/b", "tools": [{"x": [1]}]},
        {"X-Title": "S"},
        "https://openrouter.ai/api/v1",
        "Be brief.",
        None,
        {},
    ),
    "triage",
)
HELLO = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]


def test_a_changed_body_is_what_is_sent() -> None:
    request = OUTLINE.request("Hello")
    request.body["seed"] = 1
    request.body["messages"].append({"role": "user", "content": "And?"})
    request.body["tools"][0]["x"].append(2)
    assert request.to_bytes() == dumped(request.body)
    assert json.loads(request.to_bytes())["tools"] == [{"x": [1, 2]}]
    assert json.loads(OUTLINE.request("Hello").to_bytes())["tools"] == [{"x": [1]}]


def test_the_list_of_messages_is_the_callers_to_change_afterwards() -> None:
    messages = [*HELLO]
    request = OUTLINE.request(messages)
    messages.append({"role": "user", "content": "later"})
    assert request.to_bytes() == OUTLINE.request(HELLO).to_bytes()
    assert request.body == OUTLINE.request(HELLO).body


@pytest.mark.parametrize("look", [False, True])
def test_requests_are_values_whether_somebody_looked_or_not(look: bool) -> None:
    request, other = OUTLINE.request(HELLO), OUTLINE.request(HELLO)
    if look:
        assert request.body["model"] == "a/b"
    for same in (
        other,
        copy.deepcopy(request),
        copy.copy(request),
        pickle.loads(pickle.dumps(request)),
        evolve(request),
    ):
        assert same == request
        assert same.to_bytes() == request.to_bytes()
    assert evolve(request, path="/x").path == "/x"
    assert evolve(request, body={"a": 1}).to_bytes() == b'{"a":1}'
    assert asdict(request)["body"] == request.body
    assert OUTLINE.request("Bye") != request
    assert "Hello" not in repr(OUTLINE.request(HELLO))


def test_what_cannot_be_changed_can_be_copied() -> None:
    frozen = freeze({"a": [1, {"b": [2]}]})
    for same in (copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):
        assert same == frozen
        assert type(same) is FrozenDict
        assert type(same["a"]) is FrozenList


def test_threads_that_look_at_once_see_one_body() -> None:
    for _ in range(50):
        request, barrier = OUTLINE.request(HELLO), Barrier(2)

        def look(request: Request = request, barrier: Barrier = barrier) -> int:
            barrier.wait(5)
            return id(request.body)

        with ThreadPoolExecutor(2) as pool:
            assert len({future.result() for future in [pool.submit(look), pool.submit(look)]}) == 1


def test_a_request_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="'Request' has no attribute 'bodies'"):
        OUTLINE.request("Hello").bodies  # type: ignore[attr-defined]  # noqa: B018 - the point


class Name(str):
    """A text of another class."""

    __slots__ = ()

    def __str__(self) -> str:
        return "shown"


def test_a_text_of_another_class_is_sent_as_what_it_holds() -> None:
    assert OUTLINE.request(Name("held")).to_bytes() == OUTLINE.request("held").to_bytes()


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ("\ud83d", "half of a surrogate pair"),
        ([{"content": "\ud83d"}], "half of a surrogate pair"),
        ([{"content": float("nan")}], "is not JSON"),
        ([{"content": {1, 2}}], "a value of type set"),
        ([MappingProxyType({})], "a value of type mappingproxy"),
        ([{"content": Decimal("sNaN")}], "is not JSON"),
    ],
)
def test_what_json_cannot_carry_is_refused_in_pieces_as_in_the_whole(messages: Any, words: str) -> None:
    request = OUTLINE.request(messages)
    with pytest.raises(UsageError, match=words):
        request.to_bytes()
    with pytest.raises(UsageError, match=words):
        encode(request.body)


def test_a_conversation_without_end_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UsageError, match="nested too deeply"):
        OUTLINE.request([{"content": deep}]).to_bytes()


@pytest.mark.parametrize("messages", [None, 1, {"role": "user"}, [1], ["Hello"], [HELLO]])
def test_what_is_no_conversation_is_refused_before_anything_is_written(messages: Any) -> None:
    with pytest.raises(UsageError, match="messages are a text, or a list of mappings"):
        OUTLINE.request(messages)

import sys

import pytest

from triptych.errors import DTypeError, MissingDependencyError
from triptych_text.tokenizers import ChatTemplate, ChatTemplateError
from triptych_text.tokenizers.chat_limits import Meter

CHATML = """
{%- for m in messages %}
    {%- if m.role not in ['system', 'user', 'assistant'] %}
        {{- raise_exception('unknown role ' ~ m.role) }}
    {%- endif %}
    {{- '<|im_start|>' + m.role + '\\n' + m.content | trim + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if tools %}{{ tools | tojson }}{% endif %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
TALK = [{"role": "user", "content": " Hello "}, {"role": "assistant", "content": "Hi <b>"}]


def test_renders():
    text = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi <b><|im_end|>\n"
    template = ChatTemplate(CHATML)
    assert template.render(TALK) == text
    assert template.render(TALK, add_generation_prompt=True) == text + "<|im_start|>assistant\n"
    assert template.render([], tools=[{"name": "é"}]) == '[{"name": "é"}]'
    assert template.render(TALK, continue_final_message=True).endswith("assistant\nHi <b>")
    named = ChatTemplate("{{ bos_token }}{{ x }}{{ documents[0].title }}", {"bos_token": "<s>"})
    assert named.render([], x=3, documents=[{"title": "T"}]) == "<s>3T"


def test_features_that_templates_use():
    source = (
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% if loop.index0 == 1 %}{% break %}"
        "{% endif %}{% set ns.n = ns.n + loop.length %}{% endfor %}{{ ns.n }}"
        "{% for k, v in {'a': 1}.items() %}{{ k ~ v }}{% endfor %}{{ messages[:1] | length }}"
        "{{ range(3) | list }}{{ 'x' * 3 }}{{ 2 ** 3 }}{{ '%d' % 5 }}{{ '%s!' | format('a') }}"
        "{{ '{}'.format(1) }}{{ 'abc' is string }}"
        "{{ messages | map(attribute='role') | join(',') }}"
    )
    assert ChatTemplate(source).render(TALK) == "2a11[0, 1, 2]xxx85a!1Trueuser,assistant"
    assert len(ChatTemplate("{{ strftime_now('%Y') }}").render([])) == 4


@pytest.mark.parametrize(
    "source",
    [
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% for a in range(10 ** 9) %}{% endfor %}",
        "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
        "{{ 'a' * 10 ** 10 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}"
        "{% endfor %}",
        "{% set ns = namespace(x=['a']) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}"
        "{% endfor %}",
        "{% set ns = namespace(x=9) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}"
        "{% endfor %}",
        "{% for i in range(99999) %}{{ 'a' * 9999 }}{% endfor %}",
        "{{ 'a'.ljust(10000000000) }}",
        "{{ 'a' | center(10000000000) }}",
        "{{ '%9999999999d' % 1 }}",
        "{{ '%9999999999d' | format(1) }}",
        "{{ '{:9999999999d}'.format(1) }}",
        "{{ ('a' * 9999) .replace('a', 'a' * 9999) }}",
        "{{ messages | tojson }}",
        "{{ ('x' * 10 ** 5) | replace('x', 'y' * 10 ** 5) }}",
        "{{ ('y' * 10 ** 5).join('x' * 10 ** 5) }}",
        "{{ ('x' * 10 ** 5) | join('y' * 10 ** 5) }}",
        "{{ (['y' * 10 ** 5] * 10 ** 5) | join }}",
        "{{ ('{0}' * 10 ** 5).format('y' * 10 ** 5) }}",
        "{{ ('{a}' * 10 ** 5).format_map({'a': 'y' * 10 ** 5}) }}",
        "{{ ('%(a)s' * 10 ** 5) % {'a': 'y' * 10 ** 5} }}",
        "{{ ('%(a)s' * 10 ** 5) | format(a='y' * 10 ** 5) }}",
        "{{ ('%s' * 10 ** 5) | format('y' * 10 ** 5) }}",
        "{{ ('\t' * 10 ** 6).expandtabs(10 ** 5) }}",
        "{{ ('\n' * 10 ** 6) | indent(10 ** 5, blank=true) }}",
        "{{ ('x ' * 10 ** 5) | wordwrap(1, wrapstring='y' * 10 ** 5) }}",
        "{{ ([1] * 10 ** 4) | tojson(indent=10 ** 5) }}",
        "{{ ([1] * 10 ** 4) | tojson(separators=['y' * 10 ** 5, ':']) }}",
        "{{ ('x' * 10 ** 5).translate({120: 'y' * 10 ** 5}) }}",
        "{% set ns = namespace(x=['a']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}"
        "{% endfor %}",
        "{% set ns = namespace(x=('a',)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}"
        "{% endfor %}{{ {ns.x: 1} }}",
        "{% set ns = namespace(x='a' * 999) %}{% for i in range(60) %}"
        "{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
    ],
)
def test_what_has_no_end_is_stopped(source):
    cyclic = [{"role": "user"}]
    cyclic[0]["content"] = cyclic
    with pytest.raises(ChatTemplateError, match="chat template"):
        ChatTemplate(source, meter=Meter(steps=50_000)).render(cyclic)


def test_time_is_bounded():
    with pytest.raises(ChatTemplateError, match="0 seconds"):
        ChatTemplate("{% for i in range(999) %}{% endfor %}", meter=Meter(seconds=0)).render([])


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% include 'x' %}",
        "{{ raise_exception('no system role') }}",
        "{{ 1 // 0 }}",
        "{{ messages[0].a.b }}",
        "{{ 'a' + 1 }}",
    ],
)
def test_what_is_refused(source):
    with pytest.raises(ChatTemplateError):
        ChatTemplate(source).render(TALK)


@pytest.mark.parametrize("source", ["{% for %}", "{{", "{% endfor %}", "x" * 1_000_001])
def test_malformed(source):
    with pytest.raises(ChatTemplateError, match="ChatTemplate"):
        ChatTemplate(source)


@pytest.mark.parametrize("messages", ["hi", {"role": "user"}, [3], [{"content": "x"}], None])
def test_messages_of_a_wrong_form(messages):
    with pytest.raises(DTypeError, match="render"):
        ChatTemplate("").render(messages)


def test_wrong_calls(monkeypatch):
    template = ChatTemplate(CHATML)
    with pytest.raises(ChatTemplateError, match="excludes"):
        template.render(TALK, continue_final_message=True, add_generation_prompt=True)
    with pytest.raises(ChatTemplateError, match="as it is"):
        ChatTemplate("x").render(TALK, continue_final_message=True)
    with pytest.raises(ChatTemplateError, match="unknown role x"):
        template.render([{"role": "x"}])
    with pytest.raises(DTypeError, match="source"):
        ChatTemplate(3)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependencyError, match="chat"):
        ChatTemplate("")


def test_tokenizer_has_templates(tokenizer):
    talk = [{"role": "user", "content": "cat"}]
    source = "{% for m in messages %}{{ m.content }}s{% endfor %}"
    assert tokenizer.apply_chat_template(talk, chat_template=source) == "cats"
    ids = tokenizer.apply_chat_template(talk, chat_template=source, tokenize=True).ids
    assert ids == [6, 7]
    with pytest.raises(LookupError, match="chat_template="):
        tokenizer.apply_chat_template(talk)
    tokenizer.chat_template = [
        {"name": "default", "template": source},
        {"name": "other", "template": "-"},
    ]
    assert tokenizer.apply_chat_template(talk) == "cats"
    assert tokenizer.apply_chat_template(talk, chat_template="other") == "-"
    tokenizer.chat_template = "plain"
    assert tokenizer.apply_chat_template(talk) == "plain"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 'a-b' | replace('-', ' and ') }}", "a and b"),
        ("{{ ' '.join(['a', 'b']) }}{{ ['c', 'd'] | join(', ') }}", "a bc, d"),
        ("{{ '{}: {x}'.format(1, x=[2]) }}{{ '%s!' | format('a') }}{{ '%s' % 'b' }}", "1: [2]a!b"),
        ("{{ 'a\nb' | indent(2) }}", "a\n  b"),
        ("{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }}{% endfor %}", "37"),
        ("{% set a, b = 1, {'k': (2,)} %}{{ a }}{{ b.k[0] }}", "12"),
        ("{{ {'a': [1]} | tojson(indent=1) }}", '{\n "a": [\n  1\n ]\n}'),
        ("{{ '{a}'.format_map({'a': 1}) }}", "1"),
    ],
)
def test_what_could_grow_works_in_small(source, text):
    assert ChatTemplate(source).render([]) == text


def test_time_ends_what_looks_at_large_values():
    source = (
        "{% set big = ['a' * 1000] * 1000 %}{% for i in range(60) %}{{ big | length }}{% endfor %}"
    )
    meter = Meter(seconds=0.01)
    with pytest.raises(ChatTemplateError, match=r"stopped after 0\.01 seconds"):
        ChatTemplate(source.replace("60", "100000"), meter=meter).render([])
    assert ChatTemplate(source).render([]) == "1000" * 60

"""settings/places: every key of a valid TOML text has its line."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpr.settings.places import KeyPath, lines_of

TEXT = '''\
# a comment with = and [table]
a = 1
"b c".'d' = """
not.a = "key"
\\"""
still"""" # four quotes: one is the text's
e = [ # a comment, ]
  1, "]", { f = 2, g.h = [3] },
  ['x'],
]
[ i . "j" ] # k = 1
k = 1979-05-27 07:32:00
[[l]]
m = \'\'\'
[n]\'\'\'
[[l]]
[l.o]
p = { }
[[l.q]]
r = ""
'''

LINES: dict[KeyPath, int] = {
    ("a",): 2,
    ("b c",): 3,
    ("b c", "d"): 3,
    ("e",): 7,
    ("e", 0): 8,
    ("e", 1): 8,
    ("e", 2): 8,
    ("e", 2, "f"): 8,
    ("e", 2, "g"): 8,
    ("e", 2, "g", "h"): 8,
    ("e", 2, "g", "h", 0): 8,
    ("e", 3): 9,
    ("e", 3, 0): 9,
    ("i",): 11,
    ("i", "j"): 11,
    ("i", "j", "k"): 12,
    ("l",): 13,
    ("l", 0): 13,
    ("l", 0, "m"): 14,
    ("l", 1): 16,
    ("l", 1, "o"): 17,
    ("l", 1, "o", "p"): 18,
    ("l", 1, "q"): 19,
    ("l", 1, "q", 0): 19,
    ("l", 1, "q", 0, "r"): 20,
}


def paths_of(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Where something is in what tomllib gives."""
    inner = enumerate(value) if isinstance(value, list) else ()
    for key, each in value.items() if isinstance(value, dict) else inner:
        yield (*path, key)
        yield from paths_of(each, (*path, key))


def test_every_key_table_and_item_has_the_line_on_which_it_begins() -> None:
    assert lines_of(TEXT) == LINES
    assert set(paths_of(tomllib.loads(TEXT))) == set(LINES)


@pytest.mark.parametrize("text", ["", "\n", "# only\n", "a=1", "a=1#", "[a]", "[[a]]#"])
def test_small_texts_have_all_their_keys(text: str) -> None:
    assert set(lines_of(text)) == set(paths_of(tomllib.loads(text)))


KEYS = st.sampled_from(["a", "b-1", '"q.[\\""', "'#'", '""']) | st.builds(
    "{}.{}".format, st.sampled_from("cd"), st.sampled_from(["e", "'f'"])
)
STRINGS = st.sampled_from(
    [
        *('""', '"#"', '"\\\\"', '"\\""', "''", "'\"'", "'\\'", '""""""', "''''''"),
        *('"""\n[x]\n"""', '"""a\\"""b""""', "'''\n# = \n'''", "'''''a'''", '"""\\\n  z"""'),
    ]
)
SCALARS = STRINGS | st.sampled_from(
    ["1", "-0.5e3", "true", "inf", "07:32:00", "1979-05-27 07:32:00"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(", #,\n".join).map("[ # c ]\n{}\n]".format)
        | inner.map("{{ a = {}, b.c = 1 }}".format)
    ),
    max_leaves=6,
)
STATEMENTS = (
    st.builds("{} = {} # x".format, KEYS, VALUES)
    | KEYS.map("[{}]".format)
    | KEYS.map("[[{}]]".format)
    | st.sampled_from(["", "# [a] = 1", "\t"])
)


@given(st.lists(STATEMENTS, max_size=12))
def test_what_tomllib_reads_is_what_has_lines_and_each_line_is_where_it_was_written(
    statements: list[str],
) -> None:
    """Statements that do not go together are left out, so every text is valid."""
    text, beginnings = "", set[int]()
    for statement in statements:
        longer = f"{text}{statement}\n"
        try:
            tomllib.loads(longer)
        except tomllib.TOMLDecodeError:
            continue
        beginnings |= {text.count("\n") + 1 + at for at in range(statement.count("\n") + 1)}
        text = longer
    lines = lines_of(text)
    assert set(lines) == set(paths_of(tomllib.loads(text)))
    assert set(lines.values()) <= beginnings
    rows = text.split("\n")
    for path, line in lines.items():
        if isinstance(path[-1], str) and path[-1].isalpha():
            assert path[-1] in rows[line - 1]

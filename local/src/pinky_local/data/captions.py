"""What an unaliased expression of the outermost SELECT is called: its text as it was written, in upper case."""

from __future__ import annotations

from typing import Any

from sqlglot import TokenType, exp
from sqlglot.dialects.snowflake import Snowflake

from pinky_local.data.parsing import name_of

_OPEN = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSE = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_STOPS = frozenset({TokenType.COMMA, TokenType.SEMICOLON})
_QUOTED = frozenset({TokenType.IDENTIFIER, TokenType.STRING, TokenType.RAW_STRING})
_ENDS = frozenset("FROM WHERE GROUP HAVING QUALIFY ORDER LIMIT OFFSET FETCH UNION INTERSECT EXCEPT MINUS INTO".split())


def written_captions(sql: str, tree: Any) -> list[str] | None:
    """The column names of a SELECT, or None where they do not follow from its text alone (``*``, set operations)."""
    if not isinstance(tree, exp.Select) or any(one.is_star for one in tree.expressions):
        return None
    texts = _items(sql)
    if len(texts) != len(tree.expressions):
        return None
    return [_caption(node, text) for node, text in zip(tree.expressions, texts, strict=True)]


def _caption(node: Any, text: str) -> str:
    if isinstance(node, exp.Alias):
        return name_of(node.args["alias"])
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
        return name_of(node.this)
    return text.upper()


def _items(sql: str) -> list[str]:
    """The texts between the commas of the outermost select list."""
    texts: list[str] = []
    depth, start, end = 0, -1, -1
    for token in Snowflake().tokenize(sql):
        word = token.text.upper()
        if start < 0:
            depth += (token.token_type in _OPEN) - (token.token_type in _CLOSE)
            if depth == 0 and word == "SELECT":
                start = token.end + 1
            continue
        if depth == 0 and (token.token_type in _STOPS or (word in _ENDS and token.token_type not in _QUOTED)):
            texts.append(sql[start : end + 1].strip())
            start = token.end + 1
            if token.token_type != TokenType.COMMA:
                return texts
        depth += (token.token_type in _OPEN) - (token.token_type in _CLOSE)
        end = token.end
    texts.append(sql[start : end + 1].strip())
    return texts

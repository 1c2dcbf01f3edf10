"""A cursor over tokens: what every parsing function of the engine reads from."""

from __future__ import annotations

from pinky_local.engine import errors, identifiers
from pinky_local.engine.lexer import END, NUMBER, QUOTED, STRING, SYMBOL, WORD, Token, place, tokenize
from pinky_local.types import SqlError


class TokenStream:
    """Tokens of one statement with a place. Reading methods raise 001003 when the token does not fit."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokenize(sql)
        self.index = 0

    @property
    def token(self) -> Token:
        """The next token, unread."""
        return self.tokens[self.index]

    def word(self, ahead: int = 0) -> str:
        """The next unquoted word in upper case, or an empty string."""
        index = min(self.index + ahead, len(self.tokens) - 1)
        token = self.tokens[index]
        return token.value if token.kind == WORD else ""

    def is_symbol(self, symbol: str, ahead: int = 0) -> bool:
        """Whether this symbol comes next."""
        index = min(self.index + ahead, len(self.tokens) - 1)
        token = self.tokens[index]
        return token.kind == SYMBOL and token.value == symbol

    def at(self, *words: str) -> bool:
        """Whether these words come next."""
        return all(self.word(ahead) == word for ahead, word in enumerate(words))

    def accept(self, *words: str) -> bool:
        """Read these words if all of them come next."""
        if not self.at(*words):
            return False
        self.index += len(words)
        return True

    def accept_symbol(self, symbol: str) -> bool:
        """Read this symbol if it comes next."""
        if not self.is_symbol(symbol):
            return False
        self.index += 1
        return True

    def expect(self, *words: str) -> None:
        """Read these words."""
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def expect_symbol(self, symbol: str) -> None:
        """Read this symbol."""
        if not self.accept_symbol(symbol):
            raise self.unexpected()

    def one_of(self, *words: str) -> str:
        """Read one of these words and say which."""
        word = self.word()
        if word not in words:
            raise self.unexpected()
        self.index += 1
        return word

    def any_word(self) -> str:
        """Read any unquoted word."""
        word = self.word()
        if not word:
            raise self.unexpected()
        self.index += 1
        return word

    def at_identifier(self) -> bool:
        """Whether an identifier comes next."""
        return self.token.kind in (WORD, QUOTED)

    def identifier(self) -> str:
        """Read one identifier in canonical form."""
        token = self.token
        if token.kind not in (WORD, QUOTED):
            raise self.unexpected()
        self.index += 1
        return token.value

    def name(self, longest: int = 3) -> tuple[str, ...]:
        """Read a name of up to ``longest`` parts; IDENTIFIER('a.b') is understood."""
        if self.word() == "IDENTIFIER" and self.is_symbol("(", 1):
            self.index += 2
            parts = identifiers.parse_dotted(self.string())
            self.expect_symbol(")")
        else:
            read = [self.identifier()]
            while self.accept_symbol("."):
                if self.is_symbol("."):  # db..object means the schema PUBLIC
                    read.append("PUBLIC")
                    continue
                read.append(self.identifier())
            parts = tuple(read)
        if len(parts) > longest:
            raise errors.compilation(1009, "22023", f"invalid identifier '{identifiers.dotted(parts)}'")
        return parts

    def string(self) -> str:
        """Read a string constant."""
        token = self.token
        if token.kind != STRING:
            raise self.unexpected()
        self.index += 1
        return token.value

    def at_string(self) -> bool:
        """Whether a string constant comes next."""
        return self.token.kind == STRING

    def integer(self) -> int:
        """Read an integer with an optional sign."""
        sign = -1 if self.accept_symbol("-") else 1
        if sign == 1:
            self.accept_symbol("+")
        token = self.token
        if token.kind != NUMBER or not token.value.isdigit():
            raise self.unexpected()
        self.index += 1
        return sign * int(token.value)

    def balanced(self) -> str:
        """Read what stands in parentheses, nested ones included, and return the inner text as written."""
        start = self.token.start
        self.expect_symbol("(")
        depth = 1
        while depth:
            token = self.token
            if token.kind == END:
                raise self.unexpected()
            if token.kind == SYMBOL and token.value in "()":
                depth += 1 if token.value == "(" else -1
            self.index += 1
        return self.sql[start + 1 : self.tokens[self.index - 1].start].strip()

    def rest(self) -> str:
        """Read everything that is left, as written, without a closing semicolon."""
        if self.at_end():
            raise self.unexpected()
        start = self.token.start
        last = self.tokens[-2]
        self.index = len(self.tokens) - 1
        closed = last.kind == SYMBOL and last.value == ";"
        return self.sql[start : last.start if closed else last.stop].rstrip()

    def text_between(self, first: int, last: int) -> str:
        """The source from token ``first`` up to, not including, token ``last``."""
        if first == last:
            return ""
        return self.sql[self.tokens[first].start : self.tokens[last - 1].stop]

    def at_end(self) -> bool:
        """Whether nothing but a semicolon is left."""
        return self.token.kind == END or (self.is_symbol(";") and self.tokens[self.index + 1].kind == END)

    def end(self) -> None:
        """Demand the end of the statement; a closing semicolon is allowed."""
        self.accept_symbol(";")
        if self.token.kind != END:
            raise self.unexpected()

    def unexpected(self) -> SqlError:
        """The syntax error for the token that stands here."""
        token = self.token
        line, column = place(self.sql, token.start)
        text = self.sql[token.start : token.stop] if token.kind != END else "<EOF>"
        return errors.syntax(line, column, text)

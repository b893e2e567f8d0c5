"""The language of trading rules: text in, a syntax tree out. Refuses to evaluate, and knows no numpy.

    close > sma_200 and rsi < 30 and not time_between("15:45", "16:00")

Nothing of it is ever handed to Python: names, operators and functions are those listed in `syntax`, and anything else
is an error that points at its column. Conditions and numbers are told apart when the text is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection

from admf_cli.features.parameters import did_you_mean
from admf_cli.features.spec import COLUMNS
from admf_cli.strategies.syntax import (
    CALENDAR_CONDITIONS,
    CALENDAR_NUMBERS,
    FUNCTIONS,
    Arithmetic,
    Call,
    Comparison,
    Logic,
    Name,
    Negative,
    Node,
    Not,
    Number,
    Text,
    Truth,
    is_condition,
    time_arguments,
)

MAX_LENGTH = 2_000
MAX_DEPTH = 32
MAX_LAG = 10_000

RESERVED = frozenset(
    (*COLUMNS, *CALENDAR_NUMBERS, *CALENDAR_CONDITIONS, *FUNCTIONS, "and", "or", "not", "true", "false", "time")
)
"""Words that mean something already, so that no feature can bear them as its name."""

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<operator><=|>=|==|!=|[-+*/<>(),])|(?P<wrong>\S))",
    re.ASCII,
)
_HABITS = {
    "=": "write == to compare",
    "is": "write == to compare",
    "&": "write and",
    "|": "write or",
    "!": "write not",
    "^": "powers are not known, write x * x",
    "%": "remainders are not known",
    "if": "join conditions with and, or, not",
    "[": "write lag(x, n) for a value of earlier",
}
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


class ExpressionError(ValueError):
    """An expression is wrong.

    Attributes:
        problem: what is wrong, without the place.
        column: 1-based place in the expression.
    """

    def __init__(self, text: str, column: int, problem: str) -> None:
        self.text = text
        self.column = column
        self.problem = problem
        shown = text if len(text) <= 120 else f"{text[:117]}..."
        super().__init__(f"at column {column} of `{shown}`: {problem}")


def parse_condition(text: str, names: Collection[str] | None = None) -> Node:
    """Return the tree of an expression that is true or false.

    Args:
        names: features that may be named beside bar columns and the calendar; None allows every name.

    Raises:
        ExpressionError: with the column at which it stops making sense.
    """
    node = _Parser(text, names).parse()
    if not is_condition(node):
        raise ExpressionError(text, node.start + 1, "must be a condition, such as close > 10, not a number")
    return node


class _Parser:
    """Reads by recursive descent; `or` binds loosest, then `and`, `not`, comparisons, + -, * /, minus."""

    def __init__(self, text: str, names: Collection[str] | None) -> None:
        self._text = text
        self._names = names
        self._depth = 0
        self._place = 0
        if len(text) > MAX_LENGTH:
            raise ExpressionError(text, MAX_LENGTH, f"is longer than {MAX_LENGTH} characters")
        self._tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup]

    def parse(self) -> Node:
        node = self._or()
        if self._place < len(self._tokens):
            raise self._unexpected()
        return node

    def _peek(self) -> str:
        if self._place >= len(self._tokens):
            return ""
        match = self._tokens[self._place]
        return match[match.lastgroup or 0]

    def _start(self) -> int:
        if self._place >= len(self._tokens):
            return len(self._text)
        match = self._tokens[self._place]
        return match.start(match.lastgroup or 0)

    def _end(self) -> int:
        return self._tokens[self._place - 1].end()

    def _error(self, problem: str, start: int | None = None) -> ExpressionError:
        return ExpressionError(self._text, (self._start() if start is None else start) + 1, problem)

    def _unexpected(self) -> ExpressionError:
        token = self._peek()
        hint = _HABITS.get(token, "")
        if token == "*" and self._place and self._tokens[self._place - 1][0].strip() == "*":
            hint = _HABITS["^"]
        elif token in FUNCTIONS:
            hint = f"write {FUNCTIONS[token]}"
        elif token != token.lower() and token.lower() in ("and", "or", "not"):
            hint = f"write {token.lower()}"
        return self._error(f"{token!r} is not expected here" + (f"; {hint}" if hint else ""))

    def _take(self, *tokens: str) -> str | None:
        token = self._peek()
        if token not in tokens:
            return None
        self._place += 1
        return token

    def _expect(self, token: str) -> None:
        if self._take(token) is None:
            found = self._peek()
            raise self._error(f"expected {token!r}" + (f", found {found!r}" if found else " before the end"))

    def _or(self) -> Node:
        return self._joined("or", self._and)

    def _and(self) -> Node:
        return self._joined("and", self._not)

    def _joined(self, word: str, part: Callable[[], Node]) -> Node:
        start = self._start()
        operands = [part()]
        while self._take(word):
            self._require_condition(operands[-1], word)
            operands.append(part())
            self._require_condition(operands[-1], word)
        return operands[0] if len(operands) == 1 else Logic(start, self._end(), word, tuple(operands))

    def _not(self) -> Node:
        start = self._start()
        if not self._take("not"):
            return self._comparison()
        operand = self._deeper(self._not)
        self._require_condition(operand, "not")
        return Not(start, self._end(), operand)

    def _comparison(self) -> Node:
        start = self._start()
        operands, operators = [self._sum()], []
        while operator := self._take(*_COMPARISONS):
            self._require_number(operands[-1], operator)
            operators.append(operator)
            operands.append(self._sum())
            self._require_number(operands[-1], operator)
        if not operators:
            return operands[0]
        return Comparison(start, self._end(), tuple(operators), tuple(operands))

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*", "/"), self._signed)

    def _chain(self, allowed: tuple[str, ...], part: Callable[[], Node]) -> Node:
        start = self._start()
        operands, operators = [part()], []
        while operator := self._take(*allowed):
            self._require_number(operands[-1], operator)
            operators.append(operator)
            operands.append(part())
            self._require_number(operands[-1], operator)
        if not operators:
            return operands[0]
        return Arithmetic(start, self._end(), tuple(operators), tuple(operands))

    def _signed(self) -> Node:
        start = self._start()
        if not self._take("-"):
            return self._atom()
        operand = self._deeper(self._signed)
        self._require_number(operand, "-")
        return Negative(start, self._end(), operand)

    def _deeper(self, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"is nested deeper than {MAX_DEPTH}")
        node = part()
        self._depth -= 1
        return node

    def _atom(self) -> Node:
        start = self._start()
        if self._place >= len(self._tokens):
            raise self._error("ends where a value is expected")
        match = self._tokens[self._place]
        kind, token = match.lastgroup, self._peek()
        self._place += 1
        if kind == "number":
            if math.isinf(float(token)):
                raise self._error("is too large a number", start)
            return Number(start, self._end(), float(token))
        if kind == "text":
            return Text(start, self._end(), token[1:-1])
        if token == "(":
            node = self._deeper(self._or)
            self._expect(")")
            return node
        if kind != "name" or token in ("and", "or", "not"):
            self._place -= 1
            raise self._unexpected()
        if token in ("true", "false"):
            return Truth(start, self._end(), token == "true")
        if self._take("("):
            return self._call(token, start)
        known = (*COLUMNS, *CALENDAR_NUMBERS, *CALENDAR_CONDITIONS, *(self._names or ()))
        if self._names is not None and token not in known:
            hint = (
                did_you_mean(token, (*known, "true", "false"))
                or _instead_of_name(token)
                or f"; known: {', '.join(known)}"
            )
            raise self._error(f"{token!r} is neither a bar column nor a feature{hint}", start)
        if token in FUNCTIONS:
            raise self._error(f"{token} is a function: {FUNCTIONS[token]}", start)
        return Name(start, self._end(), token)

    def _call(self, function: str, start: int) -> Node:
        if function not in FUNCTIONS:
            raise self._error(f"{function!r} is not a function{_instead_of_call(function)}", start)
        arguments: list[Node] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._deeper(self._or))
        node = Call(start, self._end(), function, tuple(arguments))
        self._check_arguments(node)
        return node

    def _check_arguments(self, call: Call) -> None:
        arguments, usage = call.arguments, FUNCTIONS[call.function]
        wanted = {"abs": 1, "sqrt": 1, "log": 1, "defined": 1}.get(call.function, 2)
        if len(arguments) != wanted and not (call.function in ("min", "max") and len(arguments) > 2):
            raise self._error(
                f"{call.function} takes {wanted} value{'s' * (wanted > 1)}, not {len(arguments)}: {usage}", call.start
            )
        if call.function == "time_between":
            for argument in arguments:
                if not isinstance(argument, Text) or not _TIME.fullmatch(argument.value):
                    raise self._error(f'expected a time of day such as "09:30": {usage}', argument.start)
            start, end = time_arguments(call)
            if start == end:
                raise self._error(f"the two times are the same: {usage}", call.start)
            return
        if call.function == "lag":
            count = arguments[1]
            if not isinstance(count, Number) or count.value != int(count.value) or count.value > MAX_LAG:
                raise self._error(f"expected a whole number of bars from 0 to {MAX_LAG}: {usage}", count.start)
            if isinstance(arguments[0], Text):
                self._require_number(arguments[0], "lag")
            return
        for argument in arguments:
            self._require_number(argument, call.function)

    def _require_condition(self, node: Node, word: str) -> None:
        if not is_condition(node):
            raise self._error(f"{word} joins conditions, and this is a {_kind(node)}", node.start)

    def _require_number(self, node: Node, word: str) -> None:
        if is_condition(node) or isinstance(node, Text):
            raise self._error(f"{word} takes numbers, and this is a {_kind(node)}", node.start)


def _instead_of_call(function: str) -> str:
    """Return what to write instead of a function that is unknown: perhaps it is a feature."""
    from admf_cli.features.catalogue import feature_types  # loaded by nothing but this mistake

    if function.upper() in feature_types():
        name = function.lower()
        return f" here but a feature: write features: {{my_{name}: {{type: {function.upper()}}}}}, and my_{name} here"
    return did_you_mean(function, list(FUNCTIONS)) or f"; known: {', '.join(FUNCTIONS)}"


def _instead_of_name(name: str) -> str:
    """Return what to define for a name such as sma_200 or rsi14, if it speaks of a function over so many bars."""
    from admf_cli.features.catalogue import describe, feature_types

    match = re.fullmatch(r"([A-Za-z_]+?)_?(\d{1,5})", name)
    kind = match[1].upper() if match else ""
    if match is None or kind not in feature_types():
        return ""
    if all(parameter.name != "timeperiod" for parameter in describe(kind).parameters):
        return ""
    return f"; write features: {{{name}: {{type: {kind}, timeperiod: {int(match[2])}}}}}"


def _kind(node: Node) -> str:
    return "text" if isinstance(node, Text) else "condition" if is_condition(node) else "number"
